"""What a client orders, and the job that comes of it."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, cast

from filmgate.mirage.catalogue import ALWAYS
from filmgate.mirage.lies import Lies, read_lies, written
from filmgate.mirage.log import Event

QUEUED_SHARE: Final = 0.1
PRICE_MICROS_PER_SECOND: Final = 100_000
_UNDRAWN: Final = frozenset({"never", "fail", "filtered", "no-video"})
# What is told to the first polls.
_BACKWARDS: Final = (("in_progress", 80), ("queued", 10))
_FALLING: Final = (("in_progress", 80), ("in_progress", 10))
_HALFWAY: Final = ("in_progress", 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`source` is the job that it goes on from or varies, `kind` is create, extension or remix."""

    model: str
    prompt: str
    size: str
    seconds: str
    lies: Lies
    picture: bool = False
    kind: str = "create"
    source: str | None = None
    callback: str | None = None

    @property
    def prompt_sha256(self) -> str:
        return hashlib.sha256(self.prompt.encode()).hexdigest()

    @property
    def film(self) -> str:
        """Name the film; orders that would draw the same bytes share it."""
        return hashlib.sha256(f"{self.prompt_sha256} {self.size} {self.seconds}".encode()).hexdigest()[:32]

    @property
    def cost_micros(self) -> int:
        return int(self.seconds) * PRICE_MICROS_PER_SECOND

    def as_fields(self) -> dict[str, object]:
        return {
            "model": self.model,
            "prompt": self.prompt,
            "size": self.size,
            "seconds": self.seconds,
            "lies": written(self.lies),
            "picture": self.picture,
            "kind": self.kind,
            "source": self.source,
            "callback": self.callback,
        }


@dataclass(slots=True, kw_only=True)
class Job:
    """`ref` is the id that clients see, `end` the status that it ended with, `told` how often each lie was told."""

    id: str
    ref: str
    key: str | None
    credential: str | None
    body_sha256: str
    order: Order
    created_at: float
    takes_s: float
    polls: int = 0
    end: str | None = None
    ended_at: float = 0
    cancel_at: float | None = None
    logged_drawn: bool = False
    called: bool = False
    completed_told: bool = False
    sha256: str | None = None
    told: Counter[str] = field(default_factory=Counter)

    @property
    def drawable(self) -> bool:
        return not any(lie in self.order.lies for lie in _UNDRAWN)

    @property
    def due_at(self) -> float:
        """Tell when it ends, if nobody cancels it; ALWAYS where it never does."""
        return ALWAYS if "never" in self.order.lies else self.created_at + self.takes_s

    def owes(self, lie: str) -> bool:
        """Tell whether a lie is still to be told."""
        told = self.order.lies.get(lie)
        return told is not None and self.told[lie] < told.times

    def truth(self, now: float) -> tuple[str, int]:
        """Tell status and progress as they are."""
        if self.end is not None:
            return self.end, 100 if self.end == "completed" else 0
        if "never" in self.order.lies:
            return _HALFWAY
        share = (now - self.created_at) / self.takes_s if self.takes_s else 1.0
        return "queued" if share < QUEUED_SHARE else "in_progress", max(0, min(int(share * 100), 99))

    def stand(self, now: float) -> tuple[str, int]:
        """Tell status and progress as a poll is told them."""
        for lie, steps in (("backwards", _BACKWARDS), ("falling", _FALLING)):
            if lie in self.order.lies and self.polls <= len(steps):
                return steps[max(self.polls, 1) - 1]
        status, progress = self.truth(now)
        if "odd-word" in self.order.lies and self.end is None:
            return "rendering", progress
        return status, progress


def job_of(event: Event) -> Job:
    """Give the job that an `accepted` of the log tells of."""
    fields = cast("dict[str, object]", event["order"])
    order = Order(
        model=str(fields["model"]),
        prompt=str(fields["prompt"]),
        size=str(fields["size"]),
        seconds=str(fields["seconds"]),
        lies=read_lies(cast("list[str]", fields["lies"])),
        picture=bool(fields["picture"]),
        kind=str(fields["kind"]),
        source=cast("str | None", fields["source"]),
        callback=cast("str | None", fields["callback"]),
    )
    return Job(
        id=str(event["job"]),
        ref=str(event["ref"]),
        key=cast("str | None", event["key"]),
        credential=cast("str | None", event["credential"]),
        body_sha256=str(event["body_sha256"]),
        order=order,
        created_at=cast("float", event["at"]),
        takes_s=cast("float", event["takes_s"]),
    )
