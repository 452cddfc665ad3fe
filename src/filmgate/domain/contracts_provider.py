"""What a provider is: it knows its wire format, and nothing of customers, money or storage."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeAlias, runtime_checkable

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_http import Http
from filmgate.domain.rehearsal import Rehearsal
from filmgate.domain.request import Json, PictureRole
from filmgate.domain.size import Size


@dataclass(frozen=True, slots=True)
class Frame:
    """A checked picture of a known role, as PNG or JPEG bytes."""

    role: PictureRole
    media_type: str
    content: bytes = field(repr=False)


class Power(StrEnum):
    """What not every provider can do."""

    LAST_FRAME = "last_frame"
    REFERENCES = "references"
    EXTENDS = "extends"
    """It goes on from a clip of its own by that clip's ticket."""
    UPSAMPLES = "upsamples"
    """It makes a clip of its own again at a larger size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The film that a clip goes on from, or varies."""

    prompt: str
    seconds: float
    seed: int | None
    ticket: "Ticket | None"
    """Its provider's receipt, where this very provider made it through the same credential."""
    last_frame: Frame | None = None
    """Where a film goes on that the provider cannot go on from by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """One clip as a provider is asked for it; `model` is the provider's own name of the model.

    `extends` is the film that it goes on from, `remixes` the one that it varies, `upsamples` the one that it shows
    again at a larger size.
    """

    model: str
    prompt: str
    size: Size
    seconds: int
    sound: bool
    seed: int | None
    frames: tuple[Frame, ...] = ()
    extends: Earlier | None = None
    remixes: Earlier | None = None
    upsamples: Earlier | None = None
    softened: bool = False
    """Whether the prompt is another than the one that a provider refused."""
    attempt: int = 1
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A vendor's receipt: its id of the job, and what else the provider must remember to ask for it.

    The engine keeps all but the key, which it knows: what a vendor shows for the id may be of another submit.
    """

    ref: str
    memory: Mapping[str, Json] = field(default_factory=dict)
    ask_in: timedelta | None = None
    key: str = ""
    """Under which the job was asked for; empty where nobody has to say so."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Not done: progress 0 to 99 where the vendor says one, and when it wants to be asked again."""

    progress: int | None = None
    ask_in: timedelta | None = None
    measured: bool = False
    """Whether that progress was counted by an engine of ours, and not told by somebody else."""
    waits: bool = False
    """Whether the vendor says that it has not begun."""


@dataclass(frozen=True, slots=True)
class Done:
    """Done: where the result lies, in the provider's own words, for its `fetch`."""

    result: Mapping[str, Json]
    cost_micros: int | None = None
    """What the vendor says that it charges; None where it says nothing of it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The video failed, says the vendor. `code` is one of the catalogue; `again` says a new attempt may succeed."""

    code: str
    text: str
    again: bool = False
    cause: str = ""
    """What happened, for operators alone, where `text` is for everybody."""
    cost_micros: int | None = None
    """As of what is done."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The vendor has stopped the job: no film comes of it."""


@dataclass(frozen=True, slots=True)
class NotStopped:
    """The vendor will not stop the job, which goes on; the text is for operators."""

    text: str


Polled: TypeAlias = Pending | Done | Failed | Cancelled
Stopped: TypeAlias = Cancelled | Pending | NotStopped
"""What a wish to stop a job comes to; Pending says that a later poll will tell."""


class Provider(Protocol):
    """A vendor, relay, model server or engine that makes clips."""

    replays: timedelta | None
    """For how long after a submit the same key surely gives its ticket again, never a second film; None: never."""
    powers: frozenset[Power]

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        """Start the clip. Raise Uncertain when the reply was lost: it may exist and be billed."""
        ...

    async def poll(self, ticket: Ticket) -> Polled:
        """Ask once, never wait, never retry. An exception says that the question failed, not the video."""
        ...

    def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        """Give the film's bytes; raise Broken where they cannot be had this time."""
        ...


@runtime_checkable
class Finds(Protocol):
    """A provider whose vendor can be asked for a job by the key that it was submitted with."""

    visible_after: timedelta | None
    """How long after its submit a job is surely found; None where this vendor cannot be asked."""

    async def find(self, key: str) -> Ticket | None:
        """Look for the job; None means that the vendor has none that is visible by now."""
        ...


@runtime_checkable
class Checks(Protocol):
    """A provider whose vendor can be asked, for nothing, whether it is there and knows the credential."""

    async def check(self) -> str:
        """Say what was found, for operators; raise a Fault where no film would be taken now."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider whose vendor may stop a job that it has begun."""

    cancels: bool
    """Whether this vendor can."""

    async def cancel(self, ticket: Ticket) -> Stopped:
        """Ask for the job to be stopped, once; to ask again is harmless. An exception proves nothing."""
        ...


@runtime_checkable
class Tidies(Protocol):
    """A provider that keeps something of a clip on this machine until its film is stored."""

    async def tidy(self, ticket: Ticket) -> None: ...


@dataclass(frozen=True, slots=True)
class Drawing:
    """How far a drawing is: `path` once it is whole, `error` once it can never be."""

    done: int = 0
    total: int = 0
    path: Path | None = None
    error: str | None = None
    bad_request: bool = False


class Renderer(Protocol):
    """Runs the animatic as a program, one process a clip; the same key is the same drawing."""

    def look(self, key: str) -> Drawing | None:
        """Tell how far the drawing of a key is; None where this machine knows of none."""
        ...

    async def start(self, key: str, spec: Mapping[str, Json], pictures: Sequence[Frame]) -> None:
        """Start drawing, unless this key is being drawn or was drawn already."""
        ...

    async def forget(self, key: str) -> None:
        """Stop the drawing of a key, if it runs, and remove what it left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One `[[providers]]` table with one of its secrets, resolved."""

    name: str
    kind: str
    base_url: str = ""
    credential_name: str = "default"
    credential: str = field(default="", repr=False)
    submits_per_minute: int | None = None
    in_flight: int | None = None
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tools:
    """All that a provider may use of the world."""

    http: Http
    renderer: Renderer
    clock: Clock


ANIMATIC: Final = "animatic"
