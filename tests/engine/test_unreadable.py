"""A row that nobody can read hurts nobody but its own task."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from filmgate.domain.states import State
from filmgate.engine.route import RouteRule, Via
from filmgate.engine.sweep import sweep
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claims
from filmgate.world import SystemChance
from kit.engines import Vendor, make_engine
from kit.worlds import make_world


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("deadline_at = now() - interval '1 s'", State.EXPIRED),
        ("cancel_requested_at = now()", State.CANCELLED),
    ],
    ids=["deadlines", "wishes to cancel"],
)
async def test_one_row_that_cannot_be_read_stops_neither_deadlines_nor_wishes_to_cancel(
    pool: Pool, tmp_path: Path, what: str, state: State
) -> None:
    world = await make_world(pool)
    engine = await make_engine(
        pool, tmp_path / "e", {("a", "A"): Vendor()}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    seen: list[UUID] = []

    def unreadable(task_id: UUID, error: Exception) -> None:
        seen.append(task_id)

    boot = Boot(*(UUID(bytes=SystemChance().bytes(16)) for _ in range(3)))
    engine.parts = replace(engine.parts, claims=Claims(pool, boot, unreadable))
    made = [(await world.accept(f"boat {no}")).task for no in range(3)]
    ids = [task.id for task in made if task is not None]
    await pool.execute(f"update tasks set {what}")  # noqa: S608  # the test's own words
    await pool.execute("update tasks set request = '{}' where id = $1", ids[0])
    for _ in range(2):
        await sweep(engine.parts, Upkeep(pool))
    assert [row["state"] for row in await world.rows("select state from tasks order by id")] == [
        "queued",
        state.value,
        state.value,
    ]
    assert seen == [ids[0]] * 2
