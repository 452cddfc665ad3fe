"""Destinations: buckets of customers, into which their films are delivered."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from filmgate.domain.clock import Clock
from filmgate.objects.checkup import Finding, check
from filmgate.objects.delivery import BadPathError, Delivery, PathTemplate
from filmgate.objects.faults import ObjectStoreError
from filmgate.objects.store import ObjectStore, open_destination

# Whoever writes into a bucket need not be allowed to list it.
_STEPS = ("write", "read", "delete")


class BadDestinationError(Exception):
    """A destination that cannot be meant; the text says which, and what would be right."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the settings say of a destination, with its secrets in hand."""

    name: str
    url: str
    path: str
    options: Mapping[str, str] = field(repr=False)
    """In obstore's names, such as `access_key_id` and `endpoint`."""
    accounts: frozenset[str] = frozenset()
    """Who may use it; everybody where nobody is named."""


@dataclass(frozen=True, slots=True)
class Destination:
    place: Place
    template: PathTemplate
    delivery: Delivery

    @property
    def name(self) -> str:
        return self.place.name

    def admits(self, account: str) -> bool:
        return not self.place.accounts or account in self.place.accounts

    def named(self, values: Mapping[str, str]) -> str:
        """Say what a film is called there, by a value for each field of the path."""
        return self.template.named(values)

    async def deliver_as(self, name: str, key: str, size_bytes: int) -> None:
        """Copy a film of ours under that name; done twice it is the same copy."""
        await self.delivery.deliver_as(name, key, size_bytes)

    async def test(self, mark: bytes) -> Finding | None:
        """Write a small object, read it back and remove it; say what of that cannot be done."""
        return await check(self.delivery.destination, mark, _STEPS)


class Destinations(Mapping[str, Destination]):
    """All that the settings name."""

    def __init__(self, opened: Iterable[Destination]) -> None:
        self._opened = {one.name: one for one in opened}

    def __getitem__(self, name: str) -> Destination:
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)

    async def close(self) -> None:
        for one in self._opened.values():
            await one.delivery.destination.close()


def open_destinations(objects: ObjectStore, places: Iterable[Place], clock: Clock) -> Destinations:
    """Open them without asking any bucket; raise BadDestinationError for one that cannot be meant."""
    opened = []
    for place in places:
        try:
            template = PathTemplate(place.path)
            store = open_destination(place.url, place.options, clock)
        except (BadPathError, ObjectStoreError) as error:
            raise BadDestinationError(f"destinations: `{place.name}`: {error}") from None
        opened.append(Destination(place, template, Delivery(objects, store)))
    return Destinations(opened)
