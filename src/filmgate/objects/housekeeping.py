"""Removes what nobody needs: objects without a row, and what killed writers left, after a day; hourly, by one machine."""

import asyncio
from datetime import timedelta
from typing import Final, Protocol

from filmgate.domain.clock import Clock
from filmgate.domain.limits import (
    ORPHAN_AGE,
    ORPHAN_LOOK_EVERY,
    ORPHAN_SWEEP_EVERY,
    ORPHANS_AT_ONCE,
    ORPHANS_SHARE,
    SHIPMENT_MEMORY,
)
from filmgate.objects.checkup import FOLDER
from filmgate.objects.faults import ObjectStoreError
from filmgate.objects.orphans import find_orphans, remove_orphans
from filmgate.objects.store import ObjectStore
from filmgate.store.notices import Notices
from filmgate.store.patience import AWAY
from filmgate.store.stock import Stock

CHORE: Final = "orphans"
FILMS: Final = "tasks"
_ALARM_EVERY: Final = timedelta(days=1)
_PREFIXES: Final = (FILMS, "uploads", FOLDER)
_RESTORED: Final = (
    "{count} of {total} objects under {prefix}/ have no row, too many to be leftovers: none was removed. "
    "If an older database was restored, keep it so; `filmgate doctor` lists the differences"
)


class SweepTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def swept(self, prefix: str, count: int) -> None:
        """Count objects that were removed."""
        ...


class Housekeeper:
    """Runs beside an engine; several need no election."""

    def __init__(
        self,
        store: ObjectStore,
        stock: Stock,
        notices: Notices,
        clock: Clock,
        telemetry: SweepTelemetry,
        most: int = ORPHANS_AT_ONCE,
    ) -> None:
        self._store = store
        self._stock = stock
        self._notices = notices
        self._clock = clock
        self._telemetry = telemetry
        self._most = most
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Look every minute whether it is time, and whether it is this machine's turn."""
        self._running = asyncio.current_task()
        while True:
            try:
                if await self._stock.turn(CHORE, ORPHAN_SWEEP_EVERY):
                    await self.sweep()
            except AWAY as error:
                self._telemetry.event("orphans.waiting", reason=type(error).__name__)
            except Exception as error:  # noqa: BLE001  # a sweep that fails must not end those to come
                self._telemetry.event("orphans.broken", error=error, reason=str(error))
            await asyncio.sleep(ORPHAN_LOOK_EVERY.total_seconds())

    async def stop(self) -> None:
        """Stop at once: what was not looked at is looked at in the next sweep."""
        if self._running is not None:
            self._running.cancel()

    async def sweep(self) -> None:
        """Remove all of it once; where the store fails, the rest stays for the next time."""
        await self._stock.forget_shipments(SHIPMENT_MEMORY)
        before = self._clock.now() - ORPHAN_AGE
        try:
            for prefix in _PREFIXES:
                await self._sweep_prefix(prefix)
            left = await self._store.sweep(before)
        except ObjectStoreError as error:
            self._telemetry.event("orphans.waiting", reason=str(error), part="objects")
            return
        if left:
            self._telemetry.swept("unfinished", left)
            self._telemetry.event("orphans.removed", part="unfinished", files=left)

    async def _sweep_prefix(self, prefix: str) -> None:
        before = self._clock.now() - ORPHAN_AGE
        found = await find_orphans(self._store, prefix, before, self._stock.known)
        if prefix == FILMS and found.count > max(self._most, found.total * ORPHANS_SHARE):
            text = _RESTORED.format(count=found.count, total=found.total, prefix=prefix)
            self._telemetry.event("orphans.too_many", part=prefix, count=found.count, reason=text)
            await self._notices.alarm("orphans", text, every=_ALARM_EVERY)
            return
        removed = await remove_orphans(self._store, found.keys, before, self._stock.known)
        if removed:
            self._telemetry.swept(prefix, len(removed))
            self._telemetry.event("orphans.removed", part=prefix, files=len(removed))
