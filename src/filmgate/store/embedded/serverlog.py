"""The server's own log, `postgres.log` in the data folder, and what it says while somebody waits."""

import os
import re
from collections import deque
from pathlib import Path

_NAME = "postgres.log"
_ROTATE_BYTES = 10 * 1024 * 1024
_KEPT_LINES = 20
# What the server answers to whoever asks whether it is ready.
_ECHO = re.compile(r"FATAL:  the database system is (starting up|shutting down|not yet accepting)")


def open_log(data: Path) -> int:
    """Return a descriptor to append to; a log that has grown large becomes `postgres.log.1` first."""
    path = log_path(data)
    if path.exists() and path.stat().st_size > _ROTATE_BYTES:
        path.replace(path.with_name(f"{_NAME}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def log_path(data: Path) -> Path:
    return data / _NAME


class LogTail:
    """Reads what is appended to the log from now on, line by line."""

    def __init__(self, data: Path) -> None:
        self._path = log_path(data)
        self._offset = self._path.stat().st_size
        self._rest = b""
        self.last: deque[str] = deque(maxlen=_KEPT_LINES)

    def new_lines(self) -> list[str]:
        with self._path.open("rb") as log:
            log.seek(self._offset)
            content = log.read()
        self._offset += len(content)
        *whole, self._rest = (self._rest + content).split(b"\n")
        lines = [line.decode("utf-8", "replace") for line in whole]
        news = [line for line in lines if _ECHO.search(line) is None]
        self.last.extend(news)
        return news
