"""What the vendor's log comes to: who sent what, what was made, billed and served. It needs nothing but the log."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorJob:
    """`ref` is the id that clients were told; `end` is completed, failed, cancelled, or None while it goes on."""

    id: str
    ref: str
    key: str | None
    credential: str | None
    at: float
    drawn: int
    end: str | None
    billed_micros: int
    replayed: int
    deleted: bool
    served_sha256: frozenset[str]
    lies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ledger:
    """`jobs` in the order in which they were made; `submits` counts the requests to make one, by key.

    `refused` are the submits that were answered with an error and made nothing, by their status, and `unmade`
    those by the lie that was told.
    """

    jobs: Mapping[str, VendorJob]
    submits: Mapping[str | None, int]
    requests: Mapping[str, int]
    refused: Mapping[int, int]
    unmade: Mapping[str, int]

    @property
    def accepted_keys(self) -> Mapping[str, tuple[str, ...]]:
        """Give the jobs of each key that made one."""
        jobs: defaultdict[str, list[str]] = defaultdict(list)
        for job in self.jobs.values():
            if job.key is not None:
                jobs[job.key].append(job.id)
        return {key: tuple(ids) for key, ids in jobs.items()}

    @property
    def keys_accepted_twice(self) -> Mapping[str, tuple[str, ...]]:
        return {key: ids for key, ids in self.accepted_keys.items() if len(ids) > 1}

    @property
    def jobs_without_key(self) -> tuple[str, ...]:
        return tuple(job.id for job in self.jobs.values() if job.key is None)

    @property
    def drawn_twice(self) -> tuple[str, ...]:
        return tuple(job.id for job in self.jobs.values() if job.drawn > 1)

    @property
    def billed_micros(self) -> Mapping[str, int]:
        """Give what each billed job cost."""
        return {job.id: job.billed_micros for job in self.jobs.values() if job.billed_micros}

    @property
    def served_sha256(self) -> Mapping[str, frozenset[str]]:
        """Give the digests of the films that were sent whole, by job."""
        return {job.id: job.served_sha256 for job in self.jobs.values() if job.served_sha256}

    def of_key(self, key: str) -> tuple[VendorJob, ...]:
        return tuple(job for job in self.jobs.values() if job.key == key)

    def under(self, prefix: str) -> tuple[VendorJob, ...]:
        """Give the jobs whose key begins with a prefix, such as that of a task."""
        return tuple(job for job in self.jobs.values() if job.key is not None and job.key.startswith(prefix))

    def by_prefix(self, parts: int = 1) -> Mapping[str, tuple[VendorJob, ...]]:
        """Gather the jobs by the first parts of their keys, which dots divide."""
        gathered: defaultdict[str, list[VendorJob]] = defaultdict(list)
        for job in self.jobs.values():
            if job.key is not None:
                gathered[".".join(job.key.split(".")[:parts])].append(job)
        return {prefix: tuple(jobs) for prefix, jobs in gathered.items()}


def read_ledger(path: Path) -> Ledger:
    """Read a log, also while it is written to: a last line that is not whole is left out."""
    with path.open("rb") as lines:
        return ledger_of(lines)


def ledger_of(lines: Iterable[bytes]) -> Ledger:
    """Read the lines of a log. Raise ValueError for a line that is no event."""
    drafts: dict[str, _Draft] = {}
    submits: Counter[str | None] = Counter()
    requests: Counter[str] = Counter()
    refused: Counter[int] = Counter()
    unmade: Counter[str] = Counter()
    for line in lines:
        if not line.endswith(b"\n"):
            break
        event = json.loads(line)
        if event["event"] == "request":
            requests[event["what"]] += 1
            if event["what"] == "create":
                submits[event["key"]] += 1
        elif event["event"] == "accepted":
            drafts[event["job"]] = _Draft(event)
        elif event["job"] in drafts:
            drafts[event["job"]].happened(event)
        elif event["event"] == "refused":
            refused[event["status"]] += 1
        elif event["event"] == "lied":
            unmade[event["lie"]] += 1
    jobs = {id_: draft.job() for id_, draft in drafts.items()}
    return Ledger(jobs, dict(submits), dict(requests), dict(refused), dict(unmade))


@dataclass(slots=True)
class _Draft:
    accepted: Mapping[str, Any]
    counts: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    served: set[str] = field(default_factory=set)
    end: str | None = None
    billed_micros: int = 0

    def happened(self, event: Mapping[str, Any]) -> None:
        self.counts[event["event"]] += 1
        match event["event"]:
            case "lied":
                self.lies[event["lie"]] += 1
            case "fetched":
                self.served.add(event["sha256"])
            case "ended":
                self.end = event["status"]
                self.billed_micros += event["cost_micros"]

    def job(self) -> VendorJob:
        return VendorJob(
            id=self.accepted["job"],
            ref=self.accepted["ref"],
            key=self.accepted["key"],
            credential=self.accepted["credential"],
            at=self.accepted["at"],
            drawn=self.counts["drawn"],
            end=self.end,
            billed_micros=self.billed_micros,
            replayed=self.counts["replayed"],
            deleted=bool(self.counts["deleted"]),
            served_sha256=frozenset(self.served),
            lies=dict(self.lies),
        )
