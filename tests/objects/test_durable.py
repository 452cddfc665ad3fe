import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from filmgate.objects.durable import Written, write_durably


@pytest.fixture
def root(tmp_path) -> Path:
    folder: Path = tmp_path / "objects"
    (folder / ".temporary").mkdir(parents=True)
    return folder


def write(root: Path, key: str, chunks, sync=os.fsync) -> Written:
    return write_durably(chunks, root / key, root, root / ".temporary", sync)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_written_is_there_with_its_size_and_digest(root):
    written = write(root, "tasks/1/a.mp4", [b"one", b"", b"two"])
    assert written == Written(6, hashlib.sha256(b"onetwo").digest())
    assert (root / "tasks/1/a.mp4").read_bytes() == b"onetwo"
    assert files(root) == ["tasks/1/a.mp4"]


def test_the_file_is_synced_before_it_is_seen_and_every_folder_afterwards(root):
    seen: list[tuple[str, bool]] = []
    target = root / "tasks/1/a.mp4"

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        name = ".temporary/*" if path.parent.name == ".temporary" else str(path.relative_to(root.parent))
        seen.append((name, target.exists()))
        os.fsync(descriptor)

    write(root, "tasks/1/a.mp4", [b"film"], sync)
    assert seen == [
        (".temporary/*", False),
        ("objects/tasks/1", True),
        ("objects/tasks", True),
        ("objects", True),
    ]


def test_everything_is_on_its_way_to_the_disk_before_the_sync(root):
    def sync(descriptor: int) -> None:
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode):
            sizes.append(state.st_size)

    sizes: list[int] = []
    write(root, "a", [b"x" * 50_000, b"x" * 50_001], sync)
    assert sizes == [100_001]


def test_a_sync_that_fails_leaves_nothing_and_is_not_asked_again(root):
    asked = []

    def sync(descriptor: int) -> None:
        asked.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        write(root, "tasks/1/a.mp4", [b"film"], sync)
    assert (files(root), len(asked)) == ([], 1)


def test_a_source_that_fails_leaves_nothing(root):
    def chunks():
        yield b"half a film"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        write(root, "tasks/1/a.mp4", chunks())
    assert files(root) == []


def test_a_full_disk_leaves_nothing(root):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(root, "tasks/1/a.mp4", [b"x" * 40_000, b"x" * 40_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(root) == []


def test_what_is_there_is_replaced_whole(root):
    write(root, "a", [b"old and longer"])
    write(root, "a", [b"new"])
    assert (root / "a").read_bytes() == b"new"


def test_a_folder_that_is_removed_beneath_a_writer_is_made_again(root):
    stop = threading.Event()

    def remove() -> None:
        while not stop.is_set():
            for folder in (root / "tasks/1", root / "tasks"):
                try:
                    folder.rmdir()
                except OSError:
                    continue
            stop.wait(0.0005)

    remover = threading.Thread(target=remove)
    remover.start()
    try:
        for number in range(50):
            write(root, "tasks/1/a.mp4", [b"%d" % number], lambda _: None)
            (root / "tasks/1/a.mp4").unlink()
    finally:
        stop.set()
        remover.join()
    assert files(root) == []


def test_a_writer_that_is_killed_leaves_no_torn_object(root):
    lines = f"""if True:
        import hashlib, itertools, os
        from pathlib import Path
        from filmgate.objects.durable import write_durably
        root = Path({str(root)!r})
        print("ready", flush=True)
        for number in itertools.count():
            chunks = [os.urandom(50_000) for _ in range(20)]
            name = hashlib.sha256(b"".join(chunks)).hexdigest()
            write_durably(chunks, root / "tasks" / str(number) / name, root, root / ".temporary")
            print(name, flush=True)
    """
    told: list[str] = []
    for delay_ms in (5, 17, 31, 44):
        writer = subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay_ms / 1000)
        writer.send_signal(signal.SIGKILL)
        told += [line for line in writer.communicate()[0].split("\n") if len(line) == 64]
    seen = {path.name: path for path in (root / "tasks").rglob("*") if path.is_file()}
    assert [
        name for name, path in seen.items() if hashlib.sha256(path.read_bytes()).hexdigest() != name
    ] == []
    assert told
