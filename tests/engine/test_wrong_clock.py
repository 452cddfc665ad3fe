"""An engine whose clock is wrong says so once, in the log, to operators, and in a metric."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from filmgate.engine import worker as workers
from filmgate.engine import wrong_clock
from filmgate.engine.worker import Worker
from filmgate.engine.wrong_clock import ClockWatch, ahead_s, watched
from filmgate.metrics import CLOCK_OFFSET, METERS
from filmgate.store.counts import KeptCounts
from filmgate.store.gauges import Standings
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemClock
from kit.engines import Vendor, make_engine

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Wrong(SystemClock):
    """A clock that a test sets."""

    by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


class Log:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))


async def watch(pool: Pool, folder: Path, clock: Wrong) -> tuple[ClockWatch, Log]:
    log = Log()
    engine = await make_engine(pool, folder, {("a", "A"): Vendor()}, [])
    parts: Any = replace(engine.parts, clock=clock, telemetry=log)  # type: ignore[arg-type]  # as much as it asks for
    return ClockWatch(parts), log


async def look(pool: Pool, watching: ClockWatch, clock: Wrong) -> float:
    return await watching.compare(clock.now(), await Upkeep(pool).now())


async def shown(pool: Pool) -> Any:
    return (await Standings(pool, lambda model: model).now())[CLOCK_OFFSET]


async def test_a_clock_that_is_wrong_is_told_of_once_and_again_when_it_was_right(
    pool: Pool, tmp_path: Path
) -> None:
    clock = Wrong()
    watching, log = await watch(pool, tmp_path / "one", clock)
    assert abs(await look(pool, watching, clock)) < 1
    assert log.events == []
    clock.by = timedelta(seconds=-90)
    for _ in range(3):
        assert await look(pool, watching, clock) == pytest.approx(-90, abs=2)
    assert [event for event, _ in log.events] == ["clock.off"]
    assert "behind the database's" in log.events[0][1]["reason"]
    assert await pool.fetchval("select count(*) from notices where kind = 'clock_off'") == 1
    assert (await shown(pool))[()] == pytest.approx(-90, abs=2)
    clock.by = timedelta(seconds=1)
    await look(pool, watching, clock)
    clock.by = timedelta(seconds=7)
    await look(pool, watching, clock)
    assert [event for event, _ in log.events] == ["clock.off", "clock.right", "clock.off"]
    assert "ahead of the database's" in log.events[2][1]["reason"]


async def test_of_several_engines_the_most_wrong_clock_is_shown_and_the_dead_are_not(
    pool: Pool, tmp_path: Path
) -> None:
    assert await shown(pool) == {}
    for no, seconds in enumerate((3, -40, 12)):
        clock = Wrong()
        clock.by = timedelta(seconds=seconds)
        watching, _ = await watch(pool, tmp_path / str(no), clock)
        await look(pool, watching, clock)
    assert (await shown(pool))[()] == pytest.approx(-40, abs=2)
    await pool.execute("update counts set at = now() - interval '31 seconds'")
    assert await shown(pool) == {}


async def test_an_offset_is_in_no_sum(pool: Pool, tmp_path: Path) -> None:
    clock = Wrong()
    watching, _ = await watch(pool, tmp_path / "one", clock)
    await look(pool, watching, clock)
    kept = KeptCounts(
        pool, next(iter([row["process"] for row in await pool.fetch("select process from counts")]))
    )
    assert await kept.all() == {}
    assert await kept.bury(timedelta(0)) == 1
    assert await pool.fetchval("select counts from counts") == {}
    assert METERS[CLOCK_OFFSET].labels == ()


@pytest.mark.parametrize(("before", "after", "ahead"), [(0, 9, 0), (4, 9, 4), (-9, -2, -2), (0, 0, 0)])
def test_a_database_that_answers_slowly_makes_no_clock_wrong(before: int, after: int, ahead: float) -> None:
    span = (NOW + timedelta(seconds=before), NOW + timedelta(seconds=after))
    assert ahead_s(span[0], NOW, span[1]) == ahead


async def test_a_running_engine_looks_at_its_beats(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT_EVERY", timedelta(milliseconds=10))
    clock = Wrong()
    clock.by = timedelta(seconds=60)
    engine = await make_engine(pool, tmp_path / "engine", {("a", "A"): Vendor()}, [])
    worker = Worker(replace(engine.parts, clock=clock), Upkeep(pool))
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        while not await pool.fetch("select from notices where kind = 'clock_off'"):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)
    await worker.stop()
    await running


async def test_a_process_without_an_engine_looks_at_the_databases_clock_all_the_while(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator may say there that a job is absent: by a clock that nobody watched, that would prove nothing."""
    monkeypatch.setattr(wrong_clock, "BEAT_EVERY", timedelta(milliseconds=10))
    parts = (await make_engine(pool, tmp_path / "engine", {("a", "A"): Vendor()}, [])).parts
    asked = 0

    async def now() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise OSError("the database is away")
        return datetime.now(UTC)

    async with watched(parts, now):
        assert asked == 1
        while asked < 4:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)
        assert parts.steady.note(datetime.now(UTC), parts.clock.monotonic()) > 0
