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


def test_what_is_due_in_one_moment_comes_in_the_order_in_which_it_was_asked_for(loop: SimulatedLoop) -> None:
    def order(others: int) -> list[int]:
        came: list[int] = []
        loop.begin(1, Tape())
        for number in range(others):
            loop.call_at(1 + number, lambda: None)
        for number in range(12):
            loop.call_at(5, came.append, number)
        loop.run_until_complete(loop.spawn(Process("p"), asyncio.sleep(20)))
        return came

    assert [order(others) for others in range(12)] == [list(range(12))] * 12


def test_a_set_of_tasks_has_an_order_of_its_own_wherever_they_lie_in_memory(loop: SimulatedLoop) -> None:
    async def order() -> list[int]:
        tasks = [asyncio.create_task(asyncio.sleep(1)) for _ in range(50)]
        found = [tasks.index(task) for task in set(tasks)]
        await asyncio.wait(tasks)
        return found

    def played() -> list[int]:
        loop.begin(1, Tape())
        return loop.run_until_complete(loop.spawn(Process("p"), order()))

    once, elsewhere = played(), [object() for _ in range(1001)]
    assert played() == once
    del elsewhere


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
