"""A gate that plays its tasks by the clock: the real pages and sessions, around answers that are made up."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from filmgate.console.pages import pages
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.web.answers import json_answer, language_of, problem_answer
from filmgate.web.session import Sessions

KEY = "sk-stub"
OPERATOR = "sk-operator"
PHASES = (("queued", 0.5), ("preparing", 0.4), ("generating", 1.2), ("collecting", 0.3))


class Clock:
    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return asyncio.get_running_loop().time()


class Chance:
    """Counts, so that every value is new and none is secret."""

    def __init__(self):
        self._numbers = itertools.count(1)

    def bytes(self, count):
        return next(self._numbers).to_bytes(count, "big")

    def share(self):
        return 0.5


async def owner_of_key(key, address):
    owners = {KEY: Owner(account_id=7, key_id=3), OPERATOR: Owner(0, 1, operator=True)}
    return owners.get(key)


async def problem(request, error):
    return problem_answer(error, language_of(request))


def model(name, sizes, seconds, pictures=1):
    return {
        "name": name, "owner": "filmgate", "about": "", "dialects": [], "seconds": seconds,
        "default_seconds": seconds[-1] if len(seconds) < 9 else 8, "sizes": sizes,
        "pictures": {"first": pictures, "last": 0, "reference": 0}, "sound": True, "available": True,
    }  # fmt: skip


MODELS = [
    model("sora-2", ["720x1280", "1280x720"], [4, 8, 12]),
    model(
        "animatic",
        ["1280x720", "720x1280", "1920x1080", "1080x1920", "1024x1792", "1792x1024", "720x720"],
        list(range(1, 26)),
    ),
    model("words-only", ["1280x720"], [4, 6, 8], pictures=0),
]


@dataclass
class Gate:
    """What the made-up gate knows; `films` are files by number of task, `speed` multiplies its clock."""

    films: list[Path]
    speed: float = 1.0
    tasks: dict[str, tuple[int, dict[str, str], datetime]] = field(default_factory=dict)
    bodies: list[dict[str, str]] = field(default_factory=list)
    refusing: str | None = None
    silent: bool = False
    losing: int = 0
    orders: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.sessions = Sessions([b"k" * 32], Clock(), Chance())

    def app(self):
        routes = [
            *pages(self.sessions, owner_of_key),
            Route("/gate/v1/models", self.models),
            Route("/gate/v1/tasks", self.create, methods=["POST"]),
            Route("/gate/v1/tasks", self.page),
            Route("/gate/v1/tasks/{id}", self.show),
            Route("/files/{id}/{name}", self.file),
        ]
        return Starlette(routes=routes, exception_handlers={Problem: problem})

    def _check(self, request):
        said = request.headers.get("authorization")
        if said != f"Bearer {KEY}" and self.sessions.visitor(request) is None:
            raise Problem("missing_key")

    async def models(self, request):
        self._check(request)
        return json_answer(200, {"data": MODELS})

    async def create(self, request):
        self._check(request)
        if self.refusing:
            raise Problem(self.refusing, field="prompt", length=9, limit=8)
        body = await request.json()
        self.bodies.append(body)
        id_ = f"01990000-0000-7000-8000-{len(self.tasks):012}"
        id_ = self.orders.setdefault(request.headers.get("idempotency-key", id_), id_)
        self.tasks.setdefault(id_, (len(self.tasks), body, datetime.now(UTC)))
        if self.losing:
            self.losing -= 1
            return Response("a proxy's own words", 504)
        return json_answer(201, self.shown(id_, request))

    async def page(self, request):
        self._check(request)
        limit = int(request.query_params.get("limit", "20"))
        data = [self.shown(id_, request) for id_ in reversed(self.tasks)]
        return json_answer(200, {"data": data[:limit], "next_cursor": None})

    async def show(self, request):
        self._check(request)
        id_, query = request.path_params["id"], request.query_params
        if id_ not in self.tasks:
            raise Problem("task_not_found")
        give_up = asyncio.get_running_loop().time() + float(query.get("wait", "0"))
        while True:
            if self.silent:
                raise Problem("store_unavailable")
            task = self.shown(id_, request)
            now = asyncio.get_running_loop().time()
            if task["version"] > int(query.get("after", "0")) or task["ended_at"] or now > give_up:
                return json_answer(200, task)
            await asyncio.sleep(0.05)

    async def file(self, request):
        kind = request.path_params["name"].rpartition(".")[2]
        no = self.tasks[request.path_params["id"]][0]
        path = self.films[no % len(self.films)].with_suffix(f".{kind}")
        return FileResponse(path)

    def shown(self, id_, request):
        no, body, created = self.tasks[id_]
        passed = (datetime.now(UTC) - created).total_seconds() * self.speed
        state, share = state_at(passed, "fail" in body["prompt"])
        total = sum(seconds for _, seconds in PHASES)
        progress = {"queued": 0, "preparing": 0, "generating": int(share * 90), "collecting": 95}.get(
            state, 60
        )
        done = state == "succeeded"
        started = None if state == "queued" else created + timedelta(seconds=PHASES[0][1] / self.speed)
        ended = created + timedelta(seconds=total / self.speed) if state in {"succeeded", "failed"} else None
        link = f"http://elsewhere.example/files/{id_}"
        failure = Problem("content_refused", reason="the prompt names a real person")
        return {
            "id": id_, "name": f"film_{no}", "dialect": "gate", "state": state,
            "progress": 100 if done else progress, "model": body["model"], "prompt": body["prompt"],
            "size": body["size"], "seconds": body["seconds"],
            "queue_position": max(0, 2 - int(share * 3)) if state == "queued" else None,
            "hold_micros": 0, "cost_micros": None, "created_at": created.isoformat(),
            "started_at": started and started.isoformat(), "ended_at": ended and ended.isoformat(),
            "waited_s": min(passed, PHASES[0][1]) / self.speed,
            "running_s": max(0.0, min(passed, total) - PHASES[0][1]) / self.speed,
            "version": 1 + int(min(passed, total) * 20),
            "error": {"code": failure.code, "message": failure.text(language_of(request))}
            if state == "failed" else None,
            "film": facts_of(self.films[no % len(self.films)]) if done else None,
            "urls": {
                "self": "", "video": f"{link}/v.mp4" if done else None,
                "thumbnail": f"{link}/t.webp" if done else None,
            },
        }  # fmt: skip


def state_at(passed, failing):
    for state, seconds in PHASES:
        if passed < seconds:
            return state, passed / seconds
        passed -= seconds
        if failing and state == "generating":
            return "failed", 0.0
    return "succeeded", 1.0


def facts_of(path):
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        return {
            "seconds": video.frames / 24, "width": video.width, "height": video.height,
            "fps": 24.0, "frames": video.frames, "size_bytes": path.stat().st_size,
            "video_codec": video.codec_context.name,
            "audio_codec": film.streams.audio[0].codec_context.name if film.streams.audio else None,
        }  # fmt: skip


def draw_film(path, width=320, height=180, seconds=2):
    """Write a small H.264 film in which a light moves, and its thumbnail."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "30", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 24)
        for no in range(24 * seconds):
            light = np.exp(-(((across - no / 24 / seconds) ** 2) + (down - 0.5) ** 2) * 12)
            picture = np.stack([40 + 200 * light, 50 + 130 * light, 90 + 40 * down], axis=-1).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if no == 8:
                frame.to_image().save(path.with_suffix(".webp"))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def small_film(tmp_path_factory):
    return draw_film(tmp_path_factory.mktemp("films") / "light.mp4")


@pytest.fixture
def gate(small_film):
    return Gate([small_film])


@pytest.fixture
def serving():
    return serve


@asynccontextmanager
async def serve(gate, port):
    server = Server(
        gate.app(), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_level=LogLevels.error
    )
    serving_ = asyncio.create_task(server.serve())
    try:
        for _ in range(100):
            await asyncio.sleep(0.05)
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            writer.close()
            break
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await serving_
