"""A task's record: what became of it on its way, for those who want to know more than its state."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self, TypeAlias, cast

from filmgate.domain.request import Json

RecordChange: TypeAlias = Mapping[str, Json]
"""The parts of a record that a transition writes anew."""


class Stage(StrEnum):
    """What preparing is about just now."""

    ENHANCING = "enhancing"
    PICTURES = "pictures"
    READY = "ready"
    """All pictures are checked and kept."""


class CancelAnswer(StrEnum):
    """What a provider answered when it was asked to stop a film."""

    ASKED = "asked"
    """It will, and has not confirmed it yet."""
    REFUSED = "refused"


class ProgressSource(StrEnum):
    """From where a task's progress is known."""

    REPORTED = "reported"
    """Its provider said so."""
    MEASURED = "measured"
    """The gate itself counted."""
    ESTIMATED = "estimated"
    """From how long such films took before."""
    NONE = "none"
    """Nobody knows it."""


class Maker(StrEnum):
    """Who did a thing that several can do."""

    BUILT_IN = "built-in"
    CHAT = "chat"
    PROVIDER = "provider"
    GATE = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    stage: str | None = None
    clip: int = 1
    """Which clip of its plan is being made, or was the last."""
    pictures_kept: int = 0
    enhanced_prompt: str | None = None
    enhanced_by: str | None = None
    softened_prompt: str | None = None
    """What was sent instead of the prompt after a provider had refused that."""
    softened_clip: int = 0
    """Which clip that was for; 0 while none was."""
    retries: int = 0
    last_error: str | None = None
    """What the last attempt failed of; it stays when a later one succeeds."""
    refusal: str | None = None
    upsampled_by: str | None = None
    upsample_error: str | None = None
    joined_by: str | None = None
    cancel: str | None = None
    """The provider's answer to the latest wish to cancel; None while it was not asked."""
    retry_of: str | None = None
    """The task that this one was asked for again."""
    progress_source: str | None = None
    """From where the progress is known that stands beside it; None while nobody knows any."""
    waits_there: bool = False
    """Whether its provider has it and has not begun."""
    promise: Mapping[str, Json] | None = None
    """What was known when its run began: `provider`, how many runs (`sample`), and the `low_s` and `high_s` of these."""
    sandbox: bool = False
    """Whether the film is drawn in the stead of its model, and its price is play money."""
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Read what transitions wrote; a part of another version is left out."""
        known = {field.name for field in fields(cls)}
        read = {name: part for name, part in value.items() if name in known}
        if "warnings" in read:
            read["warnings"] = cast("Json", tuple(cast("list[str]", read["warnings"])))
        return cls(**cast("dict[str, object]", read))  # type: ignore[arg-type]  # written by transitions alone
