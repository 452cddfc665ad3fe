"""What the vendor tells of its jobs: one, or many, or the one of a key."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from filmgate.mirage.books import Books
from filmgate.mirage.calls import Answer, Call, json_answer
from filmgate.mirage.faults import POLL, unauthorized, unknown
from filmgate.mirage.orders import Job
from filmgate.mirage.wire import video

_PAGE: Final = (20, 100)


def retrieve(books: Books, job: Job) -> Answer:
    hidden = _gone(books, job) or locked_out(books, job)
    answer = hidden or _told(books, job)
    if job.owes("slow-poll"):
        books.tell(job, "slow-poll")
        answer = replace(answer, wait_s=job.order.lies["slow-poll"].seconds)
    return answer


def listed(books: Books, call: Call, credential: str | None) -> Answer:
    now, query = books.now(), call.query
    asked = query.get("limit", str(_PAGE[0]))
    limit = min(int(asked), _PAGE[1]) if asked.isdecimal() else _PAGE[0]
    jobs = _after(_visible(books, call, credential), query.get("after"))
    page = list(islice(jobs, limit + 1))
    shown = page[:limit]
    return json_answer(
        {
            "object": "list",
            "data": [video(job, now, keys_shown=books.terms.lookup) for job in shown],
            "first_id": shown[0].ref if shown else None,
            "last_id": shown[-1].ref if shown else None,
            "has_more": len(page) > limit,
        }
    )


def locked_out(books: Books, job: Job) -> Answer | None:
    """Answer 401 while the job's lie says so."""
    told = job.order.lies.get("unauthorized")
    if told is None or books.now() >= job.created_at + told.seconds:
        return None
    books.tell(job, "unauthorized")
    return unauthorized()


def video_answer(books: Books, job: Job) -> Answer:
    """Show a job, and say when to ask again where it goes on."""
    shown = video(job, books.now(), keys_shown=books.terms.lookup)
    wait_ms = round(books.terms.poll_after_s * 1000)
    polled = {"openai-poll-after-ms": str(wait_ms)} if wait_ms and shown["completed_at"] is None else {}
    return json_answer(shown, 200, polled)


def _gone(books: Books, job: Job) -> Answer | None:
    missing = job.order.lies.get("missing")
    if "vanish" in job.order.lies:
        books.tell(job, "vanish")
    elif missing is not None and books.now() < job.created_at + missing.seconds:
        books.tell(job, "missing")
    else:
        return None
    return unknown(job.ref)


def _told(books: Books, job: Job) -> Answer:
    for lie in ("odd-word", "backwards", "falling", "never"):
        if lie in job.order.lies:
            books.tell(job, lie)
    honest = video_answer(books, job)
    owed = next((lie for lie in POLL if job.owes(lie)), None)
    if owed is not None:
        books.tell(job, owed)
        return POLL[owed](honest)
    if job.end == "completed":
        if job.completed_told and job.owes("undone"):
            books.tell(job, "undone")
            return json_answer(video(replace(job, end=None), books.now()) | {"progress": 50})
        job.completed_told = True
    return honest


def _visible(books: Books, call: Call, credential: str | None) -> Iterator[Job]:
    key = call.query.get("idempotency_key")
    if key is not None and books.terms.lookup:
        found = books.jobs.of_key(key, credential)
        jobs = iter(() if found is None or books.jobs.of_id(found.id) is None else (found,))
    else:
        jobs = books.jobs.all(newest_first=call.query.get("order", "desc") == "desc")
    for job in jobs:
        hidden = job.order.lies.get("hidden")
        wait_s = max(books.terms.visible_after_s, 0 if hidden is None else hidden.seconds)
        if books.now() >= job.created_at + wait_s:
            yield job
        elif hidden is not None:
            books.tell(job, "hidden")


def _after(jobs: Iterator[Job], ref: str | None) -> Iterator[Job]:
    if ref is None:
        yield from jobs
        return
    seen = False
    passed = []
    for job in jobs:
        if seen:
            yield job
        else:
            passed.append(job)
            seen = job.ref == ref
    if not seen:
        # Whoever asks from an id that is gone is given all.
        yield from passed
