"""The vendor itself: it takes a call and gives an answer, and knows of no sockets and no clock of its own."""

import hashlib
import re
from typing import Final

from filmgate.mirage import cancels, films, polls, submits
from filmgate.mirage.books import Books
from filmgate.mirage.calls import Answer, Call, Reaction, RefusalError, error
from filmgate.mirage.faults import unauthorized, unknown
from filmgate.mirage.orders import Job

_HASH_CHARACTERS: Final = 16
_ROUTES: Final = tuple(
    (method, re.compile(path), what)
    for method, path, what in (
        ("GET", r"/v1/videos/(?P<ref>[^/]+)", "poll"),
        ("POST", r"/v1/videos", "create"),
        ("GET", r"/v1/videos/(?P<ref>[^/]+)/content", "content"),
        ("GET", r"/v1/files/(?P<file>[^/]+)", "file"),
        ("GET", r"/v1/videos", "list"),
        ("POST", r"/v1/videos/extensions", "extend"),
        ("POST", r"/v1/videos/(?P<ref>[^/]+)/remix", "remix"),
        ("POST", r"/v1/videos/(?P<ref>[^/]+)/cancel", "cancel"),
        ("DELETE", r"/v1/videos/(?P<ref>[^/]+)", "delete"),
    )
)
_SUBMITS: Final = frozenset({"create", "extend", "remix"})


class Vendor:
    def __init__(self, books: Books) -> None:
        self.books = books

    def answer(self, call: Call) -> Reaction:
        """Answer one request; whatever it changes is in the log before."""
        self.books.settle_due()
        what, named = _route(call)
        credential = credential_of(call)
        job = self.books.jobs.get(named["ref"], credential) if "ref" in named else None
        self._note(call, what, job, credential)
        try:
            self._demand_key(call, what)
            return self._do(call, what, named, job, credential)
        except RefusalError as refusal:
            if what in _SUBMITS:
                key = call.headers.get("idempotency-key")
                self.books.note_unmade("refused", None, key, status=refusal.answer.status)
            return refusal.answer

    def _do(
        self, call: Call, what: str, named: dict[str, str], job: Job | None, credential: str | None
    ) -> Reaction:
        match what:
            case "create":
                return submits.create(self.books, call, credential)
            case "extend":
                return submits.extend(self.books, call, credential)
            case "list":
                return polls.listed(self.books, call, credential)
            case "file":
                return films.linked(self.books, named["file"])
        if job is None:
            return unknown(named["ref"]) if "ref" in named else _nowhere(call)
        return self._do_with(call, what, job, credential)

    def _do_with(self, call: Call, what: str, job: Job, credential: str | None) -> Reaction:
        match what:
            case "poll":
                return polls.retrieve(self.books, job)
            case "content":
                return films.content(self.books, call, job)
            case "remix":
                return submits.remix(self.books, call, credential, job)
            case "cancel":
                return cancels.cancel(self.books, job)
            case _:
                return cancels.delete(self.books, job)

    def _demand_key(self, call: Call, what: str) -> None:
        keys = self.books.terms.keys
        if keys and what != "file":
            said = call.headers.get("authorization", "").removeprefix("Bearer ")
            if said not in keys:
                raise RefusalError(unauthorized())

    def _note(self, call: Call, what: str, job: Job | None, credential: str | None) -> None:
        self.books.asked(
            logged=what != "poll" or self.books.terms.polls_logged,
            what="create" if what in _SUBMITS else what,
            method=call.method,
            path=call.path,
            query=dict(call.query),
            job=None if job is None else job.id,
            key=call.headers.get("idempotency-key"),
            credential=credential,
            body_sha256=call.body.sha256,
        )


def credential_of(call: Call) -> str | None:
    """Name the credential of a call without saying it."""
    said = call.headers.get("authorization")
    return None if said is None else hashlib.sha256(said.encode()).hexdigest()[:_HASH_CHARACTERS]


def _route(call: Call) -> tuple[str, dict[str, str]]:
    for method, path, what in _ROUTES:
        if method == call.method and (found := path.fullmatch(call.path)):
            return what, found.groupdict()
    return "unknown", {}


def _nowhere(call: Call) -> Answer:
    return error(404, "unknown_url", f"Unknown request URL: {call.method} {call.path}.")
