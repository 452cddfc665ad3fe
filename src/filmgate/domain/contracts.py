"""The two contracts of the house: what a dialect is, and what a provider is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol, TypeAlias, runtime_checkable

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_http import Http
from filmgate.domain.problems import Problem
from filmgate.domain.rehearsal import Rehearsal
from filmgate.domain.request import Draft, Json, PictureRole, Upload
from filmgate.domain.size import Size
from filmgate.domain.task import Task

# --- A dialect: a module with a route table, templates of ids, and pure functions. ---

Value: TypeAlias = "Json | Upload | list[Json | Upload]"
Fields: TypeAlias = "Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class Route:
    """A way in: `verb` is the dialect's own word for it, handed back in the call."""

    method: str
    path: str
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it came: header names in lower case, a form's bracket names folded into objects and lists."""

    verb: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    form: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    draft: Draft


@dataclass(frozen=True, slots=True)
class Show:
    id: str


@dataclass(frozen=True, slots=True)
class ListTasks:
    after: str | None
    limit: int
    newest_first: bool


@dataclass(frozen=True, slots=True)
class Delete:
    id: str


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a finished film: `role` is one of its files."""

    id: str
    role: str


@dataclass(frozen=True, slots=True)
class ListModels:
    name: str | None = None


Action: TypeAlias = Create | Show | ListTasks | Delete | Content | ListModels


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses of a task's files that open without a header; empty until the film is done."""

    video: str | None = None
    thumbnail: str | None = None
    poster: str | None = None


@dataclass(frozen=True, slots=True)
class TaskView:
    task: Task
    links: Links


@dataclass(frozen=True, slots=True)
class Accepted:
    view: TaskView


@dataclass(frozen=True, slots=True)
class Status:
    view: TaskView


@dataclass(frozen=True, slots=True)
class Page:
    views: Sequence[TaskView]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    view: TaskView


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    owner: str
    created: int


@dataclass(frozen=True, slots=True)
class ModelPage:
    models: Sequence[ModelCard]
    single: bool = False


Outcome: TypeAlias = Accepted | Status | Page | Deleted | ModelPage


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Mapping[str, Json]
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """A module. `NAMES` are templates of the ids that it shows; `id` is the one its clients poll with."""

    NAME: str
    LANGUAGE: str
    ROUTES: Sequence[Route]
    NAMES: Mapping[str, str]

    @staticmethod
    def claims(call: Call) -> bool:
        """Tell whether the call bears a mark that only this dialect's clients leave."""
        ...

    @staticmethod
    def parse(call: Call) -> Action:
        """Read a call, or raise a Problem that names the field."""
        ...

    @staticmethod
    def render(outcome: Outcome, *, strict: bool) -> Reply: ...

    @staticmethod
    def render_error(problem: Problem, *, strict: bool) -> Reply: ...


# --- A provider: it knows its wire format, and nothing of customers, money or storage. ---


@dataclass(frozen=True, slots=True)
class Frame:
    """A checked picture of a known role, as PNG or JPEG bytes."""

    role: PictureRole
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """One clip as a provider is asked for it; `model` is the provider's own name of the model."""

    model: str
    prompt: str
    size: Size
    seconds: int
    sound: bool
    seed: int | None
    frames: tuple[Frame, ...] = ()
    attempt: int = 1
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A vendor's receipt: its id of the job, and what else the provider must remember to ask for it."""

    ref: str
    memory: Mapping[str, Json] = field(default_factory=dict)
    ask_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Not done: progress 0 to 99 where the vendor says one, and when it wants to be asked again."""

    progress: int | None = None
    ask_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Done: where the result lies, in the provider's own words, for its `fetch`."""

    result: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Failed:
    """The video failed, says the vendor. `code` is one of the catalogue; `again` says a new attempt may succeed."""

    code: str
    text: str
    again: bool = False


Polled: TypeAlias = Pending | Done | Failed


class Provider(Protocol):
    """A vendor, relay, model server or engine that makes clips."""

    replays: bool
    """A submit with a key that was seen before gives the ticket of that first submit, never a second film."""

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

    async def find(self, key: str) -> Ticket | None:
        """Look for the job; None means that the vendor's answer proves that there is none."""
        ...


@runtime_checkable
class Tidies(Protocol):
    """A provider that keeps something of a clip on this machine until its film is stored."""

    async def tidy(self, ticket: Ticket) -> None: ...


# --- What a provider may be handed. ---


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
    """One `[[providers]]` table, with its secrets resolved."""

    name: str
    kind: str
    base_url: str = ""
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
