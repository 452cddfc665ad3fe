"""The loop that worlds are played in."""

import asyncio
from collections.abc import Iterator

import pytest

from simulation.loop import Process, SimulatedLoop, Stalled, Tape


class NoCalls:
    """A database of which nobody ever asks anything."""

    def waiting(self) -> bool:
        return False

    def stalled(self) -> None:
        return

    def stuck(self) -> bool:
        return False


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    made = SimulatedLoop()
    made.calls = NoCalls()
    made.begin(1, Tape())
    yield made
    made.close()


def test_an_hour_takes_no_time_and_shows_on_the_loops_clock(loop: SimulatedLoop) -> None:
    async def sleep() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert loop.run_until_complete(loop.spawn(Process("p"), sleep())) == 3600.0


def test_whose_turn_it_is_is_a_function_of_the_seed(loop: SimulatedLoop) -> None:
    def order(seed: int) -> list[int]:
        loop.begin(seed, Tape())
        return loop.run_until_complete(loop.spawn(Process("p"), _race()))

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(20)}) > 10


def test_a_dead_process_runs_nothing_more_not_even_what_tidies_up(loop: SimulatedLoop) -> None:
    done: list[str] = []
    process = Process("p")

    async def work() -> None:
        try:
            await asyncio.sleep(10)
            done.append("worked")
        finally:
            done.append("tidied")

    def kill() -> None:
        process.alive = False

    task = loop.spawn(process, work())
    loop.call_later(5, kill)
    with pytest.raises(Stalled):
        loop.run_until_complete(task)
    assert done == []
    loop.run_until_complete(loop.bury([process], lambda: [task] if not task.done() else []))


def test_a_frozen_process_goes_on_late_where_it_stopped(loop: SimulatedLoop) -> None:
    process = Process("p")

    async def work() -> float:
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    async def freeze() -> None:
        await asyncio.sleep(5)
        process.frozen = True
        await asyncio.sleep(100)
        loop.thaw(process)

    loop.spawn(Process("other"), freeze())
    assert loop.run_until_complete(loop.spawn(process, work())) == 105.0


async def _race() -> list[int]:
    arrived: list[int] = []

    async def run(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        arrived.append(number)

    await asyncio.gather(*(run(number) for number in range(6)))
    return arrived
