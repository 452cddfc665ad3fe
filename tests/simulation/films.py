"""Films that are a few bytes, where they are stored, and a workshop that knows them by their first and last ones."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filmgate.domain.faults import StorageFault
from filmgate.domain.film import FilmFacts
from filmgate.media.findings import CheckedPicture, Inspection, NotAFilm, TruncatedFilm
from kit.logs import digest

HEAD: Final = b"\0\0\0\x18ftypisom"
INDEX_LAST: Final = b"mdat"
TAIL: Final = b"moov!"


def film(what: str, *, index_first: bool = True) -> bytes:
    """Make the bytes of a film, unlike those of any other."""
    return HEAD + (b"" if index_first else INDEX_LAST) + what.encode() + TAIL


@dataclass(frozen=True, slots=True)
class Stored:
    key: str
    size_bytes: int
    sha256: bytes


@dataclass
class Shelf:
    """An object store that outlives every process, and fails by dice while `faulty`."""

    dice: random.Random
    content: dict[str, bytes] = field(default_factory=dict)
    faulty: float = 0.0

    async def put_file(self, key: str, path: Path) -> Stored:
        return await self.put_bytes(key, _read(path))

    async def put_bytes(self, key: str, content: bytes) -> Stored:
        self._fail(key)
        self.content[key] = content
        # It may be stored and nobody hears of it.
        self._fail(key)
        return Stored(key, len(content), bytes.fromhex(digest(content)))

    async def delete(self, key: str) -> None:
        self._fail(key)
        self.content.pop(key, None)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        self._fail(key)
        if key not in self.content:
            raise StorageFault(f"{key} is not there")
        yield self.content[key]

    def _fail(self, key: str) -> None:
        if self.faulty and self.dice.random() < self.faulty:
            raise StorageFault(f"{key} cannot be had now")


@dataclass(frozen=True, slots=True)
class Workbench:
    """Looks at films as the workshop does, in simulated time."""

    takes_s: Callable[[], float]

    async def inspect(self, path: Path) -> Inspection:
        await asyncio.sleep(self.takes_s())
        content = _read(path)
        if not content.startswith(HEAD):
            raise NotAFilm("it does not begin as a film does")
        if not content.endswith(TAIL):
            raise TruncatedFilm("it ends too early")
        first = not content.startswith(HEAD + INDEX_LAST)
        facts = FilmFacts(
            "h264", 1280, 720, 24.0, 96, 4.0, "aac", 48000, len(content), faststart=first
        )  # fmt: skip
        return Inspection(facts, b"webp", b"jpeg", b"sheet", b"strip")

    async def faststart(self, path: Path, into: Path) -> bool:
        _write(into, HEAD + _read(path).removeprefix(HEAD + INDEX_LAST))
        return True

    async def join(self, clips: Sequence[Path], into: Path) -> bool:
        await asyncio.sleep(self.takes_s())
        _write(into, HEAD + b"|".join(_read(clip) for clip in clips) + TAIL)
        return True

    async def scale(self, path: Path, into: Path, width: int, height: int) -> None:
        _write(into, HEAD + f"{width}x{height}:".encode() + _read(path) + TAIL)

    async def last_frame(self, path: Path) -> CheckedPicture:
        return CheckedPicture(1280, 720, "image/png", digest(_read(path)).encode())


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
