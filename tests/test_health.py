"""A scrape says what is known, and that the store is away where it is."""

from pathlib import Path
from typing import Any
from uuid import UUID

from filmgate.health import Measures
from filmgate.objects.store import open_store
from filmgate.objects.watch import WatchedStore
from filmgate.store.counts import KeptCounts
from filmgate.store.gauges import Standings
from filmgate.store.pool import Pool, open_pool
from filmgate.telemetry import Telemetry
from filmgate.world import SystemChance, SystemClock


def measures(pool: Pool) -> Measures:
    chance, clock = SystemChance(), SystemClock()
    telemetry = Telemetry(["animatic"], ["animatic"])
    telemetry.accepted("gate", "animatic", "animatic", 5)
    telemetry.accepted("gate", "a model of a stranger", "and a provider", 5)
    kept = KeptCounts(pool, UUID(bytes=chance.bytes(16)))
    objects = WatchedStore(open_store(Path("never-written-to"), clock=clock), telemetry, chance)
    return Measures(telemetry, kept, Standings(pool, lambda _: "animatic"), objects, clock, chance)


async def lines(measured: Measures) -> list[str]:
    text, _ = await measured.text()
    return [line for line in text.decode().splitlines() if not line.startswith("#")]


async def test_what_is_not_configured_is_counted_as_other(pool: Pool) -> None:
    shown = await lines(measures(pool))
    assert [line for line in shown if "accepted" in line or "held" in line] == [
        'filmgate_tasks_accepted_total{dialect="gate",model="animatic"} 1.0',
        'filmgate_tasks_accepted_total{dialect="gate",model="other"} 1.0',
        'filmgate_money_held_micros_total{model="animatic",provider="animatic"} 5.0',
        'filmgate_money_held_micros_total{model="other",provider="other"} 5.0',
    ]
    assert "filmgate_store_up 1.0" in shown
    assert "filmgate_ledger_imbalance_micros 0.0" in shown


async def test_while_the_store_is_away_that_alone_is_said(pool: Pool, database: dict[str, Any]) -> None:
    assert len(await lines(measures(pool))) > 1
    away = await open_pool(database, size=1, statement_ms=5000, name="away")
    await away.close()
    assert await lines(measures(away)) == ["filmgate_store_up 0.0"]


async def test_what_takes_too_long_to_sum_up_hides_nothing_else(pool: Pool, database: dict[str, Any]) -> None:
    hasty = await open_pool(database, size=2, statement_ms=300, name="hasty")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table files in access exclusive mode")
        shown = await lines(measures(hasty))
    await hasty.close()
    assert "filmgate_store_up 1.0" in shown
    assert not [line for line in shown if "storage_bytes" in line]


async def test_books_that_are_out_are_shown(pool: Pool) -> None:
    await pool.execute("insert into accounts (name, held_micros) values ('a', 7)")
    assert "filmgate_ledger_imbalance_micros 7.0" in await lines(measures(pool))


async def test_a_scrape_is_shown_again_for_a_moment(pool: Pool) -> None:
    measured = measures(pool)
    first = await measured.text()
    measured.telemetry.accepted("gate", "animatic", "animatic", 5)
    assert await measured.text() is first
