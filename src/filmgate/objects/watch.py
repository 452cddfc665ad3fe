"""The gate's own objects, watched: whether films can be kept is known before somebody pays for one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from filmgate.domain.clock import Chance
from filmgate.domain.limits import (
    CONTENT_CHUNK,
    ROOM_BYTES,
    STORE_LOOK_EVERY,
    STORE_PROBE_EVERY,
    STORE_PROBE_SECONDS,
    STORE_START_SECONDS,
)
from filmgate.objects.checkup import Finding, check, finding, new_mark, slow
from filmgate.objects.faults import ObjectStoreError, Trouble
from filmgate.objects.store import ObjectStore, Stored

# What says something of one object, and nothing of the store.
_OF_ONE: Final = frozenset({Trouble.ABSENT, Trouble.TAKEN})
_STEPS: Final = ("write", "read", "delete")


class StoreTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def store_failed(self, trouble: str) -> None:
        """Count a failure of the store."""
        ...


class WatchedStore:
    """What the gate does with its objects; after a failure the store is tried until it is well again."""

    def __init__(
        self, store: ObjectStore, telemetry: StoreTelemetry, chance: Chance, room_bytes: int = ROOM_BYTES
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        # One of its own for each process: what cannot be removed is at least replaced.
        self._mark = new_mark(chance)
        self._room_bytes = room_bytes
        self._doubt = asyncio.Event()
        self._found: Finding | None = None
        self._told: Finding | None = None
        self._watching: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Look for the first time, and go on looking whenever something fails."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STORE_START_SECONDS):
                await self._look()
        if self._found is None:
            self._doubt.clear()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._store.close()

    @property
    def failing(self) -> Finding | None:
        """What keeps films from being stored; None where they are, as far as is known."""
        return self._found or self._crowded()

    @property
    def full(self) -> bool:
        found = self.failing
        return found is not None and found.trouble is Trouble.FULL

    @property
    def store(self) -> ObjectStore:
        """The store itself, for whoever looks at it from outside."""
        return self._store

    async def put_file(self, key: str, path: Path) -> Stored:
        with self._noting():
            return await self._store.put_file(key, path)

    async def put_bytes(self, key: str, content: bytes) -> Stored:
        with self._noting():
            return await self._store.put_bytes(key, content)

    async def delete(self, key: str) -> None:
        with self._noting():
            await self._store.delete(key)

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, chunk: int = CONTENT_CHUNK
    ) -> AsyncIterator[bytes]:
        # Its reader may take as long as he likes.
        with self._noting(brief=False):
            async for piece in self._store.stream(key, start, end, chunk):
                yield piece

    def local_path(self, key: str) -> Path | None:
        return self._store.local_path(key)

    async def signed_url(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        with self._noting():
            return await self._store.signed_url(key, expires, filename, content_type)

    @contextmanager
    def _noting(self, *, brief: bool = True) -> Iterator[None]:
        # Long before a request to a store that hangs is given up, the store itself is asked.
        late = asyncio.get_running_loop().call_later(STORE_PROBE_SECONDS, self._doubt.set) if brief else None
        try:
            yield
        except ObjectStoreError as error:
            if error.trouble is Trouble.ABSENT:
                self._telemetry.event("object.absent", part="objects", reason=str(error))
            if error.trouble not in _OF_ONE:
                self._telemetry.store_failed(error.trouble.value)
                self._doubt.set()
            raise
        finally:
            if late is not None:
                late.cancel()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(STORE_PROBE_EVERY.total_seconds()):
                    await self._doubt.wait()
            # A process without an engine may store nothing for days, and is asked all the same how the store is.
            if self._doubt.is_set() or loop.time() - looked >= STORE_LOOK_EVERY.total_seconds():
                self._doubt.clear()
                await self._look()
                looked = loop.time()
                await asyncio.sleep(STORE_PROBE_EVERY.total_seconds())
            self._tell()

    async def _look(self) -> None:
        # Until it is well it stays in doubt, also where this look is given up.
        self._doubt.set()
        try:
            async with asyncio.timeout(STORE_PROBE_SECONDS):
                found = await check(self._store, self._mark, _STEPS)
        except TimeoutError:
            found = slow("write")
        # A store in which nothing can be removed keeps films all the same; `doctor` tells of it.
        found = None if found is not None and found.step == "delete" else found
        if found is None:
            self._doubt.clear()
        self._found = found
        self._tell()

    def _tell(self) -> None:
        """Log what keeps films from being stored, once, and once that it is over."""
        before, self._told = self._told, self.failing
        found = self._told
        if found is not None and (before is None or before.trouble is not found.trouble):
            said = f"{found.said}. {found.way_out}"
            self._telemetry.event(
                "store.failing", part="objects", error_code=found.trouble.value, reason=said
            )
        elif found is None and before is not None:
            self._telemetry.event("store.well", part="objects")

    def _crowded(self) -> Finding | None:
        try:
            free = self._store.free_bytes()
        except OSError as error:
            return finding("room", ObjectStoreError(f"the folder cannot be looked at: {error}"))
        if free is None or free >= self._room_bytes:
            return None
        said = f"{free} bytes are free where films are kept, less than {self._room_bytes}"
        return finding("room", ObjectStoreError(said, Trouble.FULL))
