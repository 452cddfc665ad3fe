"""The chat's answer: one text, told all at once when the film is there, or piece by piece while it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filmgate.dialects import upstream
from filmgate.domain.contracts import TaskView
from filmgate.domain.request import Json
from filmgate.domain.states import State
from filmgate.domain.task import Task


@dataclass(frozen=True, slots=True)
class _Wording:
    created: str
    ask: str
    page: str
    raw: str
    done: str
    watch: str
    download: str
    failed: str
    phases: Mapping[str, str]


_WORDINGS: Final = {
    "zh": _Wording(
        created="视频任务已创建，任务 ID：",
        ask="断开连接不影响生成，可随时查询：",
        page="查看页面",
        raw="任务数据",
        done="视频已生成。",
        watch="在线播放",
        download="下载视频",
        failed="视频生成失败：",
        phases={
            "prompt_enhancing": "正在优化提示词",
            "image_downloading": "正在处理图片",
            "image_processing_completed": "图片处理完成",
            "video_generating": "正在生成视频",
            "video_upsampling": "正在提升分辨率",
        },
    ),
    "en": _Wording(
        created="The video task was created. Its id: ",
        ask="It goes on without this connection. Ask for it at any time: ",
        page="Its page",
        raw="Its record",
        done="The video is ready.",
        watch="Watch it",
        download="Download it",
        failed="No video was made: ",
        phases={
            "prompt_enhancing": "Enhancing the prompt",
            "image_downloading": "Preparing the pictures",
            "image_processing_completed": "The pictures are ready",
            "video_generating": "Making the video",
            "video_upsampling": "Scaling it up",
        },
    ),
}


def completion(view: TaskView, language: str) -> dict[str, Json]:
    """Give the whole text as a chat's completion; no tokens are counted here."""
    message: dict[str, Json] = {
        "role": "assistant",
        "content": "".join(_pieces(None, view, language)),
    }
    choice: dict[str, Json] = {"index": 0, "message": message, "finish_reason": _finish_reason(view.task)}
    usage: dict[str, Json] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return _envelope(view.task, "chat.completion", choice) | {"usage": usage}


def chunks(before: TaskView | None, now: TaskView, language: str) -> Sequence[Mapping[str, Json]]:
    """Say what is new since `before`; together they are what a completion says, with the progress on the way."""
    deltas: list[Json] = [{"content": piece} for piece in _pieces(before, now, language)]
    if before is None:
        deltas.insert(0, {"role": "assistant", "content": ""})
    choices: list[dict[str, Json]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    if _ends(before, now):
        choices.append({"index": 0, "delta": {}, "finish_reason": _finish_reason(now.task)})
    return [_envelope(now.task, "chat.completion.chunk", choice) for choice in choices]


def _pieces(before: TaskView | None, now: TaskView, language: str) -> Sequence[str]:
    wording = _WORDINGS[language]
    pieces = [_opening(now, wording)] if before is None else []
    if _ends(before, now):
        pieces.append(_ending(now, wording, language))
    elif before is None or _standing(before.task) != _standing(now.task):
        pieces.append(_progress(now.task, wording))
    return [piece for piece in pieces if piece]


def _ends(before: TaskView | None, now: TaskView) -> bool:
    return now.task.state.ended and not (before is not None and before.task.state.ended)


def _standing(task: Task) -> tuple[str, int]:
    return upstream.word(task), task.progress


def _opening(view: TaskView, wording: _Wording) -> str:
    name = view.task.name
    lines = [f"{wording.created}`{name}`", f"{wording.ask}`GET /v1/video/query?id={name}`"]
    lines += _link(wording.page, view.links.open.get("page"))
    lines += _link(wording.raw, view.links.open.get("raw"))
    return _paragraph(lines)


def _progress(task: Task, wording: _Wording) -> str:
    """Give a line of where the task stands; nothing for one that waits or has ended."""
    phase = wording.phases.get(upstream.word(task))
    return "" if phase is None else _paragraph([f"{phase}… {task.progress}%"])


def _ending(view: TaskView, wording: _Wording, language: str) -> str:
    if view.task.state is not State.SUCCEEDED:
        return f"{wording.failed}{upstream.failure_text(view.task, language)}"
    # Clients take the first address of an .mp4 for the film, and some read a whole line as one address.
    links = [*_link(wording.watch, view.links.video), *_link(wording.download, view.links.video)]
    return _paragraph([wording.done, *links]).rstrip()


def _paragraph(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n\n" for line in lines)


def _link(title: str, address: str | None) -> list[str]:
    return [] if address is None else [f"[{title}]({address})"]


def _finish_reason(task: Task) -> str:
    failure = task.failure
    cause = None if failure is None else failure.parameters.get("cause", failure.code)
    return "content_filter" if cause == "content_refused" else "stop"


def _envelope(task: Task, kind: str, choice: dict[str, Json]) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-{task.id.hex}",
        "object": kind,
        "created": int(task.created_at.timestamp()),
        "model": task.request.model,
        "choices": [choice],
    }
