"""What the engine's verbs are handed; whatever reaches out of the process is a protocol here."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from filmgate.domain.clock import Chance, Clock
from filmgate.domain.contracts_provider import Provider
from filmgate.domain.counted import TaskEnded
from filmgate.domain.eta import Doubt, Outlook, RunKind
from filmgate.domain.steady import Steadiness
from filmgate.engine.route import Router
from filmgate.engine.ship import Shipping
from filmgate.media.workshop import Workshop
from filmgate.net.fetch import GuardedFetch
from filmgate.store.cancel import Wishes
from filmgate.store.credentials import Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.ends import Ends
from filmgate.store.files import Files
from filmgate.store.moves import Moves
from filmgate.store.notices import Notices
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.work import Claims, OpenAttempt


class Kept(Protocol):
    """An object that is stored, durably."""

    @property
    def key(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def sha256(self) -> bytes: ...


class Objects(Protocol):
    """Where files live."""

    async def put_file(self, key: str, path: Path) -> Kept:
        """Store a file; what this returned is durable."""
        ...

    async def put_bytes(self, key: str, content: bytes) -> Kept: ...
    async def delete(self, key: str) -> None: ...
    def stream(self, key: str) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Wording:
    """What a prompt became, and who put it so; `warning` says why it was not who should have."""

    text: str
    by: str
    warning: str | None = None


class Enhancer(Protocol):
    """Words prompts anew."""

    async def enhance(self, prompt: str) -> Wording:
        """Say in English what the prompt says, richly; never fail, never invent a subject."""
        ...

    async def soften(self, prompt: str) -> str:
        """Say a refused prompt so that it may pass; the prompt itself where that cannot be done."""
        ...


class Storage(Protocol):
    """Whether what is made now could be kept."""

    @property
    def failing(self) -> object | None:
        """What keeps films from being stored; None where nothing is known to."""
        ...

    @property
    def full(self) -> bool: ...


class _Unwatched:
    failing = None
    full = False


UNWATCHED: Final[Storage] = _Unwatched()


class Scratch(Protocol):
    """Something that leaves files behind when it is killed."""

    async def sweep(self, before: datetime) -> int:
        """Remove what was left before that time; tell how many files."""
        ...


class Experience(Protocol):
    """How long films took before."""

    async def of(self, kind: RunKind) -> Outlook: ...
    async def fold(self) -> Sequence[Doubt]:
        """Learn from the films that have ended; give the models of which too little is known to show it."""
        ...


class NoExperience:
    """What a gate knows that has made no films yet."""

    async def of(self, kind: RunKind) -> Outlook:
        del kind
        return Outlook()

    async def fold(self) -> Sequence[Doubt]:
        return ()


class Telemetry(Protocol):
    """Counts and tells what the engine does, for operators."""

    def event(self, event: str, **fields: object) -> None:
        """Log one dotted verb with its fields; prompts, secrets and links never among them."""
        ...

    def task_ended(self, ended: TaskEnded) -> None: ...

    def asked(self, provider: str, operation: str, result: str, seconds: float) -> None: ...

    def outage(self) -> None:
        """Count a question that the database did not answer."""
        ...

    def noticed(self, kind: str) -> None:
        """Count something that operators should look at."""
        ...

    def polled_late(self, provider: str, seconds: float) -> None:
        """Measure how long after its time a poll was begun."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    clock: Clock
    chance: Chance
    router: Router
    claims: Claims
    starts: Starts
    moves: Moves
    ends: Ends
    reader: Reader
    files: Files
    credentials: Credentials
    wishes: Wishes
    decisions: Decisions
    notices: Notices
    objects: Objects
    workshop: Workshop
    enhancer: Enhancer
    pictures: GuardedFetch
    telemetry: Telemetry
    workspace: Path
    """A folder of this machine for films on their way into the object store."""
    scratch: Sequence[Scratch]
    """What leaves files on this machine while it works."""
    retention: timedelta
    storage: Storage = UNWATCHED
    shipping: Shipping | None = None
    """What delivers films into buckets of customers, where there are such."""
    experience: Experience = field(default_factory=NoExperience)
    steady: Steadiness = field(default_factory=Steadiness)
    """How the database's clock goes, beside this engine's own."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something in this process became due."""
    announced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a task has ended in this process, of which somebody may be told."""

    def maker(self, attempt: OpenAttempt | None) -> tuple[str, Provider] | None:
        """Give who makes the clip of an attempt, by name; None where there is none, or the settings no longer have it."""
        return None if attempt is None else self.router.provider(attempt.credential_id)
