"""The laozhang dialect: `/veo/v1/api/video/submit` and `.../status/{taskId}`, as the relay's own document writes them.

While a film is made, `data` has one of three documented shapes; the address in `pollingUrl` opens without a key and
shows the upstream record as it is. Strict keys get the documented fields alone.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from filmgate.dialects import upstream
from filmgate.dialects.openai_errors import NO_MONEY, NOT_AGAIN
from filmgate.dialects.reading import callback, first, metadata, pictures, spelled, text, truth
from filmgate.dialects.wording import said
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Call,
    Create,
    Outcome,
    Reply,
    Route,
    Show,
    Status,
    TaskView,
)
from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, GivenPicture, Json

NAME: Final = "laozhang"
LANGUAGE: Final[Language] = upstream.LANGUAGE
NAMES: Final = {"id": "{model}:{uuid4}"}
OPEN: Final[Mapping[str, str]] = {"polling": "/source/{id}"}
ROUTES: Final = (
    Route("POST", "/veo/v1/api/video/submit", "create"),
    Route("GET", "/veo/v1/api/video/status/{id:path}", "show"),
    Route("GET", "/source/{id:path}", "source"),
)

_RATIO: Final = ("aspect_ratio", "aspectRatio")
_PICTURE_MIB: Final = 10
_STATUS: Final = {"completed": "completed", "failed": "failed"}
_PREPARING_KEYS: Final = ("created_at", "enhanced_prompt", "id", "images", "status")
_GENERATING_KEYS: Final = (
    "status",
    "video_generation_id",
    "video_generation_status",
    "upsample_generation_id",
    "upsample_status",
)
_SOURCE_KEYS: Final = (
    "id",
    "created_at",
    "completed_at",
    "req",
    "images",
    "status",
    "status_update_time",
    "running",
    "retry_count",
    "max_retries",
    "error_message",
    "video_generation_id",
    "video_generation_status",
    "video_media_id",
    "video_url",
    "upsample_generation_id",
    "upsample_status",
    "upsample_video_url",
)
_STATUSES: Final = {"model_not_found": 400, "budget_exceeded": 429, "max_cost_exceeded": 402}
_TOO_MANY: Final = 429
_CODES: Final = {
    "missing_key": "INVALID_API_KEY",
    "invalid_key": "INVALID_API_KEY",
    "key_expired": "INVALID_API_KEY",
    "prompt_too_long": "INVALID_PROMPT",
    "content_refused": "INVALID_PROMPT",
    "model_not_found": "INVALID_MODEL",
    "pictures_unsupported": "INVALID_IMAGE_URL",
    "picture_denied": "INVALID_IMAGE_URL",
    "picture_unreachable": "INVALID_IMAGE_URL",
    "picture_unusable": "INVALID_IMAGE_URL",
    "picture_too_large": "IMAGE_TOO_LARGE",
    "body_too_large": "IMAGE_TOO_LARGE",
    "max_cost_exceeded": "INSUFFICIENT_BALANCE",
    "expired": "TASK_TIMEOUT",
}
_CODES_BY_FIELD: Final = {"prompt": "INVALID_PROMPT", "model": "INVALID_MODEL"}
_SUGGESTIONS: Final[Mapping[str, Mapping[Language, str]]] = {
    "INVALID_API_KEY": {
        "en": "Send a key of this gate: Authorization: Bearer sk-...",
        "zh": "请在请求头中发送本网关的密钥：Authorization: Bearer sk-...",
    },
    "INVALID_PROMPT": {
        "en": "Look at what the prompt says, and that it has 1 to 2000 characters.",
        "zh": "请检查提示词的长度（1 到 2000 个字符）和内容。",
    },
    "INVALID_MODEL": {
        "en": "Use a model that there is, such as veo3, veo3-fast, veo3-pro or veo3-pro-frames.",
        "zh": "请使用支持的模型名称，例如 veo3、veo3-fast、veo3-pro 或 veo3-pro-frames。",
    },
    "INVALID_IMAGE_URL": {
        "en": "Give at most 5 public https links to JPEG, PNG or WebP pictures.",
        "zh": "请提供不超过 5 张公开的 https 图片链接，格式为 JPEG、PNG 或 WebP。",
    },
    "IMAGE_TOO_LARGE": {
        "en": f"Make each picture smaller than {_PICTURE_MIB} MB, or send links to them.",
        "zh": f"请将每张图片压缩到 {_PICTURE_MIB} MB 以内，或改用图片链接。",
    },
    "TASK_NOT_FOUND": {
        "en": "Look at the id of the task.",
        "zh": "请检查任务 ID。",
    },
    "QUOTA_EXCEEDED": {
        "en": "Try again later, or ask the operator for more.",
        "zh": "请稍后重试，或联系管理员增加配额。",
    },
}


def claims(call: Call) -> bool:
    """Claim nothing: nobody else speaks on these paths."""
    del call
    return False


def parse(call: Call) -> Action:
    match call.verb:
        case "create":
            return Create(_draft(call))
        case "source":
            return Show(call.params["id"], form="source")
        case _:
            return Show(call.params["id"])


def _draft(call: Call) -> Draft:
    fields, more = call.fields, metadata(call.fields)
    return Draft(
        model=text(fields, "model") or "veo3",
        prompt=text(fields, "prompt"),
        aspect_ratio=first({}, more, _RATIO),
        resolution=first({}, more, ("resolution",)),
        pictures=tuple(_allowed(picture) for picture in pictures(fields, more)),
        picture_field="images",
        enhance=truth(fields, "enhance_prompt", default=False),
        callback_url=callback(fields, more),
        metadata=more,
        spelled=spelled({}, more, aspect_ratio=_RATIO, resolution=("resolution",)),
    )


def _allowed(picture: GivenPicture) -> GivenPicture:
    if isinstance(picture.source, str) and not _is_secure(picture.source):
        raise Problem("picture_denied", field=picture.field)
    return picture


def _is_secure(address: str) -> bool:
    """Tell whether it is https; on a private host the guard decides, where an operator may have named it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_private(parts.hostname or "."))


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host


def render(outcome: Outcome, *, strict: bool) -> Reply:
    match outcome:
        case Accepted(view, _):
            return _success(_submitted(view))
        case Status(view, "source"):
            return Reply(200, _source(view, strict=strict))
        case Status(view, _):
            return _success(_status(view, strict=strict))
        case _:
            raise ValueError(outcome)


def _success(data: dict[str, Json]) -> Reply:
    return Reply(200, {"success": True, "data": data})


def _submitted(view: TaskView) -> dict[str, Json]:
    return {
        "taskId": view.task.name,
        "pollingUrl": view.links.open.get("polling"),
        "status": _STATUS.get(upstream.word(view.task), "processing"),
        "message": "Task submitted successfully",
    }


def _status(view: TaskView, *, strict: bool) -> dict[str, Json]:
    word, record = upstream.word(view.task), upstream.record(view)
    if word == "pending":
        return _submitted(view)
    more: dict[str, Json] = {
        "pollingUrl": view.links.open.get("polling"),
        "progress": {
            "upstreamStatus": word,
            "retryCount": record["retry_count"],
            "maxRetries": upstream.MAX_RETRIES,
        },
    }
    data: dict[str, Json] = {"taskId": view.task.name, "status": _STATUS.get(word, "processing")}
    match word:
        case "completed":
            data["result"] = {
                "video_url": upstream.film_url(view),
                "video_media_id": record["video_media_id"],
            }
        case "failed":
            data |= _failed(view)
        case "video_generating" | "video_upsampling":
            data["upstreamData"] = _part(record, _GENERATING_KEYS)
        case _:
            data |= more | {"upstreamData": _part(record, _PREPARING_KEYS)}
    return data if strict else data | more | {"upstreamData": record}


def _failed(view: TaskView) -> dict[str, Json]:
    failure, message = view.task.failure, upstream.failure_of(view)
    code = _error_code(failure.code, failure.parameters) if failure else view.task.state.value.upper()
    return {"error": {"code": code, "message": message}, "message": message}


def _source(view: TaskView, *, strict: bool) -> dict[str, Json]:
    """Show the record itself; the film comes first, since some clients take the first address that they find."""
    record, film = upstream.record(view), upstream.film_url(view)
    alias: dict[str, Json] = {} if film is None else {"data": {"videoUrl": film}}
    return alias | (_part(record, _SOURCE_KEYS) if strict else record)


def _part(record: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    return {name: record[name] for name in names if name in record}


def render_error(
    problem: Problem, *, strict: bool, verb: str = "", language: Language | None = None
) -> Reply:
    del verb
    language = language or LANGUAGE
    status = _STATUSES.get(problem.code, problem.wording.status)
    code = "QUOTA_EXCEEDED" if status == _TOO_MANY else _error_code(problem.code, problem.parameters)
    if strict and code == "INSUFFICIENT_BALANCE":
        # Its document knows only that a quota is exceeded.
        status, code = 403, "QUOTA_EXCEEDED"
    message = said(problem, language)
    details: dict[str, Json] = {
        "field": problem.field or "",
        "reason": problem.parameters.get("reason_zh" if language == "zh" else "reason", message),
    }
    own = problem.parameters.get("suggestion_zh" if language == "zh" else "suggestion")
    if not strict and (own is not None or code in _SUGGESTIONS):
        details["suggestion"] = own or _SUGGESTIONS[code][language]
    body: dict[str, Json] = {"success": False, "message": message, "error_code": code, "details": details}
    # What no wait brings back is not to be asked for again, and is given no time at which to do so.
    return Reply(status, body, NOT_AGAIN if problem.wording.status == NO_MONEY else {})


def _error_code(code: str, parameters: Mapping[str, str | int]) -> str:
    field = str(parameters.get("field", "")).lower()
    if code in {"missing_parameter", "invalid_parameter"}:
        picture = "INVALID_IMAGE_URL" if "image" in field or "reference" in field else "INVALID_PARAMETER"
        return _CODES_BY_FIELD.get(field, picture)
    return _CODES.get(code, code.upper())
