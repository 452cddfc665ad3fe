"""What is seen while films are made: one line per film, moving where the terminal can, else one per phase."""

from contextlib import AbstractContextManager
from typing import Self

from filmgate.cli.output import Output
from filmgate.cli.shapes import TaskShape
from filmgate.cli.sight import Board, Sight
from filmgate.cli.text import Text, mark_of, state_word

_AHEAD = Text("{count} ahead", "前面还有 {count} 个")
_NEXT = Text("next", "下一个")
_DOWNLOADING = Text("downloading", "下载中")


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
    ahead = task["queue_position"]
    detail = ""
    if task["state"] == "queued" and ahead is not None:
        detail = output.say(_AHEAD, count=ahead) if ahead else output.say(_NEXT)
    return Sight(
        label=label,
        state=task["state"],
        word=state_word(task["state"], output.language),
        progress=None if task["state"] == "queued" else task["progress"],
        detail=detail,
        elapsed_s=task["waited_s"] + task["running_s"],
    )


def download_sight(output: Output, label: str, progress: int, detail: str, elapsed_s: float) -> Sight:
    return Sight(label, "downloading", output.say(_DOWNLOADING), progress, detail, elapsed_s)
