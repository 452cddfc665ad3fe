"""The vendor's log: what it did, a JSON object a line, on disk before it happens."""

import asyncio
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

Event: TypeAlias = dict[str, object]

_OWN_ONLY: Final = 0o600


class Log:
    """Only ever appended to. Events are written in the order in which `write` was called."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._now = now
        self.past = _read(path)
        """What the log held when it was opened."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWN_ONLY)
        self._writer = ThreadPoolExecutor(1, "mirage-log")

    async def write(self, event: str, **fields: object) -> Event:
        """Give the event back once it is on disk."""
        written: Event = {"at": self._now(), "event": event, **fields}
        line = json.dumps(written, ensure_ascii=False).encode() + b"\n"
        await asyncio.get_running_loop().run_in_executor(self._writer, self._append, line)
        return written

    def close(self) -> None:
        self._writer.shutdown()
        os.close(self._file)

    def _append(self, line: bytes) -> None:
        os.write(self._file, line)
        os.fsync(self._file)


def _read(path: Path) -> list[Event]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        # A kill cut the last line short: what it announced did not happen.
        os.truncate(path, whole)
    return [json.loads(line) for line in content[:whole].splitlines()]
