"""An engine of real parts over vendors that play a script, driven one claim at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from filmgate.domain.contracts_provider import ClipRequest, Done, Polled, Power, Provider, Ticket
from filmgate.domain.request import Json
from filmgate.domain.states import Step
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import prepare
from filmgate.engine.route import Access, Router, RouteRule
from filmgate.engine.start import starts
from filmgate.engine.worker import HANDS
from filmgate.media.workshop import Workshop
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules
from filmgate.net.resolver import SystemResolver
from filmgate.objects.store import open_store
from filmgate.prompts.enhancer import Enhancer
from filmgate.store.cancel import Wishes
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.ends import Ends
from filmgate.store.files import Files
from filmgate.store.moves import Moves, StaleLease
from filmgate.store.notices import Notices
from filmgate.store.pool import Pool
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.work import Boot, Claim, Claims
from filmgate.telemetry import Telemetry
from filmgate.world import SystemChance, SystemClock
from kit.worlds import unreadable


@dataclass(slots=True)
class Vendor:
    """A vendor that answers submits and polls as its script says, and takes them once that is over."""

    submits: list[Exception | None] = field(default_factory=list)
    polls: list[Polled | Exception] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    slow_s: float = 0.0
    ask_in: timedelta = timedelta(microseconds=1)
    replays: timedelta | None = None
    powers: frozenset[Power] = frozenset()

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        self.keys.append(key)
        answer = self.submits.pop(0) if self.submits else None
        if answer is not None:
            raise answer
        return Ticket(f"job-{key}", ask_in=self.ask_in)

    async def poll(self, ticket: Ticket) -> Polled:
        self.polled.append(ticket.ref)
        await asyncio.sleep(self.slow_s)
        answer = self.polls.pop(0) if self.polls else Done({"ref": ticket.ref})
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        for chunk in (b"no film",):
            yield chunk


@dataclass(slots=True)
class Easel(Vendor):
    """A vendor that keeps what it makes on this machine."""

    replays: timedelta | None = timedelta.max

    async def tidy(self, ticket: Ticket) -> None:
        return


@dataclass(slots=True)
class Engine:
    parts: Parts
    ids: Mapping[tuple[str, str], int]

    async def started(self, limit: int = 9) -> int:
        """Start what may start, and send it; give how many that were."""
        claims = await starts(
            self.parts, limit=limit, lease=timedelta(seconds=90), busy=(), since=self.parts.clock.monotonic()
        )
        await asyncio.gather(*(prepare(self.parts, claim) for claim in claims))
        return len(claims)

    async def claimed(self, step: Step, lease: timedelta | None = None) -> Sequence[Claim]:
        """Claim all that is due of a step, for as long as a worker does where `lease` does not say how long."""
        since = self.parts.clock.monotonic()
        return await self.parts.claims.due(step, limit=9, lease=lease or HANDS[step].lease, since=since)

    async def did(self, step: Step, lease: timedelta | None = None) -> int:
        """Do all that is due of a step; what another engine took meanwhile is left to that."""
        claims = await self.claimed(step, lease)
        results = await asyncio.gather(
            *(HANDS[step].verb(self.parts, claim) for claim in claims), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, StaleLease):
                raise result
        return len(claims)


async def make_engine(
    pool: Pool,
    folder: Path,
    vendors: Mapping[tuple[str, str], Provider],
    rules: Sequence[RouteRule],
    *,
    in_flight: int = 9,
    data: UUID | None = None,
) -> Engine:
    """Open an engine on a data folder; `vendors` are named by provider and credential."""
    clock, chance = SystemClock(), SystemChance()
    ids = await Credentials(pool).sync([CredentialRow(*name, in_flight) for name in vendors])
    boot = Boot(*(UUID(bytes=chance.bytes(16)) for _ in range(3)))
    boot = Boot(boot.id, data or boot.folder, boot.supervisor)
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    parts: dict[str, Any] = {
        "clock": clock,
        "chance": chance,
        "router": Router(rules, [Access(name[0], ids[name], vendor) for name, vendor in vendors.items()]),
        "claims": Claims(pool, boot, unreadable),
        "starts": Starts(pool, boot, unreadable),
        "moves": Moves(pool),
        "ends": Ends(pool),
        "reader": Reader(pool),
        "files": Files(pool),
        "credentials": Credentials(pool),
        "wishes": Wishes(pool),
        "decisions": Decisions(pool),
        "notices": Notices(pool),
        "objects": open_store(folder / "objects"),
        "workshop": Workshop(),
        "enhancer": Enhancer(None, lambda reason: None),
        "pictures": GuardedFetch(GuardedDial(Guard(GuardRules(), SystemResolver()))),
        "telemetry": Telemetry([], []),
        "workspace": folder,
        "scratch": (),
        "retention": timedelta(days=1),
    }
    engine = Engine(Parts(**parts), ids)
    await engine.parts.claims.begin()
    return engine


async def soon(pool: Pool) -> None:
    """Let the time of every wait pass, of tasks and of credentials."""
    await pool.execute("update work set due_at = now() where lease_by is null")
    await pool.execute("update credentials set blocked_until = now(), probing_until = now()")
