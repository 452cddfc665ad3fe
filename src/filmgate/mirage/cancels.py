"""How the vendor stops a job, or does not."""

from filmgate.mirage.books import Books
from filmgate.mirage.calls import Answer, json_answer, refusal
from filmgate.mirage.faults import cut, server_error
from filmgate.mirage.orders import Job
from filmgate.mirage.polls import video_answer


def cancel(books: Books, job: Job) -> Answer:
    """Cancel what runs; what was cancelled stays so, and what has ended otherwise cannot be cancelled."""
    if job.end == "cancelled":
        return video_answer(books, job)
    if job.end is not None:
        raise refusal(400, "cannot_cancel", f"The video is {job.end} already.", "video_id")
    return _stop(books, job) or video_answer(books, job)


def delete(books: Books, job: Job) -> Answer:
    """Delete a job; one that runs is cancelled first."""
    answer = _stop(books, job) if job.end is None else None
    if answer is not None:
        return answer
    if job.end is None:
        # Its end is still to come.
        return video_answer(books, job)
    status = job.end
    books.note("deleted", job)
    return json_answer({"id": job.ref, "object": "video.deleted", "deleted": True, "status": status})


def _stop(books: Books, job: Job) -> Answer | None:
    """Begin the end, or give the answer that hinders it."""
    lies = job.order.lies
    if "no-cancel" in lies:
        books.tell(job, "no-cancel")
        raise refusal(400, "cannot_cancel", "A video in progress cannot be cancelled.", "video_id")
    if job.owes("error-cancel"):
        books.tell(job, "error-cancel")
        return server_error()
    if "vain-cancel" in lies:
        books.tell(job, "vain-cancel")
        return None
    slow = lies.get("slow-cancel")
    if slow is not None:
        books.tell(job, "slow-cancel")
    if job.cancel_at is None:
        books.cancel(job, books.now() + (0 if slow is None else slow.seconds))
    if job.owes("lost-cancel"):
        books.tell(job, "lost-cancel")
        return cut()
    return None
