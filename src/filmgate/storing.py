"""The parts that keep films, and bring them to their customers' own buckets, put together for one process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from filmgate.domain.clock import Chance, Clock
from filmgate.engine.beside import Beside, logged
from filmgate.engine.ship import Shipper, Shipping
from filmgate.objects.checkup import Finding, check, clock_skew, finding, new_mark, slow
from filmgate.objects.depot import Depot
from filmgate.objects.destinations import BadDestinationError, Destinations, Place, open_destinations
from filmgate.objects.faults import ObjectStoreError
from filmgate.objects.housekeeping import Housekeeper
from filmgate.objects.store import ObjectStore, open_store
from filmgate.objects.watch import WatchedStore
from filmgate.settings import BadSettingsError, DestinationTable, Settings, secret_of
from filmgate.store.notices import Notices
from filmgate.store.pool import Pool
from filmgate.store.shipments import Shipments
from filmgate.store.stock import Stock
from filmgate.store.work import Boot
from filmgate.telemetry import Telemetry

_LOOK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    place: str
    watched: WatchedStore
    destinations: Destinations
    clock: Clock
    chance: Chance
    telemetry: Telemetry
    pool: Pool
    """The engine's, whose statements may take long."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def opened(
        cls, settings: Settings, clock: Clock, chance: Chance, telemetry: Telemetry, pool: Pool
    ) -> "Storing":
        """Open the store and all destinations; none of them is asked yet. Raise BadSettingsError."""
        store = _open(settings, clock)
        try:
            destinations = open_destinations(store, _places(settings.destinations), clock)
        except BadDestinationError as error:
            raise BadSettingsError(str(error)) from None
        return cls(
            place=_shown(settings),
            watched=WatchedStore(store, telemetry, chance),
            destinations=destinations,
            clock=clock,
            chance=chance,
            telemetry=telemetry,
            pool=pool,
        )

    async def close(self) -> None:
        await self.destinations.close()
        await self.watched.close()

    def shipping(self, pool: Pool, boot: Boot) -> Shipping:
        return Shipping(
            destinations=self.destinations,
            shipments=Shipments(pool, boot),
            clock=self.clock,
            chance=self.chance,
            telemetry=self.telemetry,
            wake=self.wake,
        )

    def beside(self, boot: Boot) -> list[Beside]:
        """Give what goes on beside an engine."""
        shipping = self.shipping(self.pool, boot)
        return [
            Shipper(shipping, logged(self.telemetry, "shipments.waiting")),
            Housekeeper(self.watched.store, Stock(self.pool), Notices(self.pool), self.clock, self.telemetry),
        ]

    def depot(self) -> Depot:
        return Depot(
            place=self.place,
            watched=self.watched,
            stock=Stock(self.pool),
            destinations=self.destinations,
            clock=self.clock,
        )


async def look_at_store(settings: Settings, clock: Clock, chance: Chance) -> Finding | None:
    """Try where films are kept once; raise BadSettingsError for what no later try can mend."""
    async with _at_hand(settings, clock) as store:
        return await _tried(store, chance)


def tell_of_store(settings: Settings, clock: Clock, chance: Chance, tell: Callable[[str], None]) -> None:
    """Say at once what keeps films from being stored; it may pass, so that the gate starts all the same."""
    found = asyncio.run(look_at_store(settings, clock, chance))
    if found is not None:
        tell(f"films cannot be stored now ({found.step}): {found.said}. {found.way_out}")


async def look_closely(settings: Settings, clock: Clock, chance: Chance) -> tuple[Finding | None, timedelta]:
    """As look_at_store; say also by how much the clock of a bucket is ahead."""
    async with _at_hand(settings, clock) as store:
        found = await _tried(store, chance)
        if found is not None or not urlsplit(settings.objects_url or "").scheme:
            return found, timedelta()
        try:
            async with asyncio.timeout(_LOOK_S):
                return None, await clock_skew(store, new_mark(chance), clock)
        except ObjectStoreError as error:
            return finding("read", error), timedelta()
        except TimeoutError:
            return slow("read"), timedelta()


@asynccontextmanager
async def _at_hand(settings: Settings, clock: Clock) -> AsyncIterator[ObjectStore]:
    """Open where films are kept for one look; raise BadSettingsError also for what a destination has wrong."""
    store = _open(settings, clock)
    try:
        open_destinations(store, _places(settings.destinations), clock)
        yield store
    except BadDestinationError as error:
        raise BadSettingsError(str(error)) from None
    finally:
        await store.close()


async def _tried(store: ObjectStore, chance: Chance) -> Finding | None:
    try:
        async with asyncio.timeout(_LOOK_S):
            return await check(store, new_mark(chance))
    except TimeoutError:
        return slow("write")


def _open(settings: Settings, clock: Clock) -> ObjectStore:
    try:
        return open_store(settings.objects_url or settings.data / "objects", clock=clock)
    except ObjectStoreError as error:
        raise BadSettingsError(f"objects_url: {error}") from None


def _shown(settings: Settings) -> str:
    url = settings.objects_url
    return url if url is not None and urlsplit(url).scheme else str(Path(url or settings.data / "objects"))


def _places(tables: Iterable[DestinationTable]) -> list[Place]:
    return [
        Place(
            name=table.name,
            url=table.url,
            path=table.path,
            options={
                **table.options,
                **({"endpoint": table.endpoint} if table.endpoint else {}),
                **({"region": table.region} if table.region else {}),
                **{name: secret_of(reference) for name, reference in table.credentials.items()},
            },
            accounts=table.accounts,
        )
        for table in tables
    ]
