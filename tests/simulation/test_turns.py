"""The turns that simulated processes take in a real database."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, cast

import asyncpg
import pytest

from simulation.control import Control
from simulation.database import Connection, Database, SimulatedPool, connect
from simulation.links import CLOCK, Link
from simulation.loop import Process, SimulatedLoop, Tape
from simulation.turns import knot

_ADD: Final = "update rows set said = said || $2 where id = $1"
_ROWS: Final = """
create table film.rows (id int primary key, said text not null);
create function film.dawdle() returns trigger language plpgsql as $$
begin perform pg_sleep(random() * 0.03); return new; end $$;
create trigger slow before update on film.rows for each row execute function film.dawdle();
"""

Play = Callable[[SimulatedPool], Coroutine[Any, Any, str]]


@pytest.fixture(scope="module")
def stage(postgres: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    target = {**postgres, "database": "turns"}
    root = Control(postgres)
    root.ask("create database turns")
    root.close()
    clock = tmp_path_factory.mktemp("clock") / "time"
    control = Control(target)
    control.ask(f"create schema film; create schema simulated; {CLOCK.format(file=clock)}; {_ROWS}")
    control.close()
    clock.touch()
    loop = SimulatedLoop()
    made = loop.run_until_complete(connect(target, loop, 6, clock))
    loop.calls = made
    yield made
    loop.calls = None
    loop.run_until_complete(made.close())
    made.control.close()
    loop.close()


def _played(stage: Database, seed: int, play: Play, *, slow: bool = False) -> str:
    """Play with three empty rows, which take their time where it is slow."""
    stage.loop.begin(seed, Tape())
    stage.begin()
    stage.control.ask(
        f"delete from film.rows; insert into film.rows select n, '' from generate_series(1, 3) n;"  # noqa: S608  # ours
        f"alter table film.rows {'enable' if slow else 'disable'} trigger slow"
    )
    pool = SimulatedPool(stage, Process("p"), 6)
    return stage.loop.run_until_complete(stage.loop.spawn(pool.process, play(pool)))


@pytest.mark.parametrize("seed", range(6))
def test_whoever_waits_for_a_lock_goes_on_in_the_order_of_the_questions(stage: Database, seed: int) -> None:
    async def play(pool: SimulatedPool) -> str:
        async def add(name: str) -> None:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(_ADD, 1, name)
                asked.append(name)

        asked: list[str] = []
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_ADD, 1, "first")
            waiting = [asyncio.create_task(add(name)) for name in "abcd"]
            await asyncio.sleep(5)
        await asyncio.gather(*waiting)
        said: str = await pool.fetchval("select said from rows where id = 1")
        assert said == "first" + "".join(asked)
        return said

    assert _played(stage, seed, play) == _played(stage, seed, play, slow=True)


def test_what_goes_wrong_lets_others_go_on_before_its_transaction_ends(stage: Database) -> None:
    async def play(pool: SimulatedPool) -> str:
        async def add() -> float:
            await pool.execute(_ADD, 1, "other")
            return asyncio.get_running_loop().time()

        waiting: list[asyncio.Task[float]] = []
        async with pool.acquire() as connection, connection.transaction():
            with pytest.raises(asyncpg.DivisionByZeroError):
                await _fail(connection, lambda: waiting.append(asyncio.create_task(add())))
            await asyncio.sleep(5)
        went_on = [await one for one in waiting]
        said = await pool.fetchval("select said from rows where id = 1")
        return f"{went_on} {said}"

    assert _played(stage, 1, play) == _played(stage, 1, play, slow=True) == "[5.0] other"


async def _fail(connection: Connection, meanwhile: Callable[[], None]) -> None:
    async with connection.transaction():
        await connection.execute(_ADD, 1, "mine")
        meanwhile()
        await asyncio.sleep(5)
        await connection.execute("select 1 / 0")


@pytest.mark.parametrize("seed", range(6))
def test_dice_say_who_gives_way_where_some_wait_for_each_other(stage: Database, seed: int) -> None:
    async def play(pool: SimulatedPool) -> str:
        async def cross(one: int, other: int) -> str:
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(_ADD, one, "x")
                    await asyncio.sleep(1)
                    await connection.execute(_ADD, other, "y")
            except asyncpg.DeadlockDetectedError:
                return f"{one} gave way"
            return f"{one} went on"

        return " ".join(sorted(await asyncio.gather(cross(1, 2), cross(2, 3), cross(3, 1))))

    once = _played(stage, seed, play)
    assert once.count("gave way") == 1
    assert _played(stage, seed, play, slow=True) == once


def test_a_statement_that_waits_for_too_long_is_ended(stage: Database) -> None:
    async def play(pool: SimulatedPool) -> str:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_ADD, 1, "first")
            with pytest.raises(asyncpg.QueryCanceledError):
                await pool.execute(_ADD, 1, "second")
            return str(asyncio.get_running_loop().time())

    assert _played(stage, 1, play) == "60.0"


def test_a_process_that_dies_lets_go_of_what_it_waits_for(stage: Database) -> None:
    other = SimulatedPool(stage, Process("other"), 2)

    async def play(pool: SimulatedPool) -> str:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_ADD, 1, "first")
            stage.loop.spawn(other.process, other.execute(_ADD, 1, "dead"))
            await asyncio.sleep(5)
            other.process.alive = False
            await stage.loop.operate(other.die())
        said: str = await pool.fetchval("select said from rows where id = 1")
        return said

    assert _played(stage, 1, play) == "first"
    [task] = other.process.tasks
    stage.loop.run_until_complete(stage.loop.bury([other.process], lambda: [] if task.done() else [task]))
    assert task.cancelled()


def test_a_process_that_dies_lets_go_also_where_it_had_lost_the_same_connection_before(
    stage: Database,
) -> None:
    dying = SimulatedPool(stage, Process("dying"), 2)

    async def hold() -> None:
        async with dying.acquire() as connection, connection.transaction():
            await connection.execute(_ADD, 1, "dead")
            await asyncio.sleep(9)

    async def lose() -> None:
        async with dying.acquire() as connection:
            stage.away = True
            with pytest.raises(asyncpg.ConnectionDoesNotExistError):
                await connection.execute("select 1")
            stage.away = False
            stage.loop.spawn(dying.process, hold())
            await asyncio.sleep(1)

    async def play(pool: SimulatedPool) -> str:
        await stage.loop.spawn(dying.process, lose())
        dying.process.alive = False
        await stage.loop.operate(dying.die())
        await pool.execute(_ADD, 1, "alive")
        said: str = await pool.fetchval("select said from rows where id = 1")
        return said

    assert _played(stage, 1, play) == "alive"
    tasks = [task for task in dying.process.tasks if not task.done()]
    stage.loop.run_until_complete(
        stage.loop.bury([dying.process], lambda: [one for one in tasks if not one.done()])
    )


def test_nobody_stays_halted_when_whoever_halted_is_gone() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as sleeper:
        sleeper.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
        program = f"""
import os, signal
from simulation.links import Link
from simulation.turns import Turns
class Idle:
    def get_server_pid(self): return {sleeper.pid}
Turns([Link(Idle())], None, None)
os.kill(os.getpid(), signal.SIGKILL)
"""
        known = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        gone = subprocess.run([sys.executable, "-c", program], env=known, check=False)
        os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED)
        sleeper.kill()
    assert gone.returncode == -signal.SIGKILL


def test_only_who_waits_for_each_other_is_tied() -> None:
    a, b, c, d, e = (cast("Link", name) for name in "abcde")
    assert knot({a: [b], b: [c], c: [b], d: [e]}) == [b, c]
    assert knot({a: [b], b: [e]}) == []
