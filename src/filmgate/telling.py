"""The parts that tell customers what became of their films, put together for one process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from filmgate.domain.clock import Chance, Clock
from filmgate.engine.beside import logged
from filmgate.engine.deliver import Deliverer, Messenger
from filmgate.engine.parts import Parts
from filmgate.engine.subscribe import Keyring, Subscriptions
from filmgate.net.dial import GuardedDial
from filmgate.net.guard import Guard
from filmgate.net.post import GuardedPost
from filmgate.seal import Seal
from filmgate.secrets import derive
from filmgate.store.deliveries import Deliveries
from filmgate.store.endpoints import Endpoints
from filmgate.store.listen import Listener
from filmgate.store.pool import Pool
from filmgate.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Telling:
    clock: Clock
    chance: Chance
    telemetry: Telemetry
    pool: Pool

    def subscriptions(self, guard: Guard, secrets: Sequence[bytes]) -> Subscriptions:
        """Put together what keeps endpoints; the first of the gate's secrets seals theirs."""
        seal = Seal([derive(secret, "seal") for secret in secrets], self.chance)
        endpoints = Endpoints(self.pool)
        return Subscriptions(
            endpoints=endpoints,
            keyring=Keyring(endpoints, seal, self.clock, self.chance),
            guard=guard,
            post=GuardedPost(GuardedDial(guard)),
            clock=self.clock,
            chance=self.chance,
        )

    def deliverer(self, parts: Parts, subscriptions: Subscriptions) -> Deliverer:
        messenger = Messenger(
            deliveries=Deliveries(self.pool, parts.claims.boot),
            keyring=subscriptions.keyring,
            post=subscriptions.post,
            clock=self.clock,
            chance=self.chance,
            telemetry=self.telemetry,
            wake=parts.announced,
        )
        return Deliverer(messenger, logged(self.telemetry, "deliveries.waiting"))

    @asynccontextmanager
    async def listening(
        self, database: Mapping[str, Any], draining: asyncio.Event
    ) -> AsyncIterator[Listener]:
        """Listen for changes over a connection of its own; whoever waits is let go when the process drains."""

        async def connect() -> "asyncpg.Connection[asyncpg.Record]":
            return await asyncpg.connect(**database, server_settings={"application_name": "filmgate listen"})

        listener = Listener(
            connect, lambda error: self.telemetry.event("listener.lost", reason=type(error).__name__)
        )

        async def let_go() -> None:
            await draining.wait()
            listener.wake_all()

        works = [asyncio.create_task(listener.run()), asyncio.create_task(let_go())]
        try:
            yield listener
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
