"""The vendor's log: what it was asked and did, a JSON object a line, written before it happens."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import orjson

Event: TypeAlias = dict[str, object]

_OWN_ONLY: Final = 0o600
_BLOCK_BYTES: Final = 65536


class LogInUseError(Exception):
    """Another vendor writes this log."""


class Log:
    """Only ever appended to. A line that was written outlives the process, however that ends."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWN_ONLY)
        try:
            _claim(self._file, path)
            _drop_torn_line(self._file)
        except BaseException:
            os.close(self._file)
            raise

    def past(self) -> Iterator[Event]:
        """Read what the log holds."""
        with self.path.open("rb") as lines:
            for line in lines:
                yield orjson.loads(line)

    def write(self, event: str, **fields: object) -> Event:
        """Give the event back once it is written. Raise OSError, with nothing written."""
        happened: Event = {"at": self._now(), "event": event, **fields}
        line = orjson.dumps(happened) + b"\n"
        count = os.write(self._file, line)
        if count < len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - count)
            raise OSError(f"{self.path} takes no more")
        return happened

    def close(self) -> None:
        os.close(self._file)


def _claim(file: int, path: Path) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  # Windows has none

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogInUseError(f"{path} is in use: every vendor needs a data folder of its own") from None


def _drop_torn_line(file: int) -> None:
    """Forget a last line that a kill cut short: what it announced did not happen."""
    size = end = os.fstat(file).st_size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        os.lseek(file, start, os.SEEK_SET)
        found = os.read(file, end - start).rfind(b"\n") + 1
        if found:
            end = start + found
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
