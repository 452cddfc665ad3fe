"""The books: jobs, log and clock together, and what falls due in time."""

import heapq
from collections import deque
from collections.abc import Callable
from typing import Final

from filmgate.mirage.callbacks import Callback, first_callbacks, repeated
from filmgate.mirage.catalogue import ALWAYS
from filmgate.mirage.gallery import Gallery
from filmgate.mirage.jobs import Jobs
from filmgate.mirage.log import Event, Log
from filmgate.mirage.orders import Job, Order
from filmgate.mirage.terms import Terms

_DRAWING_CHECK_S: Final = 0.02


class Books:
    """What a former life left in the log goes on: jobs are due as before, callbacks not sent are owed."""

    def __init__(self, terms: Terms, log: Log, gallery: Gallery, now: Callable[[], float]) -> None:
        self.terms = terms
        self.gallery = gallery
        self.now = now
        self.jobs = Jobs(seed=terms.seed)
        self.to_draw: deque[Job] = deque()
        self._log = log
        self._due: list[tuple[float, str]] = []
        self._calls: list[tuple[float, int, Callback]] = []
        self._calls_made = 0
        self.jobs.rebuild(log.past())
        for job in self.jobs.all():
            self._take_up(job)

    def asked(self, *, logged: bool, **fields: object) -> None:
        """Note a request."""
        if logged:
            self.jobs.happened(self._log.write("request", **fields))
        else:
            self.jobs.happened({"event": "request", **fields})

    def accept(self, order: Order, *, key: str | None, credential: str | None, body_sha256: str) -> Job:
        job_id, ref = self.jobs.next_ref(credential, twin="twin-id" in order.lies)
        slow = order.lies.get("slow")
        event = self._log.write(
            "accepted",
            job=job_id,
            key=key,
            prompt_sha256=order.prompt_sha256,
            lie=None,
            ref=ref,
            credential=credential,
            body_sha256=body_sha256,
            takes_s=self.terms.takes_s if slow is None else slow.seconds,
            order=order.as_fields(),
        )
        self.jobs.happened(event)
        job = self.jobs.of_id(job_id)
        assert job is not None  # noqa: S101  # it has just been accepted
        self._take_up(job)
        if "callback-early" in order.lies:
            self._owe(first_callbacks(job, self.terms, self.now(), early=True))
        return job

    def note(self, event: str, job: Job, *, lie: str | None = None, **more: object) -> Event:
        written = self._log.write(
            event, job=job.id, key=job.key, prompt_sha256=job.order.prompt_sha256, lie=lie, **more
        )
        self.jobs.happened(written)
        return written

    def note_unmade(self, event: str, order: Order | None, key: str | None, **more: object) -> None:
        """Note what concerns a submit that made nothing."""
        prompt = None if order is None else order.prompt_sha256
        self.jobs.happened(self._log.write(event, job=None, key=key, prompt_sha256=prompt, **more))

    def tell(self, job: Job, lie: str, **more: object) -> None:
        """Note a lie each time where its times are counted, else once."""
        if job.order.lies[lie].times != ALWAYS or not job.told[lie]:
            self.note("lied", job, lie=lie, **more)

    def drawn(self, job: Job, sha256: str) -> None:
        """Note that the film is there."""
        if not job.logged_drawn:
            self.note("drawn", job, sha256=sha256)
        job.sha256 = sha256
        self._settle(job)

    def cancel(self, job: Job, effect_at: float) -> None:
        self.note("cancelling", job, effect_at=effect_at)
        heapq.heappush(self._due, (effect_at, job.id))
        self.settle_due()

    def settle_due(self) -> None:
        """End what time has ended."""
        now = self.now()
        while self._due and self._due[0][0] <= now:
            _, job_id = heapq.heappop(self._due)
            job = self.jobs.of_id(job_id)
            if job is not None and not self._settle(job):
                heapq.heappush(self._due, (now + _DRAWING_CHECK_S, job_id))

    def callbacks_due(self) -> list[Callback]:
        """Give the callbacks that are to be sent now, each once: tell `called` what came of it."""
        due = []
        while self._calls and self._calls[0][0] <= self.now():
            due.append(heapq.heappop(self._calls)[2])
        return due

    def called(self, callback: Callback, status: int | None) -> None:
        """Note the answer to a callback, None where there was none; a failed one is owed again."""
        job = self.jobs.of_id(callback.job_id)
        if job is None:
            return
        self.note("called", job, url=callback.url, status=status, early=callback.early, tries=callback.tries)
        self._owe(repeated(callback, status, self.now()))

    def _take_up(self, job: Job) -> None:
        if job.end is None:
            if self.terms.fast and job.drawable:
                job.sha256 = self.gallery.tiny_sha256
            elif job.drawable:
                self.to_draw.append(job)
            when = job.due_at if job.cancel_at is None else job.cancel_at
            if when != ALWAYS:
                heapq.heappush(self._due, (when, job.id))
            return
        if job.drawable and not self.gallery.has(job):
            self.to_draw.append(job)
        if not job.called and job.end != "cancelled":
            self._owe(first_callbacks(job, self.terms, self.now()))

    def _settle(self, job: Job) -> bool:
        """End the job if it is time; tell False where it only waits for its film."""
        now = self.now()
        if job.end is not None:
            return True
        if job.cancel_at is not None:
            if now >= job.cancel_at:
                self.note("ended", job, status="cancelled", cost_micros=0)
            return True
        if now < job.due_at:
            return True
        if job.drawable and job.sha256 is None:
            return False
        if job.drawable and not job.logged_drawn:
            self.note("drawn", job, sha256=job.sha256)
        failed = "fail" in job.order.lies or "filtered" in job.order.lies
        cost = job.order.cost_micros if job.drawable else 0
        self.note("ended", job, status="failed" if failed else "completed", cost_micros=cost)
        self._owe(first_callbacks(job, self.terms, now))
        if "callback-lost" in job.order.lies:
            self.tell(job, "callback-lost")
        return True

    def _owe(self, calls: list[tuple[float, Callback]]) -> None:
        for at, callback in calls:
            self._calls_made += 1
            heapq.heappush(self._calls, (at, self._calls_made, callback))
