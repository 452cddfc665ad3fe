"""Where films and pictures lie: a local folder, or a bucket by its address."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from filmgate.domain.clock import Clock
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import CONTENT_CHUNK, MIB, PART_BYTES
from filmgate.objects.buckets import PATIENCE, Bucket, Patience, open_bucket, open_foreign_bucket
from filmgate.objects.durable import Sync, sync_folder, write_durably
from filmgate.objects.faults import (
    NoSuchObjectError,
    ObjectStoreError,
    Trouble,
    meaning,
    told,
    translated,
    unwritten,
)
from filmgate.objects.keys import checked_key, checked_prefix, media_type
from filmgate.objects.multipart import SLOTS, send_in_parts
from filmgate.objects.s3 import S3, RefusalError
from filmgate.objects.source import BytesSource, Digests, Sent, Source, file_source, spans
from filmgate.world import SystemClock

if TYPE_CHECKING:
    from obstore import GetOptions, OffsetRange
    from obstore.store import ObjectStore as Backend

# No key begins with a dot, so nothing in here can be taken for an object.
TEMPORARY: Final = ".temporary"
READ_BYTES: Final = MIB
PAGE_KEYS: Final = 500
_CLOCK: Final = SystemClock()


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


def open_store(
    place: str | Path, sync: Sync = os.fsync, clock: Clock = _CLOCK, patience: Patience = PATIENCE
) -> "ObjectStore":
    """Open a folder, which is made where it is missing, or a bucket: s3://, gs://, az://, or memory:///.

    Nothing is asked of a bucket yet. Raise ObjectStoreError for a place that cannot be meant.
    """
    url = urlsplit(str(place))
    if isinstance(place, Path) or not url.scheme:
        return _open_folder(Path(place), sync)
    if url.scheme == "file":
        return _open_folder(Path(unquote(url.path)), sync)
    return _behind(open_bucket(str(place), patience), clock, patience)


def open_destination(
    place: str,
    options: Mapping[str, str],
    clock: Clock = _CLOCK,
    patience: Patience = PATIENCE,
) -> "ObjectStore":
    """Open a customer's bucket by options of its own, in obstore's names, such as `access_key_id` and `endpoint`."""
    return _behind(open_foreign_bucket(place, options, patience), clock, patience)


class ObjectStore:
    """Every method may raise ObjectStoreError; an object is always seen whole or not at all."""

    def __init__(
        self, backend: "Backend", root: Path | None, sync: Sync = os.fsync, s3: S3 | None = None
    ) -> None:
        self._backend = backend
        self._root = root
        self._sync = sync
        self._s3 = s3
        self._slots = asyncio.Semaphore(SLOTS)

    async def close(self) -> None:
        if self._s3 is not None:
            await self._s3.close()

    async def put_file(self, key: str, path: Path) -> Stored:
        """Store a copy of the file. On return it survives a loss of power, or the bucket has vouched for it."""
        checked_key(key)
        if self._root is not None:
            return await self._write(self._root, key, _chunks(path))
        try:
            source = await asyncio.to_thread(file_source, path)
        except OSError as error:
            raise ObjectStoreError(f"{key} cannot be stored: {error}") from error
        return await self._send(key, source)

    async def put_bytes(self, key: str, content: bytes) -> Stored:
        """As put_file, for what is small."""
        checked_key(key)
        if self._root is not None:
            return await self._write(self._root, key, [content])
        return await self._send(key, BytesSource(content))

    async def put_source(self, key: str, source: Source) -> Stored:
        """As put_file, for what can be read piece by piece from elsewhere; buckets only."""
        return await self._send(checked_key(key), source)

    async def delete(self, key: str) -> None:
        """Remove the object; one that is not there is removed already."""
        with suppress(NoSuchObjectError), translated(checked_key(key)):
            await obstore.delete_async(self._backend, key)

    async def size(self, key: str) -> int:
        """Give its size in bytes, or raise NoSuchObjectError."""
        return (await self.look(key)).size_bytes

    async def look(self, key: str) -> Listed:
        """Give what a listing would say of it, or raise NoSuchObjectError."""
        with translated(checked_key(key)):
            meta = await obstore.head_async(self._backend, key)
        return Listed(key, meta["size"], meta["last_modified"])

    def free_bytes(self) -> int | None:
        """Give how much more the disk of a folder holds, or None where objects lie in a bucket."""
        return None if self._root is None else shutil.disk_usage(self._root).free

    def local_path(self, key: str) -> Path | None:
        """Give where its file lies, if it is there, or None where objects are no files of this machine."""
        return None if self._root is None else self._root / checked_key(key)

    async def signed_url(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        """Give an address that leads a reader straight to the bucket, or None where objects are files.

        Name and type are told by the address where we hold the keys of S3; else by what was said when it was
        stored. The longest is seven days, and no longer than credentials that the machine has by itself.
        """
        checked_key(key)
        if self._s3 is not None:
            shown = {
                "response-content-disposition": _disposition(filename),
                "response-content-type": content_type,
            }
            return self._s3.address(key, shown, expires)
        if not isinstance(self._backend, S3Store | GCSStore | AzureStore):
            return None
        with translated(key):
            return await obstore.sign_async(self._backend, "GET", key, expires)

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, chunk: int = CONTENT_CHUNK
    ) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to but not including `end`, in pieces of about `chunk` bytes."""
        if end is not None and end <= start:
            return
        checked_key(key)
        try:
            # Nothing at all is whole without a range, and with one it is refused.
            part: GetOptions = {} if start == 0 and end is None else {"range": _range(start, end)}
            found = await obstore.get_async(self._backend, key, options=part)
        except BaseError as error:
            if self._s3 is None or "non-partial response" not in str(error):
                raise meaning(key, error) from None
            # Some servers give a part, and say that it is the whole.
            with told(key):
                async for piece in self._s3.stream(key, start, end):
                    yield piece
            return
        except OSError as error:
            raise meaning(key, error) from None
        with translated(key):
            async for piece in found.stream(min_chunk_size=chunk):
                yield bytes(piece)

    async def list(self, prefix: str = "") -> AsyncIterator[Listed]:
        """Give the objects whose keys begin with whole parts of `prefix`, in no order."""
        async for page in self.pages(prefix):
            for listed in page:
                yield listed

    async def pages(self, prefix: str = "") -> AsyncIterator[Sequence[Listed]]:
        """As list, some hundred at a time."""
        with translated(prefix or "the bucket"):
            found = obstore.list(self._backend, checked_prefix(prefix) or None, chunk_size=PAGE_KEYS)
            async for batch in found:
                yield [
                    Listed(meta["path"], meta["size"], meta["last_modified"])
                    for meta in batch
                    if not meta["path"].startswith(TEMPORARY)
                ]

    async def old_keys(self, prefix: str, before: datetime) -> AsyncIterator[Sequence[str]]:
        """Give the keys that were last stored before that time, some hundred at a time."""
        async for page in self.pages(prefix):
            if old := [listed.key for listed in page if listed.modified_at < before]:
                yield old

    async def sweep(self, before: datetime) -> int:
        """Remove what killed writers left before that time: files, or uploads of a bucket; tell how many."""
        if self._root is not None:
            return await asyncio.to_thread(_sweep, self._root / TEMPORARY, before.timestamp())
        removed = 0
        if self._s3 is None:
            return removed
        try:
            async for upload in self._s3.uploads():
                if upload.begun_at < before:
                    await self._s3.abort(upload.key, upload.id)
                    removed += 1
        except RefusalError as error:
            # Some stores say that of a bucket without any upload, some know no such list.
            if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED} or (
                error.trouble is Trouble.NO_BUCKET
            ):
                raise
        return removed

    async def _write(self, root: Path, key: str, chunks: Iterable[bytes]) -> Stored:
        target, temporary = root / key, root / TEMPORARY
        try:
            written = await asyncio.to_thread(write_durably, chunks, target, root, temporary, self._sync)
        except OSError as error:
            raise unwritten(key, error) from error
        return Stored(key, written.size_bytes, written.sha256)

    async def _send(self, key: str, source: Source) -> Stored:
        if source.size_bytes > PART_BYTES and self._s3 is not None:
            try:
                return await self._send_in_parts(self._s3, key, source)
            except NoSuchObjectError:
                # Another writer of the same was just ending the upload that both went on with.
                await failpoint("objects.ended_by_another")
                return await self._send_in_parts(self._s3, key, source)
        digests = Digests()
        small = source.size_bytes <= PART_BYTES
        with translated(key):
            content = await _taken(source, digests) if small else _passing(source, digests)
            put = await obstore.put_async(
                self._backend,
                key,
                content,
                attributes={"Content-Type": media_type(key)},
                use_multipart=not small,
                chunk_size=PART_BYTES,
                max_concurrency=SLOTS,
            )
        return await self._verified(key, digests.sent((put["e_tag"] or "").strip('"'), in_parts=not small))

    async def _send_in_parts(self, s3: S3, key: str, source: Source) -> Stored:
        await failpoint("objects.before_parts")
        with translated(key):
            sent = await self._there(key, source) or await send_in_parts(s3, key, source, self._slots)
        return await self._verified(key, sent)

    async def _verified(self, key: str, sent: Sent) -> Stored:
        await self._verify(key, sent)
        return Stored(key, sent.size_bytes, sent.sha256)

    async def _there(self, key: str, source: Source) -> Sent | None:
        """Know a large object that is there already: whoever stored it died before he could say so."""
        try:
            meta = await obstore.head_async(self._backend, key)
        except (FileNotFoundError, PermissionDeniedError):
            return None
        if meta["size"] != source.size_bytes:
            return None
        digests = Digests()
        async for _ in _passing(source, digests):
            pass
        sent = digests.sent((meta["e_tag"] or "").strip('"'), in_parts=True)
        return sent if sent.acknowledged == sent.etag else None

    async def _verify(self, key: str, sent: Sent) -> None:
        """Make sure that what is there is what was sent, by the store's own checksum or by reading it all."""
        if sent.acknowledged == sent.etag:
            return
        with translated(key):
            meta = await obstore.head_async(self._backend, key)
        if meta["size"] != sent.size_bytes:
            text = f"{key} has {meta['size']} bytes in the store, {sent.size_bytes} were sent"
            raise ObjectStoreError(text, Trouble.CORRUPT)
        if (meta["e_tag"] or "").strip('"') == sent.etag:
            return
        digests = Digests()
        async for piece in self.stream(key):
            await digests.take(piece)
        if digests.whole.digest() != sent.sha256:
            raise ObjectStoreError(f"{key} has other bytes in the store than were sent", Trouble.CORRUPT)


def _behind(bucket: Bucket, clock: Clock, patience: Patience) -> ObjectStore:
    if bucket.signer is None or not isinstance(bucket.backend, S3Store):
        return ObjectStore(bucket.backend, None)
    return ObjectStore(bucket.backend, None, s3=S3(bucket.backend, bucket.signer, clock, patience))


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


async def _taken(source: Source, digests: Digests) -> bytes:
    content = await source.read(0, source.size_bytes)
    await digests.take(content)
    return content


async def _passing(source: Source, digests: Digests) -> AsyncIterator[bytes]:
    for start, end in spans(source.size_bytes, PART_BYTES):
        part = await source.read(start, end)
        await digests.take(part)
        yield part


def _range(start: int, end: int | None) -> "tuple[int, int] | OffsetRange":
    return {"offset": start} if end is None else (start, end)


def _disposition(filename: str) -> str:
    plain = filename.encode("ascii", "replace").decode().translate(str.maketrans('"\\\r\n', "????"))
    return f'inline; filename="{plain}"' + (
        "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    )


def _sweep(temporary: Path, before: float) -> int:
    removed = 0
    for path in temporary.iterdir():
        # Its writer may finish, or another sweep remove it, at any moment.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed
