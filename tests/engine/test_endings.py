"""Films that end in every way: what they held is closed, and the books say to the cent what became of it."""

import os
from collections import Counter
from pathlib import Path

import pytest

from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from kit.endings import FATES, GIFT, make_mill
from kit.worlds import World, make_world

ALL = int(os.environ.get("FILMGATE_BOOKS_TASKS", "10000"))


@pytest.mark.parametrize("count", [300, pytest.param(ALL, marks=pytest.mark.slow)])
async def test_whatever_becomes_of_films_nothing_stays_held_and_the_books_are_clean(
    pool: Pool, tmp_path: Path, count: int
) -> None:
    world = await make_world(pool)
    mill = await make_mill(world, tmp_path)
    await mill.run(count)
    assert await _ends(world) == _expected(mill.accepted)
    assert await _at_rest(world) == {
        "held": 0,
        "keys": 0,
        "entries": 0,
        "unfinished": 0,
        "slots": 0,
        "work": 0,
    }
    assert await Ledger(pool).check() == []
    assert await _warned(world) == {
        "made and never scaled up": "the film could not be scaled up",
        "made with sound that nobody wanted": "the film has sound, though it was asked for without",
    }
    assert await _delivered(world) == {
        ("extension failed, and nothing scaled up", "delivered: clip 1, 320x180"),
        ("made and never scaled up", "delivered: clip 1, 320x180"),
        *(
            (fate, "delivered: clip 1, 640x360")
            for fate in FATES
            if fate.startswith("extension") and "," not in fate
        ),
    }
    [total] = await Ledger(pool).sums(None, None, [])
    assert (total.films, total.charged_micros, total.cost_micros, total.margin_micros) == (
        count, mill.charged_micros, mill.cost_micros, mill.charged_micros - mill.cost_micros,
    )  # fmt: skip
    assert await pool.fetchval("select sum(balance_micros) from accounts") == 2 * GIFT - mill.charged_micros


def _expected(accepted: Counter[str]) -> Counter[tuple[str, str | None]]:
    ends: Counter[tuple[str, str | None]] = Counter()
    for name, times in accepted.items():
        ends[FATES[name].state, FATES[name].code] += times
    return ends


async def _ends(world: World) -> Counter[tuple[str, str | None]]:
    rows = await world.pool.fetch("select state, error_code, count(*) as n from tasks group by 1, 2")
    return Counter({(row["state"], row["error_code"]): row["n"] for row in rows})


async def _at_rest(world: World) -> dict[str, int]:
    [row] = await world.rows(
        """
        select (select sum(held_micros) from accounts)::int as held,
            (select sum(held_micros) from keys)::int as keys,
            (select sum(amount_micros) from entries where account like 'held:%')::int as entries,
            (select sum(unfinished) from accounts)::int as unfinished,
            (select sum(in_flight) from credentials)::int as slots,
            (select count(*) from work)::int as work
        """
    )
    return {name: value for name, value in row.items() if isinstance(value, int)}


async def _warned(world: World) -> dict[str, str]:
    rows = await world.pool.fetch(
        "select distinct request ->> 'prompt' as fate, record -> 'warnings' ->> -1 as warning from tasks "
        "where record ? 'warnings'"
    )
    return {row["fate"]: row["warning"] for row in rows}


async def _delivered(world: World) -> set[tuple[str, str]]:
    """Give what the ledger says of films of which less came than was agreed to."""
    rows = await world.pool.fetch(
        "select distinct t.request ->> 'prompt' as fate, l.reason from ledger l join tasks t on t.id = l.task_id "
        "where l.reason is not null"
    )
    return {(row["fate"], row["reason"]) for row in rows}
