"""The OpenAI Videos API as the vendor speaks it: what it reads of a request, and what it answers."""

import json
import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.web_request import FileField

from filmgate.mirage.jobs import Job, Order
from filmgate.mirage.lies import told_in

POLL_AFTER_MS: Final = 250
_SIZE: Final = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")
_SECONDS: Final = (1, 60)
_PROMPT_CHARACTERS: Final = 32_000
_LIFE_S: Final = 3600


class Refusal(Exception):  # noqa: N818  # an answer, and no fault of the program
    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


async def read_order(request: web.Request) -> Order:
    """Read a create in either of its forms. Raise Refusal."""
    fields, picture = await _fields(request)
    prompt = fields.get("prompt", "")
    if not 1 <= len(prompt) <= _PROMPT_CHARACTERS:
        raise Refusal(
            400, "invalid_value", f"prompt must have 1 to {_PROMPT_CHARACTERS} characters", "prompt"
        )
    size, seconds = fields.get("size", "720x1280"), fields.get("seconds", "4")
    if _SIZE.fullmatch(size) is None:
        raise Refusal(400, "invalid_value", f"size must be such as 720x1280, not {size!r}", "size")
    if not seconds.isdecimal() or not _SECONDS[0] <= int(seconds) <= _SECONDS[1]:
        raise Refusal(400, "invalid_value", f"seconds must be {_SECONDS[0]} to {_SECONDS[1]}", "seconds")
    try:
        lies = told_in(prompt)
    except ValueError as error:
        raise Refusal(400, "invalid_value", str(error), "prompt") from None
    model = fields.get("model", "sora-2")
    return Order(model=model, prompt=prompt, size=size, seconds=seconds, lies=lies, picture=picture)


def sides(order: Order) -> tuple[int, int]:
    width, _, height = order.size.partition("x")
    return int(width), int(height)


def video(job: Job, now: float) -> dict[str, object]:
    status, progress = job.stand(now)
    ended = int(job.created_at + job.takes_s) if status in {"completed", "failed"} else None
    return {
        "id": job.id,
        "object": "video",
        "model": job.order.model,
        "status": status,
        "progress": progress,
        "created_at": int(job.created_at),
        "completed_at": ended if status == "completed" else None,
        "expires_at": ended + _LIFE_S if ended is not None and status == "completed" else None,
        "prompt": job.order.prompt,
        "size": job.order.size,
        "seconds": job.order.seconds,
        "remixed_from_video_id": None,
        "error": _failure(job) if status == "failed" else None,
    }


def video_answer(job: Job, now: float) -> web.Response:
    shown = video(job, now)
    polled = {} if shown["completed_at"] else {"openai-poll-after-ms": str(POLL_AFTER_MS)}
    return web.json_response(shown, headers=polled)


def error_answer(
    status: int,
    code: str | None,
    message: str,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    kind = "server_error" if status >= web.HTTPInternalServerError.status_code else "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


def _failure(job: Job) -> dict[str, str]:
    if "filtered" in job.order.lies:
        return {"code": "moderation_blocked", "message": "The video was blocked by our moderation system."}
    return {"code": "generation_failed", "message": "The video could not be generated."}


async def _fields(request: web.Request) -> tuple[dict[str, str], bool]:
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        return texts, any(isinstance(value, FileField) for value in form.values())
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_json", "the body must be a JSON object or a form")
    texts = {name: str(value) for name, value in body.items() if isinstance(value, str | int)}
    return texts, body.get("input_reference") is not None
