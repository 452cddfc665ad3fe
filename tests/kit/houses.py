"""A store with one account that subscribes to its films, and deliverers over it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from filmgate.domain import ids
from filmgate.domain.states import State
from filmgate.domain.task import Owner, Task
from filmgate.engine.deliver import Deliverer, Messenger
from filmgate.engine.subscribe import Keyring, Subscriptions
from filmgate.net.dial import GuardedDial
from filmgate.net.guard import Guard, GuardRules, allowed_pairs
from filmgate.net.post import GuardedPost
from filmgate.seal import Seal
from filmgate.store.announce import announce
from filmgate.store.deliveries import Deliveries
from filmgate.store.delivery_log import Delivery, DeliveryLog, Wanted
from filmgate.store.endpoints import Endpoint, Endpoints
from filmgate.store.keys import Keys
from filmgate.store.pool import Pool
from filmgate.store.work import Boot
from filmgate.world import SystemChance, SystemClock
from kit.films import film_request, task
from kit.receivers import Receiver

FAST = [timedelta(milliseconds=50)] * 3
EVENTS = ["video.completed", "video.failed"]


@dataclass
class Telemetry:
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    late: asyncio.Event = field(default_factory=asyncio.Event)

    def event(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))
        if event == "delivery.late":
            self.late.set()

    def told(self, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)


async def nobody(host: str) -> Sequence[str]:
    """Know one name, which leads to an address of this machine."""
    return ["127.0.0.1"] if host == "hooks.example.org" else []


@dataclass
class House:
    """A store with one account, what it subscribes to, and deliverers over it."""

    pool: Pool
    owner: Owner
    subscriptions: Subscriptions
    telemetry: Telemetry
    running: list[tuple[Deliverer, "asyncio.Task[None]"]] = field(default_factory=list)

    async def endpoint(self, url: str, events: list[str] = EVENTS) -> tuple[Endpoint, str]:
        return await self.subscriptions.create(self.owner, name="n", url=url, events=events)

    def messenger(self, **said: Any) -> Messenger:
        boot = Boot(*(UUID(bytes=SystemChance().bytes(16)) for _ in range(3)))
        given: dict[str, Any] = {
            "deliveries": Deliveries(self.pool, boot),
            "keyring": self.subscriptions.keyring,
            "post": self.subscriptions.post,
            "clock": SystemClock(),
            "chance": SystemChance(),
            "telemetry": self.telemetry,
            "wake": asyncio.Event(),
            "schedule": FAST,
        }
        return Messenger(**(given | said))

    def start(self, **said: Any) -> Deliverer:
        def outage(error: Exception) -> None:
            self.telemetry.event("outage", error=error)

        deliverer = Deliverer(self.messenger(**said), outage)
        self.running.append((deliverer, asyncio.create_task(deliverer.run())))
        return deliverer

    async def end(self, *films: Task, state: State = State.SUCCEEDED) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await announce(connection, [(one, state) for one in films])

    def film(self, **asked: Any) -> Task:
        id_ = ids.uuid7(datetime.now(UTC), SystemChance())
        request = film_request("a boat", **asked)
        return task(f"video_{id_.hex}", id=id_, account_id=self.owner.account_id, request=request)

    async def over(self, number: int = 1, within_s: float = 20.0) -> list[Delivery]:
        """Wait until that many deliveries are over; give all."""
        async with asyncio.timeout(within_s):
            while True:
                found, _ = await DeliveryLog(self.pool).page(Wanted(account_id=None), 100)
                if sum(one.state != "due" for one in found) >= number:
                    return list(found)
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_house(pool: Pool, receiver: Receiver) -> AsyncIterator[House]:
    """Make a house whose guard lets that receiver pass."""
    keys = Keys(pool, [b"pepper"])
    await keys.create("sk-x", name="x", account="x")
    owner = await keys.owner("sk-x")
    assert owner is not None
    rules = GuardRules(allow=allowed_pairs(receiver.origin), https_only=True)
    guard = Guard(rules, nobody)
    endpoints = Endpoints(pool)
    keyring = Keyring(endpoints, Seal([b"k" * 32], SystemChance()), SystemClock(), SystemChance())
    subscriptions = Subscriptions(
        endpoints, keyring, guard, GuardedPost(GuardedDial(guard)), SystemClock(), SystemChance()
    )
    house = House(pool, owner, subscriptions, Telemetry())
    try:
        yield house
    finally:
        for deliverer, running in house.running:
            await deliverer.stop()
            await running
