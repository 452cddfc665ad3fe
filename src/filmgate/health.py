"""What `/readyz` and `/metrics` say: how this process is, and what the whole gate has done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import asyncpg

from filmgate.domain.clock import Chance, Clock
from filmgate.domain.ids import uuid7
from filmgate.engine.beside import alongside
from filmgate.metrics import Gauges, Labels, exposition
from filmgate.objects.watch import WatchedStore
from filmgate.store.counts import KeptCounts
from filmgate.store.gauges import Standings
from filmgate.store.patience import STORE_FAULTS
from filmgate.store.pool import Pool
from filmgate.telemetry import Telemetry

_STILL_S: Final = 15.0
_KEEP_EVERY_S: Final = 10.0
_LIVE_S: Final = 2.0
_BOOKS_LIVE_S: Final = 60.0
_READ_WITHIN_S: Final = 8.0

Values = dict[str, dict[Labels, float]]


class Heart(Protocol):
    """An engine of this process."""

    @property
    def heartbeat(self) -> float: ...


@dataclass(slots=True)
class Measures:
    """Keeps what this process counts, and reads what all of them have counted."""

    telemetry: Telemetry
    kept: KeptCounts
    standings: Standings
    objects: WatchedStore
    clock: Clock
    chance: Chance
    _text: tuple[bytes, str] = (b"", "")
    _text_until: float = -1.0
    _books: Values = field(default_factory=dict)
    _books_until: float = -1.0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def keep(self) -> None:
        await self.kept.keep(self.telemetry.tally.counts(), uuid7(self.clock.now(), self.chance))

    async def text(self) -> tuple[bytes, str]:
        """Write everything for Prometheus; while the database is away, that alone: half a sum would be a lie."""
        async with self._reading:
            if self.clock.monotonic() > self._text_until:
                try:
                    async with asyncio.timeout(_READ_WITHIN_S):
                        self._text = await self._read()
                except STORE_FAULTS:
                    self._text = exposition({}, {"filmgate_store_up": {(): 0.0}})
                self._text_until = self.clock.monotonic() + _LIVE_S
        return self._text

    async def _read(self) -> tuple[bytes, str]:
        await self.keep()
        if self.clock.monotonic() > self._books_until:
            # Where there is more than can be looked at in the time, what was read last stays.
            with suppress(asyncpg.QueryCanceledError, TimeoutError):
                self._books = await self.standings.books()
            self._books_until = self.clock.monotonic() + _BOOKS_LIVE_S
        gauges: Gauges = {
            **await self.standings.now(),
            **self._books,
            "filmgate_store_up": {(): 1.0},
            "filmgate_storage_up": {(): float(self.objects.failing is None)},
        }
        return exposition(await self.kept.all(), gauges)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Keep the counts now and then, and once more at the end."""
        try:
            async with alongside(self._keep_on()):
                yield
        finally:
            with suppress(*STORE_FAULTS):
                async with asyncio.timeout(_LIVE_S):
                    await self.keep()

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_EVERY_S)
            with suppress(*STORE_FAULTS):
                await self.keep()
                await self.kept.bury()


@dataclass(frozen=True, slots=True)
class Health:
    pool: Pool
    worker: Heart | None
    """The engine of this process, where it has one."""
    clock: Clock
    measures: Measures

    async def ready(self) -> dict[str, str]:
        """Name each part that does not do its work, and why; empty when all do."""
        if self.worker is not None and self.clock.monotonic() - self.worker.heartbeat > _STILL_S:
            return {"engine": "has not looked for work for a while"}
        try:
            await self.pool.fetchval("select 1")
        except Exception as error:  # noqa: BLE001  # whatever keeps the store away is the answer
            return {"store": f"does not answer: {type(error).__name__}"}
        failing = self.measures.objects.failing
        return {} if failing is None else {"objects": f"{failing.said}. {failing.way_out}"}

    async def metrics(self) -> tuple[bytes, str]:
        return await self.measures.text()
