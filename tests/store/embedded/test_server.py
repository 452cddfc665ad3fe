import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import asyncpg
import pytest

from filmgate.store.embedded.address import address_of
from filmgate.store.embedded.errors import StartCancelledError, StartFailedError
from filmgate.store.embedded.process import is_gone
from filmgate.store.embedded.server import SETTINGS, start

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel through /proc")


async def query(server, text: str):
    connection = await asyncpg.connect(**server.address.connect_arguments)
    try:
        return await connection.fetchval(text)
    finally:
        await connection.close()


def former_pid_files(data: Path) -> list[Path]:
    return [data / "postgres" / "postmaster.pid", data / "postgres" / ".s.PGSQL.5432.lock"]


async def test_it_runs_with_our_settings_whatever_its_files_say(data, launch):
    with (data / "postgres" / "postgresql.auto.conf").open("a") as auto:
        auto.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nlisten_addresses = '*'\n")
    server = launch()
    connection = await asyncpg.connect(server.address.dsn)
    rows = await connection.fetch("select name, current_setting(name) from pg_settings")
    await connection.close()
    shown = {name.lower(): value for name, value in rows}
    assert {name: shown[name] for name in SETTINGS} == {
        **SETTINGS,
        "idle_in_transaction_session_timeout": "1min",
    }


@linux_only
def test_nobody_else_finds_a_way_in(data, launch):
    server = launch()
    assert server.address.folder == data / "postgres"
    assert server.address.folder.stat().st_mode & 0o777 == 0o700
    assert server.address.socket.stat().st_mode & 0o777 == 0o700
    inodes = {str(link.readlink()) for link in Path(f"/proc/{server.pid}/fd").iterdir()}
    listening = [
        line
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if f"socket:[{line.split()[9]}]" in inodes
    ]
    assert listening == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_cannot_connect(launch):
    server = launch()
    knock = (
        "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
        "except PermissionError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", knock, server.address.socket], capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused\n"


@linux_only
def test_it_sees_none_of_our_secrets_and_no_ctrl_c(launch, monkeypatch):
    monkeypatch.setenv("FILMGATE_SECRET", "hush")
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = launch()
    names = {
        line.partition(b"=")[0] for line in Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    }
    assert not names & {b"FILMGATE_SECRET", b"HOME"}
    assert os.getsid(server.pid) == server.pid


async def test_what_was_committed_is_there_after_a_stop_and_after_a_kill(launch):
    server = launch()
    await query(server, "create table kept as select 1 as n")
    server.stop()
    assert not server.alive()
    server = launch()
    await query(server, "insert into kept values (2)")
    os.kill(server.pid, signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    server = launch()
    assert await query(server, "select sum(n) from kept") == 3


async def test_a_stop_waits_for_no_client(launch):
    server = launch()
    client = await asyncpg.connect(**server.address.connect_arguments)
    since = time.monotonic()
    await asyncio.to_thread(server.stop)
    assert time.monotonic() - since < 5
    assert server.wait() == 0
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await client.execute("select 1")
    client.terminate()


def test_ids_of_living_strangers_in_the_lock_files_do_no_harm(data, launch):
    told: list[str] = []
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for file in former_pid_files(data):
            file.write_text(f"{stranger.pid}\n{data / 'postgres'}\n1795262488\n5432\n.\n\n")
        server = launch(tell=told.append)
        assert server.alive()
        assert stranger.poll() is None
        stranger.kill()
    assert [line.partition(" named ")[0] for line in told] == [str(file) for file in former_pid_files(data)]


def test_ids_of_zombies_in_the_lock_files_do_no_harm(data, launch):
    zombie = subprocess.Popen(["true"])
    while not is_gone(zombie.pid):
        time.sleep(0.01)
    for file in former_pid_files(data):
        file.write_text(f"{zombie.pid}\n{data / 'postgres'}\n1795262488\n5432\n.\n\n")
    assert launch().alive()
    zombie.wait()


@linux_only
def test_the_id_of_a_postgres_of_another_folder_does_no_harm(data, folder, lock, launch):
    server = launch()
    server.stop()
    program = shutil.copy(shutil.which("sleep") or "", folder / "postgres")
    with subprocess.Popen([program, "60"], cwd=folder) as stranger:
        former_pid_files(data)[0].write_text(f"{stranger.pid}\n")
        assert launch().alive()
        stranger.kill()


def test_an_empty_lock_file_of_a_crash_does_no_harm(data, launch):
    former_pid_files(data)[0].write_text("")
    assert launch().alive()


def test_a_server_that_runs_already_is_taken_over_and_stopped(lock, launch):
    former = launch()
    told: list[str] = []
    server = launch(tell=told.append)
    assert (server.adopted, server.pid, server.alive()) == (True, former.pid, True)
    assert told == [
        f"PostgreSQL runs already on {lock.data / 'postgres'} (process {former.pid}) and is taken over"
    ]
    with pytest.raises(TimeoutError, match="still runs"):
        server.wait(0.01)
    server.stop()
    assert not server.alive()
    assert former.wait() == 0


async def test_a_server_that_is_shutting_down_is_waited_for(launch):
    former = launch()
    client = await asyncpg.connect(**former.address.connect_arguments)
    former.interrupt(signal.SIGTERM)
    told: list[str] = []
    starting = asyncio.create_task(asyncio.to_thread(launch, tell=told.append))
    while not told:  # noqa: ASYNC110  # It is another thread that tells.
        await asyncio.sleep(0.01)
    assert told[0].endswith(f"(process {former.pid}): stopping")
    await client.close()
    server = await starting
    assert former.wait() == 0
    assert (server.adopted, server.alive()) == (False, True)


def recover_slowly(data: Path, seconds: float = 0.6) -> None:
    (data / "postgres" / "recovery.signal").touch()
    with (data / "postgres" / "postgresql.auto.conf").open("a") as auto:
        auto.write(f"restore_command = 'sleep {seconds}; false'\n")


def test_a_long_recovery_is_waited_for_and_shown(data, launch):
    recover_slowly(data)
    told: list[str] = []
    server = launch(tell=told.append)
    assert server.alive()
    assert any("database system was shut down at" in line for line in told)
    assert not any("FATAL" in line for line in told)


def test_a_recovery_that_takes_too_long_fails_with_the_log_and_leaves_nothing_running(data, launch, lock):
    recover_slowly(data, seconds=60)
    with pytest.raises(StartFailedError) as failed:
        launch(ready_timeout_s=3)  # Long enough to be answered "starting up", on a busy machine too.
    first, *log = str(failed.value).splitlines()
    assert first == (
        "PostgreSQL was not ready in time (the database system is starting up); its log ends with:"
    )
    assert any("database system was shut down at" in line for line in log)
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_start_can_be_given_up(data, launch):
    recover_slowly(data)
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(StartCancelledError):
        launch(cancelled=cancelled)
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_server_that_ends_at_once_is_reported_with_its_words(data, launch):
    (data / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(StartFailedError, match=r"ended with 1 instead .*\n.*no_such_setting"):
        launch()


def test_nothing_starts_without_the_lock(lock, programs):
    lock.release()
    with pytest.raises(StartFailedError, match="must be locked before"):
        start(lock, programs, tell=print)


async def test_a_long_path_gets_a_short_private_socket_folder_that_is_remembered(
    quick_folder, template, programs
):
    from datetime import UTC, datetime

    from filmgate.store.lock import FolderLock

    data = quick_folder / ("long" * 20) / "data"
    shutil.copytree(template, data)
    with FolderLock.acquire(data, started=datetime.now(UTC)) as lock:
        server = start(lock, programs, tell=print)
        place = server.address.folder
        assert await query(server, "select 1") == 1
        assert (len(str(place)) < 60, place.stat().st_mode & 0o777) == (True, 0o700)
        assert address_of(data) == server.address
        server.stop()

        place.rmdir()
        server = start(lock, programs, tell=print)
        assert server.address.folder == place
        server.stop()

        place.chmod(0o777)
        server = start(lock, programs, tell=print)
        other = server.address.folder
        assert other != place
        assert address_of(data) == server.address
        server.stop()
    place.rmdir()
    other.rmdir()


def test_a_large_log_is_put_aside_at_the_start(data, launch):
    log = data / "postgres.log"
    log.write_text("x" * (10 * 1024 * 1024 + 1))
    launch()
    assert (data / "postgres.log.1").stat().st_size == 10 * 1024 * 1024 + 1
    assert "ready to accept connections" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_something_else_on_the_socket_is_no_database(data, launch):
    path = data / "postgres" / ".s.PGSQL.5432"
    with socket.socket(socket.AF_UNIX) as impostor:
        impostor.bind(str(path))
        impostor.listen()
        with pytest.raises(StartFailedError, match="takes no connection"):
            launch(ready_timeout_s=0.5)
    path.unlink()
