"""What is seen while films are made: one line per film, moving where the terminal can, else one per phase."""

from contextlib import AbstractContextManager
from typing import Self

from filmgate.cli.measures import span
from filmgate.cli.output import Output
from filmgate.cli.shapes import EtaShape, TaskShape
from filmgate.cli.sight import Board, Sight
from filmgate.cli.text import Text, mark_of, state_word

_AHEAD = Text("{count} ahead", "前面还有 {count} 个")
_NEXT = Text("next", "下一个")
_DOWNLOADING = Text("downloading", "下载中")
_WAITS_FOR = {
    "your_limit": Text("as many run as you may have at a time", "已达并发上限，等待中"),
    "provider": Text("queued at the provider", "上游排队中"),
    "reply": Text("the reply to it was lost, and is looked for", "未收到上游回复，正在核实"),
}
_WAIT = Text("about {span} to wait", "预计等待 {span}")
_ABOUT = Text("about {span} left ({runs} runs)", "预计还需 {span}（{runs} 次历史）")
_NO_ESTIMATE = Text("no estimate yet ({runs} earlier runs)", "暂无预估（仅 {runs} 次历史）")
_SLOW = Text("slower than 9 of 10 earlier runs", "比九成历史任务慢")


class LineBoard:
    """Says each phase once, for logs and pipes."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def see(self, key: str, sight: Sight) -> None:
        if self._said.get(key) != sight.state:
            self._said[key] = sight.state
            parts = (sight.label, sight.word, sight.detail)
            self._output.note("  ".join(part for part in parts if part))

    def end(self, key: str, line: str, state: str) -> None:
        del key
        mark, style = mark_of(state)
        self._output.note(f"{mark} {line}", style)


def open_board(output: Output) -> AbstractContextManager[Board]:
    """Choose the board that this output's stderr can show."""
    if not output.moves:
        return LineBoard(output)
    from filmgate.cli.live import LiveBoard  # noqa: PLC0415  # drawing is slow to import

    return LiveBoard(output.console(stderr=True))


def sight_of(task: TaskShape, output: Output, label: str = "") -> Sight:
    """Give a task's moment as the gate says it."""
    source = task.get("progress_source", "reported")
    unknown = task["state"] == "queued" or source == "none"
    return Sight(
        label=label,
        state=task["state"],
        word=state_word(task["state"], output.language),
        progress=None if unknown else task["progress"],
        detail=_detail(task, output),
        elapsed_s=task["waited_s"] + task["running_s"],
        estimated=source == "estimated",
    )


def _detail(task: TaskShape, output: Output) -> str:
    """Say what the film waits for, or how long it may take; nothing where nobody knows."""
    waits, ahead, wait = (
        _WAITS_FOR.get(task.get("waiting_for") or ""),
        task["queue_position"],
        task.get("queue_eta"),
    )
    if waits is not None:
        return output.say(waits)
    if task["state"] != "queued":
        return _left(task.get("eta"), output)
    if ahead is None:
        return ""
    place = output.say(_AHEAD, count=ahead) if ahead else output.say(_NEXT)
    soon = "" if wait is None else output.say(_WAIT, span=span(wait["low_s"], wait["high_s"]))
    return " · ".join(part for part in (place, soon) if part)


def _left(eta: EtaShape | None, output: Output) -> str:
    if eta is None or eta["withheld"]:
        return ""
    if eta["low_s"] is None:
        return output.say(_NO_ESTIMATE, runs=eta["sample"])
    if eta["past"] or eta["left"] is None:
        return output.say(_SLOW) if eta["past"] else ""
    left = span(eta["left"]["low_s"], eta["left"]["high_s"])
    return output.say(_ABOUT, span=left, runs=eta["sample"])


def download_sight(output: Output, label: str, progress: int, detail: str, elapsed_s: float) -> Sight:
    return Sight(label, "downloading", output.say(_DOWNLOADING), progress, detail, elapsed_s)
