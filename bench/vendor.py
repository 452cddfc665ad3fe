"""The least vendor: it takes every film, has it done after some questions, and takes what it is told, too."""

import itertools
import os
from collections import Counter

import orjson
from starlette.types import Receive, Scope, Send

# How many questions it answers with "not yet"; below zero it is never done.
QUESTIONS = int(os.environ.get("BENCH_QUESTIONS", "2"))
FILM = b"\0\0\0\x18ftypmp42" + bytes(8 * 1024)
_numbers = itertools.count(1)
_asked: Counter[str] = Counter()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        status, body = await _answer(scope["method"], scope["path"], receive)
        kind = b"application/json" if body[:1] == b"{" else b"video/mp4"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(method: str, path: str, receive: Receive) -> tuple[int, bytes]:
    if method == "POST":
        while (await receive()).get("more_body"):
            pass
        return 200, _video(f"video_{next(_numbers)}", "queued")
    name = path.split("/")[3] if path.startswith("/v1/videos/") else ""
    if path.endswith("/content"):
        return 200, FILM
    _asked[name] += 1
    done = 0 <= QUESTIONS < _asked[name]
    if done:
        del _asked[name]
    return 200, _video(name, "completed" if done else "in_progress")


def _video(name: str, status: str) -> bytes:
    progress = 100 if status == "completed" else 10
    return orjson.dumps({"id": name, "object": "video", "status": status, "progress": progress})
