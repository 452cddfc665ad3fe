"""The place where films are kept, as its operators look at it: what is in it, and whether rows say the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from filmgate.domain.clock import Clock
from filmgate.domain.limits import COMPARE_GRACE, COMPARE_SECONDS, COMPARE_SHOWN
from filmgate.objects.destinations import Destinations
from filmgate.objects.watch import WatchedStore
from filmgate.store.stock import Differences, Page, Stock


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs; where `complete` is false the listing was given up, and nothing can be said to be missing."""

    differences: Differences
    complete: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    place: str
    """A folder, or a bucket's address."""
    watched: WatchedStore
    stock: Stock
    destinations: Destinations
    clock: Clock

    async def compare(self) -> Compared:
        """Compare what is there with all rows; repair nothing. Raise StorageFault where it cannot be listed."""
        began, now = self.clock.monotonic(), self.clock.now()
        listing = _Listing(self, began + COMPARE_SECONDS)
        found = await self.stock.differences(
            listing.pages(), began=now, before=now - COMPARE_GRACE, shown=COMPARE_SHOWN
        )
        return Compared(found, listing.complete, self.clock.monotonic() - began)


@dataclass(slots=True)
class _Listing:
    depot: Depot
    until: float
    complete: bool = False

    async def pages(self) -> AsyncIterator[Page]:
        async for page in self.depot.watched.store.pages():
            yield [(one.key, one.size_bytes, one.modified_at) for one in page]
            if self.depot.clock.monotonic() > self.until:
                return
        self.complete = True
