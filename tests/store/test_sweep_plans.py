"""What the sweep looks for it finds among unfinished tasks, however many have ended."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from filmgate.store import upkeep
from filmgate.store.pool import Pool
from kit.worlds import make_world

ENDED = 20_000
UNFINISHED = 2_000
_FILL = """
insert into tasks (id, account_id, key_id, dialect, names, model, request, state, hold_micros, cost_micros, ended_at,
    error_code, deadline_at)
select gen_random_uuid(), $1, $2, 'openai', '{}', 'veo3', jsonb_build_object('prompt', repeat('a boat ', 40)),
    case when n > $3 then 'failed' else 'generating' end, 0, case when n > $3 then 0 end, case when n > $3 then now() end,
    case when n > $3 then 'provider_failed' end, now() + interval '1 h'
from generate_series(1, $3::int + $4::int) n
"""
_WORK = """
insert into work (task_id, step, due_at, model, account_id, key_id)
select id, 'poll', now(), model, account_id, key_id from tasks where ended_at is null
"""


def _read(plan: Mapping[str, Any]) -> Iterator[int]:
    """Give how many rows of tasks each part of a plan looked at."""
    if str(plan.get("Relation Name", "")).startswith("tasks"):
        yield int(plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)))
    for part in plan.get("Plans", ()):
        yield from _read(part)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [(upkeep._OVERDUE, [9]), (upkeep._STRAYS, []), (upkeep._REPAIR, [])],
    ids=["overdue", "strays", "repair"],
)
async def test_the_sweep_does_not_read_tasks_that_have_ended(
    pool: Pool, statement: str, arguments: list[int]
) -> None:
    world = await make_world(pool)
    await pool.execute(_FILL, world.owner.account_id, world.owner.key_id, UNFINISHED, ENDED)
    await pool.execute(_WORK)
    await pool.execute("analyze tasks")
    await pool.execute("analyze work")
    said = await pool.fetchval(f"explain (analyze, format json) {statement}", *arguments)
    [explained] = orjson.loads(said)
    assert sum(_read(explained["Plan"])) <= 2 * UNFINISHED
