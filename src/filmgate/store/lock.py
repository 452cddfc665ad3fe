"""One process at a time works in a data folder: an flock, which dies with its holder."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

_NAME = "lock"
_TEXT_BYTES = 4096
_TRIES = 25
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class LockHolder:
    pid: int
    url: str | None
    started: datetime


class AlreadyRunningError(Exception):
    """Another process holds the data folder; pid and url are None where it has not said them (yet)."""

    def __init__(self, data: Path, holder: LockHolder | None) -> None:
        self.data = data
        self.pid = None if holder is None else holder.pid
        self.url = None if holder is None else holder.url
        super().__init__(_explain(data, holder))


class FolderLock:
    """Held from `acquire` to `release`, or to the death of this process, whatever kills it."""

    def __init__(self, data: Path, descriptor: int, holder: LockHolder) -> None:
        self.data = data
        self._descriptor: int | None = descriptor
        self._holder = holder

    @classmethod
    def acquire(cls, data: Path, *, started: datetime, url: str | None = None) -> Self:
        """Make the folder where it is missing and lock it, or raise AlreadyRunningError at once."""
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _lock(descriptor, data)
        except BaseException:
            os.close(descriptor)
            raise
        held = cls(data.resolve(), descriptor, LockHolder(os.getpid(), url, started))
        held._write()
        return held

    def announce(self, url: str) -> None:
        """Say where the holder answers, once it is known."""
        self._holder = LockHolder(self._holder.pid, url, self._holder.started)
        self._write()

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def release(self) -> None:
        # The file stays: whoever deletes a lock file lets two processes lock two files of one name.
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _write(self) -> None:
        if self._descriptor is None:
            raise ValueError(f"the lock on {self.data} was released")
        text = json.dumps(
            {
                "pid": self._holder.pid,
                "url": self._holder.url,
                "started": self._holder.started.isoformat(),
            }
        )
        # One write over padding: a reader never meets half an old and half a new text.
        os.pwrite(self._descriptor, text.encode().ljust(_TEXT_BYTES), 0)


def read_holder(data: Path) -> LockHolder | None:
    """Return who holds the folder now; None where nobody does, or where they have not said it yet."""
    try:
        descriptor = os.open(data / _NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.pread(descriptor, _TEXT_BYTES, 0))
    else:
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int, data: Path) -> None:
    """Refuse at the sight of a living holder; wait a moment for one that has not written its name yet.

    Until then the file is empty or names a dead former holder. A reader, too, locks it for an instant.
    """
    holder = None
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _parse(os.pread(descriptor, _TEXT_BYTES, 0))
        except OSError as error:
            raise OSError(error.errno, f"the file system of {data} does not lock files: {error}") from error
        else:
            return
        if holder is not None and _lives(holder.pid):
            break
        time.sleep(_PAUSE_S)
    raise AlreadyRunningError(data, holder)


def _parse(content: bytes) -> LockHolder | None:
    try:
        said = json.loads(content)
        url = said["url"]
        return LockHolder(
            pid=int(said["pid"]),
            url=None if url is None else str(url),
            started=datetime.fromisoformat(str(said["started"])),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _explain(data: Path, holder: LockHolder | None) -> str:
    if holder is None:
        return f"another process works in {data}; stop it first, or give this one another data folder"
    place = "" if holder.url is None else f" at {holder.url}"
    return (
        f"Filmgate runs already{place} (process {holder.pid}, since {holder.started.isoformat()}) in {data}; "
        "stop it first, or give this one another data folder"
    )
