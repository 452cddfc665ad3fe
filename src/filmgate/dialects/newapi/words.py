"""What the forms of this dialect share: its words for a state, its times, and its sentence for a failure."""

from datetime import datetime
from typing import Final

from filmgate.domain.contracts import TaskView
from filmgate.domain.languages import Language
from filmgate.domain.request import Json, SourceKind
from filmgate.domain.states import State
from filmgate.domain.task import Failure, Task

LANGUAGE: Final[Language] = "zh"
GENERATIONS: Final = "generations"

_WORDS: Final = {State.QUEUED: "queued", State.SUCCEEDED: "completed"} | dict.fromkeys(
    (State.FAILED, State.CANCELLED, State.EXPIRED), "failed"
)
# The relay numbers its classes of failure: with the first the request must change, with the second it may come again.
_CHANGE, _AGAIN = "E-1005", "E-2003"
_TO_CHANGE: Final = frozenset({
    "content_refused", "request_refused", "picture_denied", "picture_unreachable", "picture_unusable",
    "picture_too_large", "source_gone",
})  # fmt: skip


def word(task: Task) -> str:
    return _WORDS.get(task.state, "processing")


def in_two_clips(task: Task) -> bool:
    return len(task.request.clips) > 1


def extends(task: Task) -> bool:
    """Tell whether the first clip is another film's."""
    return task.request.source is not None and task.request.source.kind is SourceKind.EXTEND


def extension_failed(task: Task) -> bool:
    return task.failure is not None and task.failure.code == "extend_failed"


def unix(moment: datetime | None) -> int:
    """Give whole seconds; 0 is the relay's word for not yet."""
    return 0 if moment is None else int(moment.timestamp())


def fault(view: TaskView) -> dict[str, Json]:
    code = "extend_failed" if extension_failed(view.task) else "generate_failed"
    return {"code": code, "message": reason(view)}


def reason(view: TaskView) -> str:
    """Say why there is no film, with the number of the failure's class.

    The document's own words stand in any language; what it leaves open is said in the reader's.
    """
    task, failure, language = view.task, view.task.failure, view.language or LANGUAGE
    if failure is None:
        return "视频生成失败:任务已取消"
    number = _CHANGE if failure.parameters.get("cause", failure.code) in _TO_CHANGE else _AGAIN
    said = (
        _extension(failure, language)
        if extension_failed(task)
        else f"视频生成失败:{_cause(failure, language)}"
    )
    return f"{said.strip().rstrip('。.')} ({number})"


def _extension(failure: Failure, language: Language) -> str:
    cause = failure.parameters.get("reason")
    if language == "zh" or cause is None:
        return failure.text("zh")
    return Failure(failure.code, {**failure.parameters, "reason_zh": cause}).text("zh")


def _cause(failure: Failure, language: Language) -> str:
    if failure.code != "content_refused":
        return failure.text(language)
    told = failure.parameters.get("reason")
    return f"违反上游内容安全规则{f'（{told}）' if told else ''} 请调整图片和提示词"
