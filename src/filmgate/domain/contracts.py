"""What a dialect is: a module with a route table, templates of ids, and pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, Json, Upload
from filmgate.domain.task import Task

Value: TypeAlias = "Json | Upload | list[Json | Upload]"
Fields: TypeAlias = "Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class Route:
    """A way in: `verb` is the dialect's own word for it, handed back in the call.

    `marks` are fields that bodies of this call have and those of the dialect's `create` have not.
    """

    method: str
    path: str
    verb: str
    marks: Sequence[str] = ()


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
    """`form` is the dialect's own word for the shape of the answer, where it has several; so it is in `Show`."""

    draft: Draft
    form: str = ""


@dataclass(frozen=True, slots=True)
class Converse:
    """A create whose answer is told when the film is there, or word by word while it is made."""

    draft: Draft
    streamed: bool


@dataclass(frozen=True, slots=True)
class Show:
    id: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class ListTasks:
    after: str | None
    limit: int
    newest_first: bool


@dataclass(frozen=True, slots=True)
class Delete:
    id: str


@dataclass(frozen=True, slots=True)
class Cancel:
    id: str


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a finished film: `role` is one of its files."""

    id: str
    role: str


@dataclass(frozen=True, slots=True)
class ListModels:
    name: str | None = None


Action: TypeAlias = Create | Converse | Show | ListTasks | Delete | Cancel | Content | ListModels


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses of a task's files that open without a header; empty until the film is done."""

    video: str | None = None
    thumbnail: str | None = None
    poster: str | None = None
    first: str | None = None
    source: str | None = None
    open: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the dialect's own paths that open without a header, by the names that its OPEN gives them."""


@dataclass(frozen=True, slots=True)
class TaskView:
    task: Task
    links: Links
    language: Language | None = None
    """What its reader reads; None: what the dialect's documentation is in."""


@dataclass(frozen=True, slots=True)
class Accepted:
    view: TaskView
    form: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    view: TaskView
    form: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The end of a conversation, all at once; `language` is what the client reads, `zh` or `en`."""

    view: TaskView
    language: str


@dataclass(frozen=True, slots=True)
class Page:
    views: Sequence[TaskView]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """`cancelled` tells that the task was running, and was cancelled first."""

    view: TaskView
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    owner: str
    created: int


@dataclass(frozen=True, slots=True)
class ModelPage:
    models: Sequence[ModelCard]
    single: bool = False


Outcome: TypeAlias = Accepted | Status | Told | Page | Deleted | ModelPage


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Mapping[str, Json]
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """A module. `NAMES` are templates of the ids that it shows; `id` is the one its clients poll with.

    `OPEN` are paths of its own that its answers show as links that open without a key, with a name of the task in
    braces, such as `/source/{id}`.
    """

    NAME: str
    LANGUAGE: Language
    ROUTES: Sequence[Route]
    NAMES: Mapping[str, str]
    OPEN: Mapping[str, str]

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
    def render_error(
        problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
    ) -> Reply:
        """Say a problem; `verb` is the way in that it happened on, where that is known.

        `language` is what its reader reads; None: what the dialect's documentation is in.
        """
        ...


@runtime_checkable
class Talks(Protocol):
    """A dialect that tells a conversation piece by piece."""

    @staticmethod
    def chunks(before: TaskView | None, now: TaskView, language: str) -> Sequence[Mapping[str, Json]]:
        """Say what is new since `before`; the pieces of a whole conversation make the text that Told has."""
        ...
