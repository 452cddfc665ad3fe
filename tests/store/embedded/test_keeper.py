import os
import signal
import sys
import threading
import time

import asyncpg
import pytest

from filmgate.store.embedded.errors import ClusterRefusedError, StartCancelledError
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.process import is_gone


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keeper(lock, programs, told):
    made = PostgresKeeper(lock, programs, tell=told.append)
    yield made
    made.stop()


def wait_until(condition, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_killed_server_is_started_again_at_the_same_address(keeper, told):
    address = keeper.start()
    connection = await asyncpg.connect(address.dsn)
    await connection.execute("create table kept as select 7 as n")
    for _ in range(2):
        killed = keeper.running
        os.kill(killed.pid, signal.SIGKILL)
        wait_until(lambda killed=killed: keeper.running not in {None, killed})
    connection.terminate()
    again = await asyncpg.connect(address.dsn)
    assert await again.fetchval("select n from kept") == 7
    await again.close()
    assert told == [f"PostgreSQL has ended (-9) and is started again in {delay} s" for delay in (0.1, 0.2)]


def test_a_server_that_does_not_start_again_is_tried_until_it_does(keeper, told, data):
    keeper.start()
    configuration = data / "postgres" / "postgresql.conf"
    right = configuration.read_text()
    configuration.write_text("no_such_setting = 1\n")
    os.kill(keeper.running.pid, signal.SIGKILL)
    wait_until(lambda: len(told) >= 2)
    assert told[1].startswith("PostgreSQL does not start, next try in 0.2 s: PostgreSQL ended with 1 instead")
    configuration.write_text(right)
    wait_until(lambda: keeper.running is not None)
    assert keeper.running.alive()


def test_the_server_outlives_the_thread_that_asked_for_it(keeper):
    asking = threading.Thread(target=keeper.start)
    asking.start()
    asking.join()
    wait_until(lambda: keeper.running is not None)
    time.sleep(0.2)
    assert keeper.running.alive()


def test_after_a_stop_nothing_runs_and_nothing_comes_back(keeper, told):
    keeper.start()
    pid = keeper.running.pid
    keeper.stop()
    assert is_gone(pid)
    assert keeper.running is None
    assert told == []
    keeper.stop()


def test_what_keeps_it_from_starting_is_raised_to_the_caller(keeper, data):
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ClusterRefusedError, match="was made by PostgreSQL 16"):
        keeper.start()


def test_a_stop_during_a_long_recovery_ends_it(keeper, data):
    (data / "postgres" / "recovery.signal").touch()
    with (data / "postgres" / "postgresql.auto.conf").open("a") as auto:
        auto.write("restore_command = 'sleep 2; false'\n")
    raised: list[BaseException] = []

    def begin() -> None:
        try:
            keeper.start()
        except StartCancelledError as error:
            raised.append(error)

    starting = threading.Thread(target=begin)
    starting.start()
    wait_until((data / "postgres" / "postmaster.pid").exists)
    keeper.stop()
    starting.join()
    assert len(raised) == 1
    assert not (data / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel ends the server with its holder only on Linux"
)
@pytest.mark.parametrize("namespaces", [True, False])
async def test_a_killed_holder_takes_the_server_along_in_order_and_the_next_one_starts(
    data, hold, namespaces
):
    first = hold(data, namespaces=namespaces)
    connection = await asyncpg.connect(host=str(first.folder), user="filmgate", database="postgres")
    await connection.execute("create table kept as select 1 as n")
    first.kill()
    second = hold(data, namespaces=namespaces)
    connection.terminate()
    again = await asyncpg.connect(host=str(second.folder), user="filmgate", database="postgres")
    assert await again.fetchval("select n from kept") == 1
    await again.close()
    wait_until(lambda: is_gone(first.pid))
    assert second.end() == 0
    log = (data / "postgres.log").read_text()
    assert "received fast shutdown request" in log
    assert "not properly shut down" not in log


def test_a_holder_that_ends_in_order_leaves_no_server(data, hold):
    holder = hold(data)
    assert holder.end() == 0
    assert is_gone(holder.pid)
    assert not (data / "postgres" / "postmaster.pid").exists()
