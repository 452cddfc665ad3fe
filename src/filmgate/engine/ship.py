"""Ship: deliver films into buckets of customers. It has tries of its own, and a film is done whatever becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from filmgate.domain import ids
from filmgate.domain.clock import Chance, Clock
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import (
    IDLE_CLAIM,
    LEASE_RENEWAL,
    SHIPMENT_SECONDS,
    SHIPMENTS_OF_DESTINATION,
    STEP_LEASE,
    SWEEP_EVERY,
    WEBHOOK_SCHEDULE,
)
from filmgate.domain.states import State
from filmgate.domain.task import Film, Task
from filmgate.domain.webhook import next_wait
from filmgate.engine.beside import Consumer, OnOutage
from filmgate.store.patience import AWAY
from filmgate.store.shipments import Arrival, NewShipment, Shipment, Shipments, Whose

SCHEDULE: Final = WEBHOOK_SCHEDULE
MOST_TRIES: Final = len(SCHEDULE) + 1


class Destination(Protocol):
    """A bucket of a customer."""

    @property
    def name(self) -> str: ...
    def admits(self, account: str) -> bool: ...
    def named(self, values: Mapping[str, str]) -> str: ...
    async def deliver_as(self, name: str, key: str, size_bytes: int) -> None:
        """Copy a film of ours under that name; done twice it is the same copy. Raise StorageFault."""
        ...


class ShippingTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def shipped(self, destination: str, outcome: str, seconds: float) -> None:
        """Count a try to deliver a film, and how long it took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """What delivering into buckets needs."""

    destinations: Mapping[str, Destination]
    shipments: Shipments
    clock: Clock
    chance: Chance
    telemetry: ShippingTelemetry
    wake: asyncio.Event
    """Set when something in this process is to be delivered."""

    def admitted(self, account: str) -> list[str]:
        """Name the destinations that an account may use."""
        return sorted(name for name, one in self.destinations.items() if one.admits(account))

    async def admitted_for(self, key_id: int) -> list[str]:
        """Name the destinations that the account of a key may use."""
        whose = await self.shipments.whose(key_id) if self.destinations else None
        return [] if whose is None else self.admitted(whose.account)

    async def of_end(self, task: Task, film: Film | None, state: State) -> NewShipment | None:
        """Say whereto a film goes that has just been made, if anywhere."""
        asked = task.request.deliver_to
        if state is not State.SUCCEEDED or film is None or asked == "" or not (asked or self.destinations):
            return None
        whose = await self.shipments.whose(task.key_id)
        name = asked or (whose.destination if whose else None)
        if name is None or whose is None:
            return None
        new = self.new(task, film, name, whose)
        if new is None:
            self.telemetry.event("shipment.nowhere", task=str(task.id), destination=name)
        return new

    def new(self, task: Task, film: Film, name: str, whose: Whose) -> NewShipment | None:
        """Name a film for a destination; None where there is no such destination for its account."""
        found = self.destinations.get(name)
        if found is None or not found.admits(whose.account):
            return None
        now = self.clock.now()
        named = found.named(
            {
                "account": whose.account,
                "date": f"{now:%Y-%m-%d}",
                "id": str(task.id),
                "key": whose.key,
                "model": task.request.model,
                "name": task.name,
            }
        )
        return NewShipment(
            id=ids.uuid7(now, self.chance), destination=name, name=named, file_id=film.files["video"]
        )


async def ship(shipping: Shipping, shipment: Shipment) -> None:
    """Try once, and write what became of it: done, another try later, or given up."""
    began = shipping.clock.monotonic()
    try:
        async with asyncio.timeout(SHIPMENT_SECONDS):
            arrival = await _tried(shipping, shipment)
    except TimeoutError:
        error = f"it was not there after {SHIPMENT_SECONDS:.0f} s"
        arrival = _failed(shipping, shipment, "slow", error)
    await failpoint("ship.after_copy")
    if not await shipping.shipments.settle(arrival):
        shipping.telemetry.event("shipment.lease_lost", task=str(shipment.task_id))
        return
    word = "retried" if arrival.state == "due" else arrival.state
    known = shipment.destination if shipment.destination in shipping.destinations else "other"
    shipping.telemetry.shipped(known, word, shipping.clock.monotonic() - began)
    shipping.telemetry.event(
        f"shipment.{word}",
        task=str(shipment.task_id),
        destination=shipment.destination,
        tries=shipment.tries + 1,
        error_code=arrival.trouble,
        reason=arrival.error,
    )


async def _tried(shipping: Shipping, shipment: Shipment) -> Arrival:
    destination = shipping.destinations.get(shipment.destination)
    if destination is None:
        error = f"the settings have no destination {shipment.destination}"
        return _failed(shipping, shipment, "no_destination", error)
    renewal = asyncio.create_task(_renew(shipping, shipment))
    try:
        await destination.deliver_as(shipment.name, shipment.object_key, shipment.size_bytes)
    except StorageFault as error:
        if error.absent and not await shipping.shipments.kept(shipment):
            text = "the film is not kept any more"
            return Arrival(shipment=shipment, delivered=False, trouble="absent", error=text)
        return _failed(shipping, shipment, error.kind, str(error))
    except OSError as error:
        # A film of a folder that cannot be read, say: that is a try as well.
        return _failed(shipping, shipment, "broken", str(error) or type(error).__name__)
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)
    return Arrival(shipment=shipment, delivered=True)


def _failed(shipping: Shipping, shipment: Shipment, trouble: str, error: str) -> Arrival:
    wait = next_wait(SCHEDULE, shipment.tries + 1, None, shipping.chance)
    return Arrival(shipment=shipment, delivered=False, wait=wait, trouble=trouble, error=error)


async def _renew(shipping: Shipping, shipment: Shipment) -> None:
    while True:
        await asyncio.sleep(LEASE_RENEWAL.total_seconds())
        try:
            if not await shipping.shipments.renew(shipment, STEP_LEASE):
                # Another copies it by now: the same bytes under the same name.
                return
        except AWAY:
            continue


class Shipper(Consumer[Shipment]):
    """Delivers films into buckets beside the steps of an engine."""

    def __init__(self, shipping: Shipping, on_outage: OnOutage) -> None:
        super().__init__(shipping.wake, shipping.chance, on_outage)
        self._shipping = shipping
        # Without destinations only what was due when they were taken out of the settings can come.
        self.idle = IDLE_CLAIM if shipping.destinations else SWEEP_EVERY

    async def begin(self) -> None:
        await self._shipping.shipments.begin()

    async def claim(self, in_hand: int) -> Sequence[Shipment]:
        del in_hand  # A destination has its own number.
        names = sorted(self._shipping.destinations)
        return await self._shipping.shipments.claim(names, SHIPMENTS_OF_DESTINATION, STEP_LEASE)

    async def consume(self, item: Shipment) -> None:
        await ship(self._shipping, item)

    def broken(self, item: Shipment, error: Exception) -> None:
        self._shipping.telemetry.event(
            "shipment.broken", task=str(item.task_id), error=error, reason=type(error).__name__
        )
