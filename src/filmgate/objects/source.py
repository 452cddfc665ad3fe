"""What is uploaded: bytes that can be read again from any place."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _hashlib import HASH


class Source(Protocol):
    @property
    def size_bytes(self) -> int: ...

    async def read(self, start: int, end: int) -> bytes:
        """Give exactly these bytes, or raise."""
        ...


def file_source(path: Path) -> "FileSource":
    """Take a file as it is now; raise OSError where there is none."""
    return FileSource(path, path.stat().st_size)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that nobody changes meanwhile."""

    path: Path
    size_bytes: int

    async def read(self, start: int, end: int) -> bytes:
        return await asyncio.to_thread(self._read, start, end)

    def _read(self, start: int, end: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            content = file.read(end - start)
        if len(content) != end - start:
            raise OSError(f"{self.path.name} became shorter while it was read")
        return content


@dataclass(frozen=True, slots=True)
class BytesSource:
    content: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    async def read(self, start: int, end: int) -> bytes:
        return self.content[start:end]


@dataclass(frozen=True, slots=True)
class Sent:
    """What went up; where the store `acknowledged` it by the same `etag`, it has the same bytes."""

    size_bytes: int
    sha256: bytes
    etag: str
    acknowledged: str


@dataclass(slots=True)
class Digests:
    """The digests of what passes, taken on threads, in order."""

    whole: "HASH" = field(default_factory=hashlib.sha256)
    parts: list[bytes] = field(default_factory=list)
    size_bytes: int = 0

    async def take(self, part: bytes) -> bytes:
        """Note the next part, and give its MD5, which stores check."""
        self.size_bytes += len(part)
        await asyncio.to_thread(self.whole.update, part)
        digest = await asyncio.to_thread(md5, part)
        self.parts.append(digest)
        return digest

    def sent(self, acknowledged: str, *, in_parts: bool) -> Sent:
        etag = f"{md5(b''.join(self.parts)).hex()}-{len(self.parts)}" if in_parts else self.parts[0].hex()
        return Sent(self.size_bytes, self.whole.digest(), etag, acknowledged)


def md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def spans(size_bytes: int, part_bytes: int) -> Iterator[tuple[int, int]]:
    """Cut a length into parts; nothing is one empty part."""
    for start in range(0, max(size_bytes, 1), part_bytes):
        yield start, min(start + part_bytes, size_bytes)
