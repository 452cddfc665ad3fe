"""How the vendor gives a film: at its own address, at a link that needs no key, or as a lie."""

import hashlib
from dataclasses import replace
from typing import Final

from filmgate.mirage.books import Books
from filmgate.mirage.calls import Answer, Call, Manner, error, json_answer, refusal
from filmgate.mirage.catalogue import FILM as FILM_LIES
from filmgate.mirage.catalogue import LIES
from filmgate.mirage.faults import FILM
from filmgate.mirage.orders import Job
from filmgate.mirage.polls import locked_out

LINK_LIFE_S: Final = 300
_LIES: Final = tuple(name for name, lie in LIES.items() if lie.when == FILM_LIES and name != "slow-film")
_VIDEO: Final = {"content-type": "video/mp4"}
_HEAD_BYTES: Final = 48
_MANNERS: Final = {
    "overstated": Manner.OVERSTATED,
    "understated": Manner.UNDERSTATED,
    "cut-film": Manner.CUT_IN_BODY,
    "endless": Manner.ENDLESS,
    "drip": Manner.DRIPPING,
    "stall": Manner.STALLED,
}


def content(books: Books, call: Call, job: Job) -> Answer:
    if (locked := locked_out(books, job)) is not None:
        return locked
    if job.end != "completed" or "no-video" in job.order.lies:
        raise refusal(
            404, "not_ready", "Video is not ready yet, use GET /v1/videos/{video_id} to check status."
        )
    if not books.gallery.has(job):
        raise refusal(503, "overloaded", "The film is being drawn again.")
    wait_s = 0.0
    if job.owes("slow-film"):
        books.tell(job, "slow-film")
        wait_s = job.order.lies["slow-film"].seconds
    lie = next((lie for lie in _LIES if job.owes(lie)), None)
    answer = _served(books, job) if lie is None else _lied(books, call, job, lie)
    return replace(answer, wait_s=wait_s) if wait_s else answer


def linked(books: Books, name: str) -> Answer:
    """Serve what a link named; it is `JOB.EXPIRY.mp4`."""
    job_id, _, expiry = name.removesuffix(".mp4").partition(".")
    job = books.jobs.of_id(job_id)
    if job is None or job.end != "completed" or not expiry.isdecimal():
        raise refusal(404, "file_not_found", "There is no such file.")
    if int(expiry) <= books.now():
        raise refusal(403, "link_expired", "The link has expired.")
    return _served(books, job)


def _served(books: Books, job: Job) -> Answer:
    film = books.gallery.film(job)
    books.note("fetched", job, sha256=hashlib.sha256(film).hexdigest(), size_bytes=len(film))
    return Answer(200, film, _VIDEO)


def _lied(books: Books, call: Call, job: Job, lie: str) -> Answer:
    if lie == "drip":
        books.tell(job, lie)
        return replace(_served(books, job), manner=Manner.DRIPPING, lasts_s=job.order.lies[lie].seconds)
    answer = _lying(books, call, job, lie)
    books.tell(job, lie, sha256=hashlib.sha256(answer.body).hexdigest(), size_bytes=len(answer.body))
    return answer


def _lying(books: Books, call: Call, job: Job, lie: str) -> Answer:
    if lie in FILM:
        return FILM[lie]()
    if lie in {"link", "redirect", "expired-link"}:
        expiry = int(books.now()) + (-1 if lie == "expired-link" else LINK_LIFE_S)
        url = f"http://{call.host}/v1/files/{job.id}.{expiry}.mp4"
        return _redirect(url) if lie == "redirect" else json_answer({"url": url})
    if lie == "private-link":
        return json_answer({"url": books.terms.private_url})
    if lie == "private-redirect":
        return _redirect(books.terms.private_url)
    film = books.gallery.film(job)
    match lie:
        case "truncated":
            film = film[: len(film) // 2]
        case "zero":
            film = b""
        case "garbage":
            film = film[:_HEAD_BYTES] + hashlib.shake_256(film).digest(len(film) - _HEAD_BYTES)
    seconds = job.order.lies[lie].seconds
    return Answer(200, film, _VIDEO, _MANNERS.get(lie, Manner.WHOLE), lasts_s=seconds)


def _redirect(url: str) -> Answer:
    return replace(error(302, "moved", "The content is elsewhere."), headers={"location": url})
