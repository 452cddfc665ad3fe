"""An engine's parts around one vendor of a test's own, on a real store."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

from filmgate.domain.contracts_provider import (
    Cancelled,
    ClipRequest,
    Done,
    Pending,
    Polled,
    Power,
    Stopped,
    Ticket,
)
from filmgate.domain.limits import ATTEMPTS_OF_CREDENTIAL
from filmgate.domain.plan import ClipRole, PlannedClip
from filmgate.domain.request import Json
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import StoredClip
from filmgate.engine.parts import Enhancer, Objects, Parts
from filmgate.engine.route import Router, Wish
from filmgate.media.workshop import Workshop
from filmgate.net.fetch import GuardedFetch
from filmgate.store import transitions
from filmgate.store.cancel import Wishes
from filmgate.store.credentials import Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.files import Files
from filmgate.store.moves import Sending
from filmgate.store.notices import Notices
from filmgate.store.starts import Starts
from filmgate.store.work import Claim, OpenAttempt
from filmgate.world import SystemChance, SystemClock
from kit.clocks import long_steady
from kit.worlds import World, unreadable

LEASE = timedelta(seconds=30)
ONLY = PlannedClip(1, ClipRole.FIRST, 1)


@dataclass
class Vendor:
    """A vendor that says what a test wrote into it; an exception is raised."""

    replays: timedelta | None = None
    powers: frozenset[Power] = frozenset()
    cancels: bool = True
    visible_after: timedelta | None = None
    stopped: list[Stopped | Exception] = field(default_factory=lambda: [Cancelled()])
    polled: list[Polled | Exception] = field(default_factory=lambda: [Pending(10, timedelta(0))])
    found: Ticket | None = None
    asked: list[str] = field(default_factory=list)

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        raise AssertionError(key)

    async def poll(self, ticket: Ticket) -> Polled:
        self.asked.append(f"poll {ticket.ref}")
        said = self.polled.pop(0) if len(self.polled) > 1 else self.polled[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def cancel(self, ticket: Ticket) -> Stopped:
        self.asked.append(f"cancel {ticket.ref}")
        said = self.stopped.pop(0) if len(self.stopped) > 1 else self.stopped[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def find(self, key: str) -> Ticket | None:
        self.asked.append(f"find {key}")
        return self.found

    def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        raise AssertionError(result)


class _OneVendor:
    """The routes of a gate that has one vendor, whose credential never changes."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def provider(self, credential_id: int) -> tuple[str, Vendor]:
        return "fake", self._vendor

    def remains(self, wish: Wish) -> bool:
        return sum(wish.failed.values()) < ATTEMPTS_OF_CREDENTIAL


@dataclass
class Told:
    """Telemetry that keeps what it was told."""

    events: list[str] = field(default_factory=list)

    def event(self, event: str, **fields: object) -> None:
        self.events.append(event)

    def task_ended(self, *told: object) -> None:
        self.events.append("counted")

    def asked(self, *told: object) -> None:
        return

    def outage(self) -> None:
        return

    def noticed(self, kind: str) -> None:
        self.events.append(f"noticed {kind}")

    def polled_late(self, *told: object) -> None:
        return


@dataclass
class Room:
    """A world with its engine's parts; `task` leads a task to where a test wants it."""

    world: World
    vendor: Vendor
    parts: Parts

    async def prepare(self) -> Claim:
        """Claim a task that waits to start."""
        [waiting] = await self.parts.starts.next(["animatic"], limit=1)
        chosen = [(waiting, self.world.credential_id)]
        [claim] = await self.parts.starts.claim(chosen, lease=LEASE, since=self.parts.clock.monotonic())
        return claim

    async def sending(self, *, clip: int = 1, no: int = 1) -> Claim:
        """Claim a waiting task and write the intent to send it."""
        claim = await self.prepare()
        sending = Sending(
            clip=clip,
            no=no,
            credential_id=self.world.credential_id,
            provider="fake",
            key=f"{claim.task_id}.{clip}.{no}",
            body_sha256="00",
        )
        await self.world.moves.make(transitions.sending(claim, sending))
        attempt = OpenAttempt(
            clip=clip,
            no=no,
            credential_id=self.world.credential_id,
            key=sending.key,
            body_sha256=sending.body_sha256,
            state=AttemptState.SENDING,
            ref=None,
            ticket=None,
            result=None,
            sent_at=claim.claimed_at,
        )
        since = self.parts.clock.monotonic()
        return replace(claim, step=Step.SUBMIT, attempt=attempt, since=since)

    async def running(self) -> Claim:
        """Let a vendor have accepted a task; give the claim of its first poll."""
        claim = await self.sending()
        ticket = Ticket("job-1", {}, timedelta(0))
        await self.world.moves.make(transitions.accepted(claim, ticket, timedelta(milliseconds=1), ONLY, 0))
        return await self.due(Step.POLL)

    async def uncertain(self) -> Claim:
        """Let the reply to a submit be lost; give the claim of the first look."""
        await self.world.moves.make(transitions.uncertain(await self.sending(), "lost"))
        return await self.due(Step.RECONCILE)

    async def collecting(self) -> Claim:
        claim = await self.running()
        await self.world.moves.make(transitions.done(claim, Done({"id": "job-1"}), last=True))
        return await self.due(Step.COLLECT)

    async def keep_first(self, claim: Claim, clip: StoredClip) -> None:
        """Keep a first clip of two; what waits then is the second."""
        move = transitions.stored(
            claim, clip, [], LEASE, step=Step.PREPARE, state=State.EXTENDING, progress=50
        )
        await self.world.moves.make(move)

    async def due(self, step: Step) -> Claim:
        [claim] = await self.world.claims.due(step, limit=1, lease=LEASE, since=self.parts.clock.monotonic())
        return claim


def make_room(world: World, vendor: Vendor, folder: Path) -> Room:
    nothing, clock = cast("object", None), SystemClock()
    parts = Parts(
        clock=clock,
        steady=long_steady(clock),
        chance=SystemChance(),
        router=cast("Router", _OneVendor(vendor)),
        claims=world.claims,
        starts=Starts(world.pool, world.boot, unreadable),
        moves=world.moves,
        ends=world.ends,
        reader=world.reader,
        files=Files(world.pool),
        credentials=Credentials(world.pool),
        wishes=Wishes(world.pool),
        decisions=Decisions(world.pool),
        notices=Notices(world.pool),
        objects=cast("Objects", nothing),
        workshop=cast("Workshop", nothing),
        enhancer=cast("Enhancer", nothing),
        pictures=cast("GuardedFetch", nothing),
        telemetry=Told(),
        workspace=folder,
        scratch=(),
        retention=timedelta(days=1),
        wake=asyncio.Event(),
    )
    return Room(world, vendor, parts)
