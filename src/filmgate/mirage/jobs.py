"""The vendor's jobs: rebuilt from its log, and moved by nothing but time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from filmgate.mirage.lies import takes_s
from filmgate.mirage.log import Event

QUEUED_SHARE: Final = 0.1
# What a job that goes backwards says to its first polls.
_BACKWARDS: Final = (("in_progress", 80), ("queued", 10))
_NEVER: Final = ("in_progress", 50)
_UNDRAWN: Final = frozenset({"never", "fail", "filtered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client asked for."""

    model: str
    prompt: str
    size: str
    seconds: str
    lies: frozenset[str]
    picture: bool = False

    @property
    def prompt_sha256(self) -> str:
        return hashlib.sha256(self.prompt.encode()).hexdigest()

    @property
    def film(self) -> str:
        """Name the film; orders that would draw the same bytes share it."""
        return hashlib.sha256(f"{self.prompt_sha256} {self.size} {self.seconds}".encode()).hexdigest()[:32]

    def as_fields(self) -> dict[str, object]:
        return {
            "model": self.model,
            "prompt": self.prompt,
            "size": self.size,
            "seconds": self.seconds,
            "lies": sorted(self.lies),
            "picture": self.picture,
        }


@dataclass(slots=True, kw_only=True)
class Job:
    """`told` are the lies that the log already knows of."""

    id: str
    key: str | None
    order: Order
    created_at: float
    takes_s: float
    polls: int = 0
    logged_drawn: bool = False
    sha256: str | None = None
    told: set[str] = field(default_factory=set)

    @property
    def drawable(self) -> bool:
        return not self.order.lies & _UNDRAWN

    def stand(self, now: float) -> tuple[str, int]:
        """Tell status and progress."""
        share = (now - self.created_at) / self.takes_s if self.takes_s else 1.0
        lies = self.order.lies
        if "backwards" in lies and self.polls <= len(_BACKWARDS):
            return _BACKWARDS[max(self.polls, 1) - 1]
        if "never" in lies:
            return _NEVER
        if share >= 1 and not self.drawable:
            return "failed", 0
        if share >= 1 and self.sha256 is not None:
            return "completed", 100
        if "odd-word" in lies:
            return "rendering", min(int(share * 100), 99)
        return "queued" if share < QUEUED_SHARE else "in_progress", min(int(share * 100), 99)


class Jobs:
    """All jobs, in the order in which they came."""

    def __init__(self, *, seed: int, takes: float, lies: frozenset[str], lose_replies: float) -> None:
        self._seed = seed
        self._takes_s = takes
        self._lies = lies
        self._lose_replies = lose_replies
        self._made = 0
        self._by_id: dict[str, Job] = {}
        self._by_key: dict[str, Job] = {}
        self._busy_told: set[str] = set()

    def rebuild(self, past: Sequence[Event]) -> None:
        for event in past:
            self.happened(event)

    def happened(self, event: Event) -> None:
        """Take note of what the log says."""
        job = self._by_id.get(str(event.get("job")))
        match event["event"]:
            case "accepted":
                self._accepted(event)
            case "drawn" if job:
                job.logged_drawn = True
            case "lied" if job:
                job.told.add(str(event["lie"]))
            case "lied" if event["lie"] == "busy":
                self._busy_told.add(str(event["prompt_sha256"]))
            case "deleted" if job:
                del self._by_id[job.id]

    def next_id(self) -> str:
        return "video_" + hashlib.sha256(f"{self._seed} {self._made}".encode()).hexdigest()[:48]

    def lies_of(self, prompted: frozenset[str]) -> frozenset[str]:
        """Tell all lies about the next job, the lot that it drew by chance among them."""
        lot = int.from_bytes(hashlib.sha256(f"lot {self._seed} {self._made}".encode()).digest()[:8], "big")
        drawn = {"lost-reply"} if lot < self._lose_replies * 2**64 else frozenset[str]()
        return self._lies | prompted | drawn

    def busy(self, order: Order) -> bool:
        """Tell whether the vendor pretends to be busy for this prompt, which it does once."""
        return "busy" in order.lies and order.prompt_sha256 not in self._busy_told

    def of_key(self, key: str | None) -> Job | None:
        return None if key is None else self._by_key.get(key)

    def get(self, job_id: str) -> Job | None:
        return self._by_id.get(job_id)

    def all(self) -> list[Job]:
        return list(self._by_id.values())

    def _accepted(self, event: Event) -> None:
        fields = cast("Mapping[str, object]", event["order"])
        order = Order(
            model=str(fields["model"]),
            prompt=str(fields["prompt"]),
            size=str(fields["size"]),
            seconds=str(fields["seconds"]),
            lies=frozenset(cast("list[str]", fields["lies"])),
            picture=bool(fields["picture"]),
        )
        job = Job(
            id=str(event["job"]),
            key=cast("str | None", event["key"]),
            order=order,
            created_at=cast("float", event["at"]),
            takes_s=takes_s(order.lies, self._takes_s),
        )
        self._made += 1
        self._by_id[job.id] = job
        if job.key is not None:
            self._by_key.setdefault(job.key, job)
