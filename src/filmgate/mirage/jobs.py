"""All jobs of the vendor: rebuilt from its log, and changed by nothing but what the log says."""

import hashlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Final, cast

from filmgate.mirage.log import Event
from filmgate.mirage.orders import Job, job_of

RATE_WINDOW_S: Final = 60.0
_TAKEN: Final = range(200, 300)


class Jobs:
    """`submits` counts the submits of the vendor's life; they number its dice."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self.submits = 0
        self._made: Counter[str | None] = Counter()
        self._by_id: dict[str, Job] = {}
        self._by_ref: defaultdict[str, list[Job]] = defaultdict(list)
        self._by_key: dict[tuple[str | None, str], Job] = {}
        self._of_prompt: Counter[str] = Counter()
        self._told_of_prompt: Counter[tuple[str, str]] = Counter()
        self._running: defaultdict[str | None, set[str]] = defaultdict(set)
        self._accepted_at: defaultdict[str | None, deque[float]] = defaultdict(deque)
        self.latest: Job | None = None

    def rebuild(self, past: Iterable[Event]) -> None:
        for event in past:
            self.happened(event)

    def happened(self, event: Event) -> None:
        """Take note of what the log says."""
        job = self._by_id.get(str(event.get("job")))
        name = str(event["event"])
        if name == "request":
            self.submits += event["what"] == "create"
            if job is not None:
                job.polls += event["what"] == "poll"
        elif name == "accepted":
            self._accepted(event)
        elif job is not None:
            self._changed(job, name, event)
        elif name == "lied":
            self._told_of_prompt[str(event["prompt_sha256"]), str(event["lie"])] += 1

    def next_ref(self, credential: str | None, *, twin: bool) -> tuple[str, str]:
        """Give the next job's own id and the one that clients see."""
        number = self._made.total()
        own = _ref(f"{self._seed} {number}")
        return own, _ref(f"twin {self._made[credential]}") if twin else own

    def get(self, ref: str, credential: str | None) -> Job | None:
        """Find a job by what clients call it; of two with one id, the credential's own."""
        found = self._by_ref.get(ref)
        if not found:
            return None
        return next((job for job in found if job.credential == credential), found[0])

    def of_id(self, job_id: str) -> Job | None:
        return self._by_id.get(job_id)

    def of_key(self, key: str | None, credential: str | None) -> Job | None:
        return None if key is None else self._by_key.get((credential, key))

    def all(self, *, newest_first: bool = False) -> Iterator[Job]:
        return iter(reversed(self._by_id.values()) if newest_first else self._by_id.values())

    def made_of(self, prompt_sha256: str) -> int:
        return self._of_prompt[prompt_sha256]

    def told_of(self, prompt_sha256: str, lie: str) -> int:
        return self._told_of_prompt[prompt_sha256, lie]

    def running(self, credential: str | None) -> int:
        return len(self._running[credential])

    def accepted_since(self, credential: str | None, now: float) -> deque[float]:
        """Give when the jobs of the last minute were made, the oldest first."""
        moments = self._accepted_at[credential]
        while moments and moments[0] <= now - RATE_WINDOW_S:
            moments.popleft()
        return moments

    def _accepted(self, event: Event) -> None:
        job = job_of(event)
        self.latest = self._by_id[job.id] = job
        self._made[job.credential] += 1
        self._by_ref[job.ref].append(job)
        self._of_prompt[job.order.prompt_sha256] += 1
        self._running[job.credential].add(job.id)
        self._accepted_at[job.credential].append(job.created_at)
        if job.key is not None:
            self._by_key.setdefault((job.credential, job.key), job)

    def _changed(self, job: Job, name: str, event: Event) -> None:
        match name:
            case "ended":
                job.end, job.ended_at = str(event["status"]), cast("float", event["at"])
                self._running[job.credential].discard(job.id)
            case "drawn":
                job.logged_drawn = True
            case "cancelling":
                job.cancel_at = cast("float", event["effect_at"])
            case "called":
                job.called = job.called or (not event["early"] and event["status"] in _TAKEN)
            case "lied":
                job.told[str(event["lie"])] += 1
            case "deleted":
                del self._by_id[job.id]
                self._by_ref[job.ref].remove(job)


def _ref(text: str) -> str:
    return "video_" + hashlib.sha256(text.encode()).hexdigest()[:48]
