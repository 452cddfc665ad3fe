"""The sweep learns how long films take, and tells operators of models whose remaining time it hides."""

from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.engine.sweep import sweep
from filmgate.store.estimates import Estimates
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemClock
from kit.engines import Vendor, make_engine
from kit.worlds import make_world

RUNS = """
insert into runs (provider, model, seconds, size, run_s, covered)
select 'fake', 'animatic', 1, '320x180', 20, no > $1::int from generate_series(1, 10) no
"""
NOTICES = "select kind, text from notices"


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (3, []),
        (
            4,
            [
                {
                    "kind": "eta_hidden",
                    "text": "6 of the last 10 films of animatic ended in the time that was shown: "
                    "no remaining time is shown for it until that is better",
                }
            ],
        ),
    ],
)
async def test_a_model_whose_time_is_hidden_is_told_of_once(
    pool: Pool, tmp_path: Path, late: int, told: list[dict[str, str]]
) -> None:
    world = await make_world(pool)
    engine = await make_engine(pool, tmp_path / "engine", {("a", "A"): Vendor()}, [])
    parts = replace(engine.parts, experience=Estimates(pool, SystemClock()))
    await pool.execute(RUNS, late)
    for _ in range(2):
        await sweep(parts, Upkeep(pool))
    assert await world.rows(NOTICES) == told
