"""Where films and pictures lie: a local folder, or a bucket by its address."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import CONTENT_CHUNK, MIB
from filmgate.objects.durable import Sync, sync_folder, write_durably
from filmgate.objects.keys import checked_key, checked_prefix

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore as Backend

# No key begins with a dot, so nothing in here can be taken for an object.
TEMPORARY: Final = ".temporary"
READ_BYTES: Final = MIB


class ObjectStoreError(StorageFault):
    """The store could not do it this time; its `__cause__` says why."""


class NoSuchObjectError(ObjectStoreError):
    pass


@dataclass(frozen=True, slots=True)
class Stored:
    key: str
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    size_bytes: int
    modified_at: datetime


def open_store(place: str | Path, sync: Sync = os.fsync) -> "ObjectStore":
    """Open a folder, which is made where it is missing, or a bucket: s3://, gs://, az://, or memory:///."""
    url = urlsplit(str(place))
    if isinstance(place, Path) or not url.scheme:
        return _open_folder(Path(place), sync)
    if url.scheme == "file":
        return _open_folder(Path(unquote(url.path)), sync)
    try:
        return ObjectStore(from_url(str(place)), None)
    except (BaseError, ValueError) as error:
        text = f"a {url.scheme}:// store cannot be opened there: {_first_line(error)}"
        raise ObjectStoreError(text) from error


class ObjectStore:
    """Every method may raise ObjectStoreError; an object is always seen whole or not at all."""

    def __init__(self, backend: "Backend", root: Path | None, sync: Sync = os.fsync) -> None:
        self._backend = backend
        self._root = root
        self._sync = sync

    async def put_file(self, key: str, path: Path) -> Stored:
        """Store a copy of the file. On return it survives a loss of power."""
        checked_key(key)
        if self._root is not None:
            return await self._write(self._root, key, _chunks(path))
        size_bytes, sha256 = await asyncio.to_thread(_digest, path)
        with _translated(key):
            await obstore.put_async(self._backend, key, path)
        return await self._verified(Stored(key, size_bytes, sha256))

    async def put_bytes(self, key: str, content: bytes) -> Stored:
        """As put_file, for what is small."""
        checked_key(key)
        if self._root is not None:
            return await self._write(self._root, key, [content])
        with _translated(key):
            await obstore.put_async(self._backend, key, content)
        return await self._verified(Stored(key, len(content), hashlib.sha256(content).digest()))

    async def delete(self, key: str) -> None:
        """Remove the object; one that is not there is removed already."""
        with _translated(key):
            try:
                await obstore.delete_async(self._backend, checked_key(key))
            except FileNotFoundError:
                return

    async def size(self, key: str) -> int:
        """Give its size in bytes, or raise NoSuchObjectError."""
        with _translated(key):
            return (await obstore.head_async(self._backend, checked_key(key)))["size"]

    def local_path(self, key: str) -> Path | None:
        """Give where its file lies, if it is there, or None where objects are no files of this machine."""
        return None if self._root is None else self._root / checked_key(key)

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, chunk: int = CONTENT_CHUNK
    ) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to but not including `end`, in pieces of about `chunk` bytes."""
        if end is not None and end <= start:
            return
        with _translated(key):
            part: GetOptions = {"range": {"offset": start} if end is None else (start, end)}
            found = await obstore.get_async(self._backend, checked_key(key), options=part)
            async for piece in found.stream(min_chunk_size=chunk):
                yield bytes(piece)

    async def list(self, prefix: str = "") -> AsyncIterator[Listed]:
        """Give the objects whose keys begin with whole parts of `prefix`, in no order."""
        with _translated(prefix):
            async for batch in obstore.list(self._backend, checked_prefix(prefix) or None, chunk_size=500):
                for meta in batch:
                    if not meta["path"].startswith(TEMPORARY):
                        yield Listed(meta["path"], meta["size"], meta["last_modified"])

    async def sweep(self, before: datetime) -> int:
        """Remove what killed writers left before that time; tell how many files."""
        return (
            0
            if self._root is None
            else await asyncio.to_thread(_sweep, self._root / TEMPORARY, before.timestamp())
        )

    async def _write(self, root: Path, key: str, chunks: Iterable[bytes]) -> Stored:
        target, temporary = root / key, root / TEMPORARY
        try:
            written = await asyncio.to_thread(write_durably, chunks, target, root, temporary, self._sync)
        except OSError as error:
            raise ObjectStoreError(f"{key} cannot be stored: {error}") from error
        return Stored(key, written.size_bytes, written.sha256)

    async def _verified(self, stored: Stored) -> Stored:
        if (size_bytes := await self.size(stored.key)) != stored.size_bytes:
            text = f"{stored.key} has {size_bytes} bytes in the store, {stored.size_bytes} were sent"
            raise ObjectStoreError(text)
        return stored


def _open_folder(folder: Path, sync: Sync) -> ObjectStore:
    root = folder.absolute()
    try:
        _make(root / TEMPORARY, sync)
    except OSError as error:
        raise ObjectStoreError(f"the folder {root} cannot be used: {error}") from error
    return ObjectStore(LocalStore(root, automatic_cleanup=True), root, sync)


def _make(folder: Path, sync: Sync) -> None:
    if not folder.is_dir():
        _make(folder.parent, sync)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent, sync)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            yield chunk


def _digest(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.digest()


def _sweep(temporary: Path, before: float) -> int:
    removed = 0
    for path in temporary.iterdir():
        # Its writer may finish, or another sweep remove it, at any moment.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NoSuchObjectError(f"there is no object {key}") from error
    except (BaseError, OSError) as error:
        raise ObjectStoreError(f"{key}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
