"""The vendor itself: routes over its jobs, and the lies that it tells on the way."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from filmgate.mirage.film import draw
from filmgate.mirage.jobs import Job, Jobs, Order
from filmgate.mirage.log import Log
from filmgate.mirage.wire import Refusal, error_answer, read_order, sides, video, video_answer

BODY_BYTES: Final = 64 * 1024 * 1024
RETRY_AFTER_S: Final = 1
_PAGE: Final = (20, 100)
_HTML: Final = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
_ONCE: Final = ("html", "truncated")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Mirage:
    """One vendor over one folder of films. `key` is what it demands as a bearer token; none lets everyone in."""

    def __init__(
        self, jobs: Jobs, log: Log, films: Path, now: Callable[[], float], *, idempotent: bool, key: str = ""
    ) -> None:
        self._jobs = jobs
        self._log = log
        self._films = films
        self._now = now
        self._idempotent = idempotent
        self._key = key
        self._accepting = asyncio.Lock()
        self._easels = asyncio.Semaphore(os.cpu_count() or 1)
        self._drawing: set[asyncio.Task[None]] = set()
        self._hashes: dict[Path, str] = {}

    def application(self) -> web.Application:
        """Make the server's application; what a former run left unfinished is drawn once it starts."""
        app = web.Application(middlewares=[self._guarded], client_max_size=BODY_BYTES)
        app.router.add_post("/v1/videos", self._create)
        app.router.add_get("/v1/videos", self._list)
        app.router.add_get("/v1/videos/{id}", self._retrieve)
        app.router.add_delete("/v1/videos/{id}", self._delete)
        app.router.add_get("/v1/videos/{id}/content", self._content)
        app.on_startup.append(self._resume)
        app.on_cleanup.append(self._stop)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return error_answer(401, "invalid_api_key", "Incorrect API key provided.")
        try:
            return await handler(request)
        except Refusal as refusal:
            return error_answer(refusal.status, refusal.code, str(refusal), refusal.param)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        order = await read_order(request)
        key = request.headers.get("idempotency-key")
        # What is asked of the jobs must still hold when it is written.
        async with self._accepting:
            known = self._jobs.of_key(key) if self._idempotent else None
            if known is not None:
                await self._note("replayed", known)
                return video_answer(known, self._now())
            order = replace(order, lies=self._jobs.lies_of(order.lies))
            if (unmade := await self._unmade(order, key)) is not None:
                return unmade
            job = await self._accept(order, key)
        self._begin(job)
        for lie, answer in (("lost-reply", _cut), ("error-after-accept", _error_500)):
            if lie in order.lies:
                await self._note("lied", job, lie=lie)
                return answer(request)
        return video_answer(job, self._now())

    async def _unmade(self, order: Order, key: str | None) -> web.Response | None:
        lie = "busy" if self._jobs.busy(order) else "refuse" if "refuse" in order.lies else None
        if lie is None:
            return None
        self._jobs.happened(
            await self._log.write("lied", job=None, key=key, prompt_sha256=order.prompt_sha256, lie=lie)
        )
        if lie == "busy":
            wait = {"retry-after": str(RETRY_AFTER_S)}
            return error_answer(
                429, "rate_limit_exceeded", "Rate limit reached, nothing was created.", None, wait
            )
        return error_answer(400, "moderation_blocked", "Your request was blocked by our moderation system.")

    async def _accept(self, order: Order, key: str | None) -> Job:
        job_id = self._jobs.next_id()
        self._jobs.happened(
            await self._log.write(
                "accepted",
                job=job_id,
                key=key,
                prompt_sha256=order.prompt_sha256,
                lie=None,
                order=order.as_fields(),
            )
        )
        return self._job(job_id)

    async def _list(self, request: web.Request) -> web.Response:
        jobs = self._jobs.all()
        if request.query.get("order", "desc") == "desc":
            jobs.reverse()
        after, asked = request.query.get("after"), request.query.get("limit", str(_PAGE[0]))
        limit = min(int(asked), _PAGE[1]) if asked.isdecimal() else _PAGE[0]
        start = next((no + 1 for no, job in enumerate(jobs) if job.id == after), 0)
        page = jobs[start : start + limit]
        return web.json_response(
            {
                "object": "list",
                "data": [video(job, self._now()) for job in page],
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
                "has_more": start + limit < len(jobs),
            }
        )

    async def _retrieve(self, request: web.Request) -> web.Response:
        job = self._job(request.match_info["id"])
        job.polls += 1
        for lie in ("vanish", "backwards", "odd-word", "never"):
            if lie in job.order.lies and lie not in job.told:
                await self._note("lied", job, lie=lie)
        if "vanish" in job.order.lies:
            raise _unknown(job.id)
        return video_answer(job, self._now())

    async def _delete(self, request: web.Request) -> web.Response:
        job = self._job(request.match_info["id"])
        await self._note("deleted", job)
        return web.json_response({"id": job.id, "object": "video.deleted", "deleted": True})

    async def _content(self, request: web.Request) -> web.Response:
        job = self._job(request.match_info["id"])
        if job.stand(self._now())[0] != "completed":
            raise Refusal(
                404, "not_ready", "Video is not ready yet, use GET /v1/videos/{video_id} to check status."
            )
        lie = next((lie for lie in _ONCE if lie in job.order.lies and lie not in job.told), None)
        if lie == "html" or "html-always" in job.order.lies:
            await self._note("lied", job, lie=lie or "html-always")
            return web.Response(text=_HTML, content_type="text/html")
        content = await asyncio.to_thread(self._film(job).read_bytes)
        if lie == "truncated":
            content = content[: len(content) // 2]
            await self._note("lied", job, lie=lie)
        else:
            await self._note("fetched", job, sha256=job.sha256, size_bytes=len(content))
        return web.Response(body=content, content_type="video/mp4")

    def _begin(self, job: Job) -> None:
        if job.drawable:
            task = asyncio.create_task(self._draw(job))
            self._drawing.add(task)
            task.add_done_callback(self._drawing.discard)

    async def _draw(self, job: Job) -> None:
        film = self._film(job)
        part = None
        # Orders that would draw the same bytes share them.
        if film not in self._hashes and not film.exists():
            async with self._easels:
                part = await asyncio.to_thread(_drawn, job, film)
        if not job.logged_drawn:
            await self._note("drawn", job)
        if part is not None:
            part.replace(film)
        if film not in self._hashes:
            self._hashes[film] = await asyncio.to_thread(_sha256, film)
        job.sha256 = self._hashes[film]

    async def _note(self, event: str, job: Job, *, lie: str | None = None, **more: object) -> None:
        written = await self._log.write(
            event, job=job.id, key=job.key, prompt_sha256=job.order.prompt_sha256, lie=lie, **more
        )
        self._jobs.happened(written)

    def _film(self, job: Job) -> Path:
        return self._films / f"{job.order.film}.mp4"

    def _job(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise _unknown(job_id)
        return job

    async def _resume(self, _: web.Application) -> None:
        for job in self._jobs.all():
            self._begin(job)

    async def _stop(self, _: web.Application) -> None:
        for task in self._drawing:
            task.cancel()
        await asyncio.gather(*self._drawing, return_exceptions=True)


def _unknown(job_id: str) -> Refusal:
    return Refusal(404, "video_not_found", f"Video with id {job_id!r} not found.", "video_id")


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _error_500(_: web.Request) -> web.StreamResponse:
    return error_answer(500, None, "The server had an error while processing your request.")


def _drawn(job: Job, film: Path) -> Path:
    part = film.with_name(f"{job.id}.part")
    width, height = sides(job.order)
    shade = bytes.fromhex(job.order.prompt_sha256)
    draw(part, width=width, height=height, seconds=int(job.order.seconds), shade=shade)
    return part


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
