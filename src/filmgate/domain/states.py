"""The words for where a task, its next step and an attempt stand."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """What a client sees of a task: a phase, or an end."""

    QUEUED = "queued"
    PREPARING = "preparing"
    GENERATING = "generating"
    EXTENDING = "extending"
    UPSAMPLING = "upsampling"
    COLLECTING = "collecting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self in ENDS


ENDS: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED})


class Step(StrEnum):
    """What a worker does next for a task that has not ended."""

    PREPARE = "prepare"
    SUBMIT = "submit"
    RECONCILE = "reconcile"
    POLL = "poll"
    COLLECT = "collect"
    RENDER = "render"


class AttemptState(StrEnum):
    SENDING = "sending"
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    ABANDONED = "abandoned"

    @property
    def open(self) -> bool:
        """Tell whether a film may still come of it; two open attempts for one clip would be paid twice."""
        return self in {AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.UNCERTAIN}
