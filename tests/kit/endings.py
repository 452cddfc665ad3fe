"""Films that end in every way there is, by the real engine over a vendor that does what its prompts say."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, cast

from filmgate.domain import ids
from filmgate.domain.contracts_provider import (
    Cancelled,
    ClipRequest,
    Done,
    Failed,
    NotStopped,
    Pending,
    Polled,
    Power,
    Stopped,
    Ticket,
)
from filmgate.domain.cost import CostList, CostRow
from filmgate.domain.faults import Refused, Uncertain
from filmgate.domain.film import FilmFacts
from filmgate.domain.price import Line, Price
from filmgate.domain.request import Json
from filmgate.domain.size import Size
from filmgate.domain.states import Step
from filmgate.domain.task import Owner, Task
from filmgate.engine.cancel import cancel
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import prepare
from filmgate.engine.route import Access, Router, RouteRule, Via
from filmgate.engine.start import starts
from filmgate.engine.sweep import sweep
from filmgate.engine.worker import HANDS
from filmgate.media.findings import CheckedPicture, Inspection, NotAFilm
from filmgate.media.workshop import Workshop
from filmgate.store.accounts import Accounts
from filmgate.store.allowance import Setting
from filmgate.store.keys import Keys
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.world import SystemChance
from kit.engines import make_engine, soon
from kit.worlds import World

COST: Final = 30_000
"""What the vendor takes for a clip by its list."""
SAID: Final = 50_000
"""What it says that it took for a film with the word `said`."""
GIFT: Final = 1_000_000_000_000
_LEASE: Final = timedelta(seconds=90)
_SOONEST: Final = timedelta(microseconds=1)
_WAVE: Final = 250
_FACTS: Final = FilmFacts("h264", 320, 180, 24.0, 24, 1.0, "aac", 48000, 5, faststart=True)


@dataclass(frozen=True)
class Fate:
    """How a film ends: its state, the code of its error, how many of its clips are charged, what vendors are paid."""

    state: str
    code: str | None = None
    clips: int = 1
    charged: int = 0
    cost_micros: int = 0
    larger: bool = False
    """Whether it is to be scaled up, and is charged so."""
    as_made: bool = False
    """Whether it was to be scaled up, and is charged as it was made."""


FATES: Final[Mapping[str, Fate]] = {
    "made": Fate("succeeded", charged=1, cost_micros=COST),
    "made, and the vendor said its cost": Fate("succeeded", charged=1, cost_micros=SAID),
    "made of two": Fate("succeeded", clips=2, charged=2, cost_micros=2 * COST),
    "made at the second try": Fate("succeeded", charged=1, cost_micros=COST),
    "made, though a cancel was asked for": Fate("succeeded", charged=1, cost_micros=COST),
    "failed": Fate("failed", "provider_failed"),
    "failed three times": Fate("failed", "provider_failed"),
    "failed and billed": Fate("failed", "provider_failed", cost_micros=SAID),
    "refused": Fate("failed", "content_refused"),
    "filtered": Fate("failed", "content_refused"),
    "extension failed": Fate("failed", "extend_failed", clips=2, charged=1, cost_micros=COST),
    "extension filtered": Fate("failed", "extend_failed", clips=2, charged=1, cost_micros=COST),
    "extension expired": Fate("failed", "extend_failed", clips=2, charged=1, cost_micros=COST),
    "extension failed, and nothing scaled up": Fate(
        "failed", "extend_failed", clips=2, charged=1, cost_micros=COST, as_made=True
    ),
    "made and scaled up": Fate("succeeded", charged=1, cost_micros=COST, larger=True),
    "made of two and scaled up": Fate("succeeded", clips=2, charged=2, cost_micros=2 * COST, larger=True),
    "made and never scaled up": Fate("succeeded", charged=1, cost_micros=COST, as_made=True),
    "made with sound that nobody wanted": Fate("succeeded", charged=1, cost_micros=COST),
    "cancelled early": Fate("cancelled"),
    "cancelled late": Fate("cancelled"),
    "expired": Fate("expired", "expired"),
    "uncertain": Fate("failed", "outcome_uncertain"),
}


@dataclass(slots=True)
class Oracle:
    """A vendor whose clips end as their prompts say."""

    replays: timedelta | None = None
    cancels: bool = True
    powers: frozenset[Power] = frozenset()

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        if request.prompt == "refused":
            raise Refused("not this")
        if request.prompt == "uncertain":
            raise Uncertain("no reply")
        memory: dict[str, Json] = {
            "fate": request.prompt,
            "second": request.extends is not None,
            "attempt": request.attempt,
        }
        return Ticket(key, memory, _SOONEST)

    async def poll(self, ticket: Ticket) -> Polled:
        second, attempt = bool(ticket.memory["second"]), cast("int", ticket.memory["attempt"])
        done, waits = Done({"ref": f"{ticket.ref} {ticket.memory['fate']}"}), Pending(50, _SOONEST)
        by_fate: dict[str, Polled] = {
            "made, and the vendor said its cost": Done({"ref": ticket.ref}, SAID),
            "made at the second try": done
            if attempt > 1
            else Failed("provider_failed", "no gpu", again=True, cost_micros=0),
            "failed": Failed("provider_failed", "no idea"),
            "failed three times": Failed("provider_failed", "no gpu", again=True),
            "failed and billed": Failed("provider_failed", "no idea", cost_micros=SAID),
            "filtered": Failed("content_refused", "not this"),
            "extension failed": Failed("provider_failed", "no idea") if second else done,
            "extension failed, and nothing scaled up": Failed("provider_failed", "no") if second else done,
            "extension filtered": Failed("content_refused", "not this") if second else done,
            "extension expired": waits if second else done,
            "cancelled late": waits,
            "expired": waits,
        }
        return by_fate.get(str(ticket.memory["fate"]), done)

    async def cancel(self, ticket: Ticket) -> Stopped:
        return Cancelled() if ticket.memory["fate"] == "cancelled late" else NotStopped("too late")

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        yield str(result["ref"]).encode()


class _Glance(Workshop):
    """A workshop that takes whatever comes for a film."""

    def __init__(self) -> None:
        pass

    async def inspect(self, film: Path, *_: object) -> Inspection:
        return Inspection(_FACTS, b"w", b"j", b"s", b"f")

    async def join(self, clips: Sequence[Path], into: Path, *_: object, **__: object) -> bool:
        return await asyncio.to_thread(into.write_bytes, b"+".join(clip.read_bytes() for clip in clips)) > 0

    async def scale(self, film: Path, into: Path, *_: object) -> None:
        content = await asyncio.to_thread(film.read_bytes)
        if b"never scaled up" in content:
            raise NotAFilm("it cannot be read")
        await asyncio.to_thread(into.write_bytes, content + b" larger")

    async def last_frame(self, film: Path, *_: object) -> CheckedPicture:
        return CheckedPicture(320, 180, "image/jpeg", b"frame")


@dataclass(frozen=True, slots=True)
class _Kept:
    key: str
    size_bytes: int
    sha256: bytes


@dataclass(slots=True)
class _Shelf:
    """Objects in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)

    async def put_file(self, key: str, path: Path) -> _Kept:
        return await self.put_bytes(key, await asyncio.to_thread(path.read_bytes))

    async def put_bytes(self, key: str, content: bytes) -> _Kept:
        self.objects[key] = content
        return _Kept(key, len(content), hashlib.sha256(content).digest())

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        yield self.objects[key]


@dataclass(slots=True)
class Mill:
    """An engine that lets films of several owners begin and end, as fast as they can."""

    world: World
    parts: Parts
    owners: Sequence[Owner]
    accepted: Counter[str] = field(default_factory=Counter)
    charged_micros: int = 0
    cost_micros: int = 0

    async def run(self, count: int) -> None:
        """Let so many films end, in waves; each fate comes as often as any other."""
        names = list(FATES)
        for first in range(0, count, _WAVE):
            fates = [names[no % len(names)] for no in range(first, min(first + _WAVE, count))]
            await self._wave([(no, fate) for no, fate in enumerate(fates, first)])

    async def _wave(self, wanted: Sequence[tuple[int, str]]) -> None:
        tasks = await asyncio.gather(*(self._accept(no, fate) for no, fate in wanted))
        early = [task for task in tasks if task.request.prompt == "cancelled early"]
        await asyncio.gather(*(cancel(self.parts, task) for task in early))
        await self._round()
        late = {"cancelled late", "made, though a cancel was asked for"}
        wishes = [task for task in tasks if task.request.prompt in late]
        await asyncio.gather(*(cancel(self.parts, task) for task in wishes))
        for _ in range(9):
            await self._round()
        await self._age([task for task in tasks if "expired" in task.request.prompt])
        await sweep(self.parts, Upkeep(self.world.pool))
        await self._round()

    async def _accept(self, no: int, fate: str) -> Task:
        unit, doom = 1_000 * (1 + no % 97), FATES[fate]
        clips, scales = (8, 7)[: doom.clips], doom.larger or doom.as_made
        lines = [
            Line(f"clip {n}", n, s, unit, "640x360", unit // 2 if scales else None)
            for n, s in enumerate(clips, 1)
        ]
        price = Price(tuple(lines), "2025-01-01")
        new = self.world.new(fate)
        request = replace(
            new.request,
            model="sora-2",
            clips=clips,
            prompt_extend=fate if len(clips) > 1 else None,
            sound=fate != "made with sound that nobody wanted",
            upsample_to=Size(640, 360) if scales else None,
        )
        id_ = ids.uuid7(datetime.now(UTC), SystemChance())
        owner = self.owners[no % len(self.owners)]
        decision = await self.world.acceptor.accept(
            replace(new, id=id_, owner=owner, request=request, price_at=lambda _: price, credential_id=None)
        )
        assert decision.task is not None, decision.refusal
        self.accepted[fate] += 1
        self.charged_micros += sum(clips[: doom.charged]) * (unit // 2 if doom.as_made else unit)
        self.cost_micros += doom.cost_micros
        return decision.task

    async def _round(self) -> None:
        """Do once all that is due; then no wait is left."""
        since = self.parts.clock.monotonic()
        while begun := await starts(self.parts, limit=_WAVE, lease=_LEASE, busy=(), since=since):
            await asyncio.gather(*(prepare(self.parts, claim) for claim in begun))
        for step, hands in HANDS.items():
            if step is Step.SUBMIT:
                continue
            due = await self.parts.claims.due(step, limit=2 * _WAVE, lease=_LEASE, since=since)
            results = await asyncio.gather(
                *(hands.verb(self.parts, claim) for claim in due), return_exceptions=True
            )
            for result in results:
                if isinstance(result, BaseException) and not isinstance(result, StaleLease):
                    raise result
        await soon(self.world.pool)

    async def _age(self, doomed: Sequence[Task]) -> None:
        """Let the deadlines of some pass, and the time after which a lost submit is given up."""
        await self.world.pool.execute(
            "update tasks set deadline_at = now() where id = any($1::uuid[])", [task.id for task in doomed]
        )
        await self.world.pool.execute(
            "update attempts set sent_at = now() - interval '2 days' where state = 'uncertain'"
        )


async def make_mill(world: World, folder: Path) -> Mill:
    """Open an engine with two credentials, for two accounts with three keys."""
    oracle = Oracle()
    vendors = {("oracle", "A"): oracle, ("oracle", "B"): oracle}
    rule = RouteRule("sora-2", (Via("oracle", "sees"),))
    engine = await make_engine(world.pool, folder, vendors, [rule], in_flight=_WAVE)
    costs = CostList([CostRow("*", date(2025, 1, 1), per_clip_micros=COST)])
    accesses = [Access(name, id_, oracle, costs) for (name, _), id_ in engine.ids.items()]
    parts = replace(engine.parts, router=Router([rule], accesses), workshop=_Glance(), objects=_Shelf())
    return Mill(world, parts, [world.owner, *await _owners(world.pool)])


async def _owners(pool: Pool) -> Sequence[Owner]:
    keys, accounts = Keys(pool, [b"pepper"]), Accounts(pool)
    await keys.create("sk-second", name="second", account="test")
    await keys.create("sk-other", name="other", account="other")
    for name in ("test", "other"):
        row = await accounts.find(name)
        assert row is not None
        await accounts.set(name, max_running=Setting(None), credit_micros=Setting(0))
        await accounts.give(row.id, GIFT, author="operator", reason="a gift")
    found = [await keys.owner(key) for key in ("sk-second", "sk-other")]
    return [owner for owner in found if owner is not None]
