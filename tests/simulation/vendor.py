"""A vendor that speaks OpenAI's wire, renders nothing, forgets nothing, and lies by dice.

It shares no code with the gate's side of that wire. What it writes down is what would be on its bill.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from filmgate.domain.contracts_http import HttpReply
from kit.logs import Job, Submit, VendorLog, digest
from simulation.films import film

NO_REPLY: Final = HttpReply(0, {}, b"")
"""The request came, and nobody hears what became of it."""
WORDS: Final = ("queued", "in_progress", "rendering", "", "PENDING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What a vendor can do, how long it takes, and how often it lies; shares are of each request."""

    replays: bool = False
    finds: bool = False
    visible_after_s: int = 10
    cancels: bool = False
    takes_s: float = 60.0
    fails: float = 0.0
    refuses: float = 0.0
    never_ends: float = 0.0
    vanishes: float = 0.0
    stops: float = 0.0
    busy: float = 0.0
    broken: float = 0.0
    silent: float = 0.0
    """Takes the request, and the reply is lost, or is none that says what became of it."""
    mumbles: float = 0.0
    """Answers a question with something that is no answer."""
    torn: float = 0.0
    """Gives less than the whole film, or something else."""
    repeats_ids: float = 0.0
    poll_after_ms: int | None = None
    """When it says that it wants to be asked again."""


HONEST: Final = Manners()
_END: Final = {"refused": "failed"}


@dataclass
class Made:
    credential: str
    ref: str
    key: str
    at: float
    visible_at: float
    ends_at: float
    end: str | None
    cancelled_at: float | None = None
    served: set[str] = field(default_factory=set)
    content: bytes = b""

    def ended(self, now: float) -> str | None:
        if self.cancelled_at is not None:
            return "cancelled"
        return self.end if now >= self.ends_at else None


class Vendor:
    def __init__(self, names: frozenset[str], manners: Manners, dice: random.Random) -> None:
        self.names = names
        self.manners = manners
        self.dice = dice
        self.now: Callable[[], float] = lambda: 0.0
        self._submits: list[Submit] = []
        self._jobs: list[Made] = []
        self._by_ref: dict[tuple[str, str], Made] = {}
        self._lying = True

    def calm(self) -> None:
        """Lie no more; what was begun goes on as it was meant to."""
        self._lying = False

    def job_of(self, key: str) -> Made | None:
        """Look up what its owner sees on the vendor's pages."""
        return next((job for job in self._jobs if job.key == key), None)

    def log(self) -> VendorLog:
        now = self.now()
        jobs = [
            Job(
                ref=job.ref,
                key=job.key,
                at=job.at,
                end=_END.get(job.ended(now) or "", job.ended(now)),
                ended_at=job.cancelled_at if job.cancelled_at is not None else job.ends_at,
                served=frozenset(job.served),
            )
            for job in self._jobs
        ]
        return VendorLog(names=self.names, replays=self.manners.replays, submits=self._submits, jobs=jobs)

    def answer(self, method: str, path: str, headers: Mapping[str, str], query: str) -> HttpReply:
        """Answer a request; `path` is what follows the version."""
        credential = headers.get("authorization", "")
        parts = path.strip("/").split("/")
        if method == "POST" and parts == ["videos"]:
            return self._create(credential, headers["idempotency-key"])
        if method == "GET" and parts == ["videos"]:
            return self._list(credential, query.partition("=")[2].partition("&")[0])
        job = self._by_ref.get((credential, parts[1]))
        if method == "POST" and parts[2:] == ["cancel"]:
            return self._cancel(job)
        return self._status(job)

    def film(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes, bool]:
        """Give a status, bytes, and whether those are all."""
        job = self._by_ref.get((headers.get("authorization", ""), path.strip("/").split("/")[1]))
        if job is None or job.ended(self.now()) != "completed":
            return 404, b'{"error": {"message": "no such film"}}', True
        if self._falls(self.manners.torn):
            return self.dice.choice(
                (
                    (404, b'{"error": {"message": "not yet"}}', True),
                    (200, b"<html>please wait</html>", True),
                    (200, job.content[: len(job.content) // 2], True),
                    (200, job.content[:-3], False),
                    (403, b"expired", True),
                    (200, b"", True),
                )
            )
        job.served.add(digest(job.content))
        return 200, job.content, True

    def _falls(self, share: float) -> bool:
        return self._lying and self.dice.random() < share

    def _create(self, credential: str, key: str) -> HttpReply:
        self._submits.append(Submit(key=key, at=self.now()))
        known = next((job for job in self._jobs if job.key == key), None)
        if known is not None and self.manners.replays:
            return self._told(known)
        if self._falls(self.manners.busy):
            return _error(
                self.dice.choice((429, 503)), "rate_limit", retry_after=self.dice.choice((1, 20, 90))
            )
        if self._falls(self.manners.broken):
            return self.dice.choice(
                (_error(401, "invalid_api_key"), _error(404, "none"), _error(403, "billing"))
            )
        if self._falls(self.manners.refuses):
            return self.dice.choice((_error(400, "moderation_blocked"), _error(422, "bad_size")))
        if self._falls(self.manners.silent / 3):
            # It came to nothing, and nobody can tell.
            return self._unclear(None)
        job = self._begin(credential, key)
        return self._unclear(job) if self._falls(self.manners.silent) else self._told(job)

    def _begin(self, credential: str, key: str) -> Made:
        now, dice, manners = self.now(), self.dice, self.manners
        ref = f"job-{len(self._jobs)}"
        if self._jobs and self._falls(manners.repeats_ids):
            ref = dice.choice(self._jobs).ref
        end: str | None = "completed"
        ends_at = now + manners.takes_s * dice.uniform(0.3, 2.0)
        for share, what in (
            (manners.fails, "failed"),
            (manners.vanishes, "vanished"),
            (manners.stops, "cancelled"),
            (manners.refuses, "refused"),
            (manners.never_ends, None),
        ):
            if self._falls(share):
                end = what
                break
        lag = dice.uniform(0, manners.visible_after_s) if manners.finds else 0.0
        job = Made(credential, ref, key, now, now + lag, ends_at, end)
        job.content = film(f"{key}/{len(self._jobs)}", index_first=dice.random() < 0.8)
        self._jobs.append(job)
        self._by_ref.setdefault((credential, ref), job)
        return job

    def _told(self, job: Made) -> HttpReply:
        return _ok({"id": job.ref, "object": "video", "status": "queued", "idempotency_key": job.key})

    def _unclear(self, job: Made | None) -> HttpReply:
        answers = [
            NO_REPLY,
            HttpReply(500, {}, b'{"error": {"message": "oops"}}'),
            HttpReply(502, {}, b"<html>bad gateway</html>"),
            HttpReply(200, {}, b"<html>thank you</html>"),
            HttpReply(200, {}, b'{"object": "video", "sta'),
            _ok({"object": "video"}),
        ]
        return self.dice.choice(answers if job is not None else answers[:3])

    def _list(self, credential: str, key: str) -> HttpReply:
        if not self.manners.finds:
            return _error(404, "unknown_url")
        if self._falls(self.manners.mumbles):
            return self._mumble()
        jobs = [
            job
            for job in self._jobs
            if job.credential == credential and job.key == key and job.visible_at <= self.now()
        ]
        return _ok({"data": [self._shown(job) for job in jobs], "has_more": False})

    def _cancel(self, job: Made | None) -> HttpReply:
        if not self.manners.cancels:
            return _error(404, "unknown_url")
        if self._falls(self.manners.mumbles):
            return self._mumble()
        if job is None:
            return _error(404, "not_found")
        if job.ended(self.now()) is None:
            if self._falls(self.manners.busy):
                return _error(409, "too_late")
            job.cancelled_at = self.now()
            if self._falls(self.manners.silent):
                return NO_REPLY
        return _ok(self._shown(job))

    def _status(self, job: Made | None) -> HttpReply:
        if self._falls(self.manners.mumbles):
            return self._mumble()
        if job is None or job.ended(self.now()) == "vanished":
            return _error(404, "not_found")
        return _ok(self._shown(job), poll_after_ms=self.manners.poll_after_ms)

    def _shown(self, job: Made) -> dict[str, Any]:
        now = self.now()
        said: dict[str, Any] = {"id": job.ref, "object": "video", "idempotency_key": job.key}
        match job.ended(now):
            case "completed":
                return said | {"status": "completed", "progress": 100}
            case "failed":
                return said | {"status": "failed", "error": {"code": "gpu", "message": "a fan stopped"}}
            case "refused":
                return said | {"status": "failed", "error": {"code": "content_policy", "message": "not this"}}
            case "cancelled":
                return said | {"status": "cancelled"}
        share = min(0.99, (now - job.at) / max(job.ends_at - job.at, 1.0))
        if self._falls(self.manners.mumbles):
            # It goes back, or says a word that nobody knows.
            return said | {"status": self.dice.choice(WORDS), "progress": self.dice.randrange(100)}
        return said | {"status": "in_progress", "progress": int(share * 100)}

    def _mumble(self) -> HttpReply:
        return self.dice.choice(
            (
                NO_REPLY,
                HttpReply(500, {}, b"oops"),
                HttpReply(200, {}, b"<html>maintenance</html>"),
                HttpReply(200, {}, b""),
                HttpReply(200, {}, b'{"error": {"message": "try later"}}'),
                _ok({"id": "another", "status": "failed", "error": {"code": "x"}}),
                _error(401, "invalid_api_key"),
                _error(404, "not_found"),
                HttpReply(429, {"retry-after": "30"}, b"slow down"),
            )
        )


def _ok(body: Mapping[str, Any], poll_after_ms: int | None = None) -> HttpReply:
    pace = {} if poll_after_ms is None else {"openai-poll-after-ms": str(poll_after_ms)}
    return HttpReply(200, {"content-type": "application/json", **pace}, json.dumps(body).encode())


def _error(status: int, code: str, retry_after: int | None = None) -> HttpReply:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return HttpReply(status, headers, json.dumps({"error": {"code": code, "message": code}}).encode())
