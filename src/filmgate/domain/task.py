"""A task: one film that was asked for, and everything that clients and operators may know of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self, cast
from uuid import UUID

from filmgate.domain.film import FilmFacts
from filmgate.domain.languages import Language
from filmgate.domain.price import Price
from filmgate.domain.problems import wording_text
from filmgate.domain.record import Record
from filmgate.domain.request import FilmRequest, Json
from filmgate.domain.states import AttemptState, State


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose request it is: an account, through one of its keys, with that key's settings."""

    account_id: int
    key_id: int
    dialect: str | None = None
    strict: bool = False
    soften: bool = False
    operator: bool = False
    language: Language | None = None
    """What its people read, `zh` or `en`; None where each request says so."""
    expired: bool = False
    """The key has run out a while ago: it reads and deletes what it made, and begins nothing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task ended without its film, as a code of the catalogue with its parameters."""

    code: str
    parameters: Mapping[str, str | int]

    def text(self, language: str) -> str:
        return wording_text(self.code, self.parameters, language)


@dataclass(frozen=True, slots=True)
class Film:
    """A stored film: what it measures, and the ids of its files by role.

    Beside `video`, `thumbnail`, `poster`, `spritesheet` and `filmstrip` a film has `first` where it was joined
    to that clip's end, and `source` where it was scaled up from that.
    """

    facts: FilmFacts
    files: Mapping[str, UUID]

    def as_json(self) -> dict[str, Json]:
        files: dict[str, Json] = {role: str(file) for role, file in self.files.items()}
        return {"facts": asdict(self.facts), "files": files}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        files = cast("Mapping[str, str]", value["files"])
        facts = cast("dict[str, Any]", value["facts"])
        return cls(facts=FilmFacts(**facts), files={role: UUID(file) for role, file in files.items()})


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip of a plan that is made and kept; `film` is its own film, in case no other comes of the task."""

    no: int
    role: str
    object_key: str
    film: Film


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    id: UUID
    number: int
    """A number that grows from task to task, for dialects that count."""
    account_id: int
    key_id: int
    dialect: str
    names: Mapping[str, str]
    request: FilmRequest
    record: Record
    price: Price
    state: State
    progress: int
    failure: Failure | None
    film: Film | None
    hold_micros: int
    cost_micros: int | None
    version: int
    created_at: datetime
    changed_at: datetime
    stage_at: datetime
    """When its state, or the stage within that, changed last."""
    started_at: datetime | None
    ended_at: datetime | None
    deadline_at: datetime
    content_until: datetime | None
    start_by: datetime | None = None
    """When it ends for nothing unless it has begun; None where its client waits until the deadline."""
    cancel_requested_at: datetime | None = None
    """Since when somebody wants it cancelled, which its provider may still refuse: `record.cancel` says so."""

    @property
    def name(self) -> str:
        """The id that the dialect it was submitted in shows."""
        return self.names["id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One submit to one provider for one clip."""

    clip: int
    no: int
    provider: str
    key: str
    state: AttemptState
    sent_at: datetime
    closed_at: datetime | None
    error_class: str | None
    error_text: str | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the object store, as the task's row of it says."""

    id: UUID
    account_id: int
    task_id: UUID
    role: str
    object_key: str
    media_type: str
    size_bytes: int
    sha256: str
