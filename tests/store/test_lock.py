import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import filmgate
from filmgate.store.lock import AlreadyRunningError, FolderLock, LockHolder, read_holder

STARTED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
URL = "http://127.0.0.1:8080"
HOLD = """
import sys
from datetime import datetime
from pathlib import Path
from filmgate.store.lock import FolderLock
lock = FolderLock.acquire(Path(sys.argv[1]), started=datetime.fromisoformat(sys.argv[2]), url=sys.argv[3])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds tmp_path/data."""
    sources = str(Path(filmgate.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "data"), STARTED.isoformat(), URL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": sources},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_holder_is_told_who_runs_and_where(tmp_path, other):
    data = tmp_path / "data"
    with pytest.raises(AlreadyRunningError) as refused:
        FolderLock.acquire(data, started=STARTED)
    assert (refused.value.data, refused.value.pid, refused.value.url) == (data, other.pid, URL)
    assert str(refused.value) == (
        f"Filmgate runs already at {URL} (process {other.pid}, since 2026-11-21T09:30:00+00:00) in {data}; "
        "stop it first, or give this one another data folder"
    )


def test_the_lock_dies_with_its_holder(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert read_holder(tmp_path / "data") is None
    with FolderLock.acquire(tmp_path / "data", started=STARTED) as lock:
        assert lock.held
        assert read_holder(tmp_path / "data") == LockHolder(os.getpid(), None, STARTED)


def test_an_address_that_is_known_late_is_announced(tmp_path):
    with FolderLock.acquire(tmp_path, started=STARTED, url="http://a-rather-long-name.example:12345") as lock:
        lock.announce(URL)
        assert read_holder(tmp_path) == LockHolder(os.getpid(), URL, STARTED)
        with pytest.raises(AlreadyRunningError, match=f"at {URL} "):
            FolderLock.acquire(tmp_path, started=STARTED)
    assert not lock.held
    with pytest.raises(ValueError, match="was released"):
        lock.announce(URL)


def test_a_released_folder_can_be_held_again_and_names_nobody(tmp_path):
    assert read_holder(tmp_path) is None
    for _ in range(2):
        FolderLock.acquire(tmp_path, started=STARTED).release()
        assert read_holder(tmp_path) is None
    assert (tmp_path / "lock").read_bytes() == b""


def test_a_holder_that_has_not_said_its_name_yet_still_holds(tmp_path):
    with FolderLock.acquire(tmp_path, started=STARTED):
        (tmp_path / "lock").write_text("{half a te")
        assert read_holder(tmp_path) is None
        with pytest.raises(AlreadyRunningError, match="another process works in") as refused:
            FolderLock.acquire(tmp_path, started=STARTED)
    assert (refused.value.pid, refused.value.url) == (None, None)


def test_a_new_data_folder_and_its_lock_are_private(tmp_path):
    with FolderLock.acquire(tmp_path / "new" / "data", started=STARTED) as lock:
        assert lock.data.stat().st_mode & 0o777 == 0o700
        assert (lock.data / "lock").stat().st_mode & 0o777 == 0o600


def test_a_child_does_not_inherit_the_lock(tmp_path):
    lock = FolderLock.acquire(tmp_path, started=STARTED)
    with subprocess.Popen(["sleep", "30"], close_fds=False) as child:
        lock.release()
        FolderLock.acquire(tmp_path, started=STARTED).release()
        child.kill()
