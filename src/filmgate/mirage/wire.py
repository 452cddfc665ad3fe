"""The OpenAI Videos API as the vendor speaks it: what it reads of an order, and how it shows a job."""

import re
from collections.abc import Mapping
from typing import Final

from filmgate.mirage.calls import Body, refusal
from filmgate.mirage.lies import Lies, told_in
from filmgate.mirage.orders import Job, Order

LIFE_S: Final = 3600
_SIZE: Final = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})", re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,2}", re.ASCII)
_LONGEST_S: Final = 60
_PROMPT_CHARACTERS: Final = 32_000


def read_order(body: Body) -> Order:
    """Read a create. Raise RefusalError."""
    fields = body.fields
    prompt, lies = _prompt(body)
    size = fields.get("size", "720x1280")
    if _SIZE.fullmatch(size) is None:
        raise refusal(400, "invalid_value", f"size must be such as 720x1280, not {size!r}", "size")
    return Order(
        model=fields.get("model", "sora-2"),
        prompt=prompt,
        size=size,
        seconds=_seconds(fields),
        lies=lies,
        picture=any(name.startswith("input_reference") for name in (*fields, *body.files)),
        callback=_callback(fields),
    )


def read_remix(body: Body, source: Job) -> Order:
    """Read a remix: another prompt for a film as long and as large as its source. Raise RefusalError."""
    return _further(body, source, kind="remix", seconds=source.order.seconds)


def read_extension(body: Body, source: Job) -> Order:
    """Read an extension, whose film has its source's seconds and its own. Raise RefusalError."""
    seconds = int(source.order.seconds) + int(_seconds(body.fields))
    return _further(body, source, kind="extension", seconds=str(seconds))


def sides(order: Order) -> tuple[int, int]:
    width, _, height = order.size.partition("x")
    return int(width), int(height)


def video(job: Job, now: float, *, keys_shown: bool = False) -> dict[str, object]:
    """Show a job; with `keys_shown` also the Idempotency-Key that it was made with."""
    status, progress = job.stand(now)
    completed = status == "completed"
    shown: dict[str, object] = {
        "id": job.ref,
        "object": "video",
        "model": job.order.model,
        "status": status,
        "progress": progress,
        "created_at": int(job.created_at),
        "completed_at": int(job.ended_at) if completed else None,
        "expires_at": int(job.ended_at) + LIFE_S if completed else None,
        "prompt": job.order.prompt,
        "size": job.order.size,
        "seconds": job.order.seconds,
        "remixed_from_video_id": job.order.source if job.order.kind == "remix" else None,
        "error": _failure(job) if status == "failed" else None,
    }
    if keys_shown:
        shown["idempotency_key"] = job.key
    if completed and "no-video" in job.order.lies:
        shown |= {"videos": [], "rai_media_filtered_count": 1}
    return shown


def _further(body: Body, source: Job, *, kind: str, seconds: str) -> Order:
    prompt, lies = _prompt(body)
    return Order(
        model=source.order.model,
        prompt=prompt,
        size=source.order.size,
        seconds=seconds,
        lies=lies,
        kind=kind,
        source=source.ref,
        callback=_callback(body.fields),
    )


def _prompt(body: Body) -> tuple[str, Lies]:
    if body.fault is not None:
        raise refusal(400, "invalid_json", body.fault)
    prompt = body.fields.get("prompt", "")
    if not 1 <= len(prompt) <= _PROMPT_CHARACTERS:
        raise refusal(
            400, "invalid_value", f"prompt must have 1 to {_PROMPT_CHARACTERS} characters", "prompt"
        )
    try:
        return prompt, told_in(prompt)
    except ValueError as fault:
        raise refusal(400, "invalid_value", str(fault), "prompt") from None


def _seconds(fields: Mapping[str, str]) -> str:
    seconds = fields.get("seconds", "4")
    if _SECONDS.fullmatch(seconds) is None or not 1 <= int(seconds) <= _LONGEST_S:
        raise refusal(400, "invalid_value", f"seconds must be 1 to {_LONGEST_S}", "seconds")
    return seconds


def _callback(fields: Mapping[str, str]) -> str | None:
    return fields.get("callback_url") or fields.get("metadata[callback_url]")


def _failure(job: Job) -> dict[str, str]:
    if "filtered" in job.order.lies:
        return {"code": "moderation_blocked", "message": "The video was blocked by our moderation system."}
    return {"code": "generation_failed", "message": "The video could not be generated."}
