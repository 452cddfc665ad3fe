"""What processes count is summed up, and no sum ever falls."""

from datetime import timedelta
from uuid import UUID

from filmgate.metrics import Counts, Tally, exposition
from filmgate.store.counts import KeptCounts
from filmgate.store.pool import Pool
from filmgate.world import SystemChance

ACCEPTED = "filmgate_tasks_accepted"
WAITED = "filmgate_task_wait_duration_seconds"
NOW = timedelta(0)


def name() -> UUID:
    return UUID(bytes=SystemChance().bytes(16))


def shown(counts: Counts) -> list[str]:
    text = exposition(counts, {})[0].decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


async def test_the_counts_of_several_processes_are_one_sum(pool: Pool) -> None:
    one, other = Tally(), Tally()
    one.count(ACCEPTED, "openai", "sora-2")
    other.count(ACCEPTED, "openai", "sora-2", by=2)
    other.count(ACCEPTED, "gate", "animatic")
    for tally in (one, other):
        await KeptCounts(pool, name()).keep(tally.counts(), name())
    assert shown(await KeptCounts(pool, name()).all()) == [
        'filmgate_tasks_accepted_total{dialect="openai",model="sora-2"} 3.0',
        'filmgate_tasks_accepted_total{dialect="gate",model="animatic"} 1.0',
    ]


async def test_a_histogram_is_summed_bucket_by_bucket(pool: Pool) -> None:
    for value in (0.5, 4.0, 99_999.0):
        tally = Tally()
        tally.observe(WAITED, "sora-2", value=value)
        await KeptCounts(pool, name()).keep(tally.counts(), name())
    lines = shown(await KeptCounts(pool, name()).all())
    assert lines[0] == WAITED + '_bucket{le="1.0",model="sora-2"} 1.0'
    assert lines[1] == WAITED + '_bucket{le="5.0",model="sora-2"} 2.0'
    assert lines[-3:] == [
        WAITED + '_bucket{le="+Inf",model="sora-2"} 3.0',
        WAITED + '_count{model="sora-2"} 3.0',
        WAITED + '_sum{model="sora-2"} 100003.5',
    ]


async def test_the_dead_are_remembered_in_one_row(pool: Pool) -> None:
    for _ in range(3):
        tally = Tally()
        tally.count(ACCEPTED, "openai", "sora-2")
        await KeptCounts(pool, name()).keep(tally.counts(), name())
    alive = KeptCounts(pool, name())
    before = await alive.all()
    assert await alive.bury(NOW) == 3
    assert await alive.all() == before
    assert await pool.fetchval("select count(*) from counts") == 1


async def test_one_who_was_taken_for_dead_is_not_counted_twice(pool: Pool) -> None:
    tally = Tally()
    quiet = KeptCounts(pool, name())
    tally.count(ACCEPTED, "openai", "sora-2", by=5)
    await quiet.keep(tally.counts(), name())
    await quiet.bury(NOW)
    tally.count(ACCEPTED, "openai", "sora-2", by=2)
    await quiet.keep(tally.counts(), name())
    tally.count(ACCEPTED, "openai", "sora-2")
    await quiet.keep(tally.counts(), name())
    assert await quiet.all() == tally.counts()


async def test_counts_of_another_version_are_left_out(pool: Pool) -> None:
    odd: Counts = {"filmgate_gone": [(["x"], [1.0])], ACCEPTED: [(["one label"], [1.0])]}
    await KeptCounts(pool, name()).keep(odd, name())
    assert await KeptCounts(pool, name()).all() == {}
