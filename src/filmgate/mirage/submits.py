"""What the vendor does with a submit: a create, a remix or an extension."""

import math
from collections.abc import Callable
from dataclasses import replace

from filmgate.mirage.books import Books
from filmgate.mirage.calls import Answer, Call, Postponed, Reaction, RefusalError, error, refusal
from filmgate.mirage.faults import REPLY, UNMADE, rate_limited, renamed, unknown
from filmgate.mirage.jobs import RATE_WINDOW_S
from filmgate.mirage.lies import Lies, Told
from filmgate.mirage.orders import Job, Order
from filmgate.mirage.polls import video_answer
from filmgate.mirage.wire import read_extension, read_order, read_remix

_BY_PROMPT = ("fail", "filtered")


def create(books: Books, call: Call, credential: str | None) -> Reaction:
    return _submit(books, call, credential, read_order(call.body))


def remix(books: Books, call: Call, credential: str | None, source: Job) -> Reaction:
    return _submit(books, call, credential, read_remix(call.body, _finished(source)))


def extend(books: Books, call: Call, credential: str | None) -> Reaction:
    """Go on from a film that is named, or that is sent along."""
    ref = call.body.fields.get("video[id]") or call.body.fields.get("video")
    if ref is None and "video" in call.body.files:
        order = replace(read_order(call.body), picture=True, kind="extension")
        return _submit(books, call, credential, order)
    source = books.jobs.get(ref or "", credential)
    if source is None:
        raise RefusalError(unknown(ref, "video"))
    return _submit(books, call, credential, read_extension(call.body, _finished(source)))


def _submit(books: Books, call: Call, credential: str | None, order: Order) -> Reaction:
    key = call.headers.get("idempotency-key")
    body_sha256 = call.body.sha256 or ""
    if (known := _replayed(books, key, credential, body_sha256)) is not None:
        return known
    _limit(books, credential)
    drawn = {
        die.name: die.told for die in books.terms.dice if die.falls(books.terms.seed, books.jobs.submits)
    }
    asked = {**books.terms.lies, **order.lies}
    if (unmade := _unmade(books, order, asked, drawn)) is not None:
        books.note_unmade("lied", order, key, lie=unmade)
        return UNMADE[unmade]()
    order = replace(order, lies=_resolved(books, order, {**asked, **drawn}, frozenset(drawn), credential))

    def accept() -> Answer:
        # Another submit of its key may have come while this one waited.
        again = _replayed(books, key, credential, body_sha256)
        return again or _accept(books, order, key, credential, body_sha256)

    return _when(order.lies, accept)


def _when(lies: Lies, accept: Callable[[], Answer]) -> Reaction:
    late = lies.get("late")
    return accept() if late is None else Postponed(late.seconds, accept)


def _replayed(books: Books, key: str | None, credential: str | None, body_sha256: str) -> Answer | None:
    known = books.jobs.of_key(key, credential) if books.terms.idempotent else None
    if known is None:
        return None
    if known.body_sha256 != body_sha256:
        books.note("mismatched", known, body_sha256=body_sha256)
        return error(422, "idempotency_mismatch", "The Idempotency-Key was used with another body.")
    books.note("replayed", known)
    return video_answer(books, known)


def _limit(books: Books, credential: str | None) -> None:
    terms, now = books.terms, books.now()
    moments = books.jobs.accepted_since(credential, now)
    if terms.submits_per_minute is not None and len(moments) >= terms.submits_per_minute:
        wait_s = moments[-terms.submits_per_minute] + RATE_WINDOW_S - now
        raise RefusalError(rate_limited(max(1, math.ceil(wait_s))))
    if terms.in_flight is not None and books.jobs.running(credential) >= terms.in_flight:
        raise RefusalError(rate_limited())


def _unmade(books: Books, order: Order, asked: Lies, drawn: Lies) -> str | None:
    for lie in UNMADE:
        if lie in drawn:
            return lie
        if lie in asked and books.jobs.told_of(order.prompt_sha256, lie) < asked[lie].times:
            return lie
    return None


def _resolved(books: Books, order: Order, lies: Lies, drawn: frozenset[str], credential: str | None) -> Lies:
    """Leave out what this job has no part in, and say `fail` of an extension that must."""
    made = books.jobs.made_of(order.prompt_sha256)
    kept = {
        name: told
        for name, told in lies.items()
        if name not in UNMADE and (name not in _BY_PROMPT or name in drawn or made < told.times)
    }
    source = None if order.source is None else books.jobs.get(order.source, credential)
    further = order.picture or source is not None
    if further and ("fail-extension" in lies or (source and "fail-extension" in source.order.lies)):
        kept["fail"] = Told()
    return kept


def _accept(books: Books, order: Order, key: str | None, credential: str | None, body_sha256: str) -> Answer:
    before = books.jobs.latest
    job = books.accept(order, key=key, credential=credential, body_sha256=body_sha256)
    books.settle_due()
    honest = video_answer(books, job)
    for lie in ("twin-id", "late", "slow-submit"):
        if lie in order.lies:
            books.tell(job, lie)
    if "same-id" in order.lies and before is not None:
        books.tell(job, "same-id", shown=before.ref)
        honest = renamed(honest, before.ref)
    told = next((lie for lie in REPLY if lie in order.lies), None)
    if told is not None:
        books.tell(job, told)
        honest = REPLY[told](honest)
    slow = order.lies.get("slow-submit")
    return honest if slow is None else replace(honest, wait_s=slow.seconds)


def _finished(source: Job) -> Job:
    if source.end != "completed":
        raise refusal(400, "video_not_completed", "The source video is not completed.", "video")
    return source
