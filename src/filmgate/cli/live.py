"""The moving board: a spinner, a bar and a clock per film, which leave only their last words behind."""

from collections.abc import Sequence
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text as Styled

from filmgate.cli.measures import clock_time
from filmgate.cli.sight import Sight
from filmgate.cli.text import folded, mark_of, printable

_BAR_WIDTH = 36
_LABEL_WIDTH = 34
_LABEL_LEAST = 20
_WORD_WIDTH = 11
_BESIDE_BAR = 29
_NARROWEST = 8


class LiveBoard:
    """Draws on a terminal that can move."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = BarColumn(
            bar_width=_BAR_WIDTH,
            style="grey30",
            complete_style="cyan",
            finished_style="cyan",
            pulse_style="grey50",
        )
        self._progress = Progress(*_columns(self._bar), console=console, transient=True)
        self._lines: dict[str, TaskID] = {}
        self._beside = _BESIDE_BAR

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def see(self, key: str, sight: Sight) -> None:
        label, detail = self._room(sight)
        if key not in self._lines:
            self._lines[key] = self._progress.add_task(
                "", total=None, label="", word="", share="", detail="", ahead_s=0.0
            )
        line = self._lines[key]
        drawn = next(task for task in self._progress.tasks if task.id == line)
        self._progress.update(
            line,
            total=None if sight.progress is None else 100,
            completed=sight.progress or 0,
            label=label,
            word=sight.word,
            share="" if sight.progress is None else f"{'≈ ' * sight.estimated}{sight.progress} %",
            detail=detail,
            # The gate's clock rules, also where this program joined late; between its words ours goes on.
            ahead_s=sight.elapsed_s - (drawn.elapsed or 0.0),
        )

    def _room(self, sight: Sight) -> tuple[str, str]:
        """Share the line between label, bar and detail; what would leave a label too short is not said."""
        room = self._console.width - _BESIDE_BAR - _NARROWEST
        detail = sight.detail
        if sight.label and room - cell_len(detail) < _LABEL_LEAST:
            detail = ""
        width = max(_LABEL_LEAST, min(_LABEL_WIDTH, room - cell_len(detail) - 1)) if sight.label else 0
        # The bar gives way to the words beside it, and never grows back: a line must not jump.
        self._beside = max(self._beside, _BESIDE_BAR + cell_len(detail) + (width + 1 if width else 0))
        self._bar.bar_width = max(_NARROWEST, min(_BAR_WIDTH, self._console.width - self._beside))
        return _fitted(printable(sight.label), width) if width else "", detail

    def end(self, key: str, line: str, state: str) -> None:
        if key in self._lines:
            self._progress.remove_task(self._lines.pop(key))
        mark, style = mark_of(state)
        said = folded(printable(line), self._console.width - 2, cell_len)
        self._progress.console.print(Styled(f"{mark} ", style).append(said, "default"), soft_wrap=True)


class _ClockColumn(ProgressColumn):
    def render(self, task: Task) -> Styled:
        elapsed_s = max(0.0, float(task.fields.get("ahead_s", 0.0)) + (task.elapsed or 0.0))
        return Styled(clock_time(elapsed_s), "dim")


def _columns(bar: BarColumn) -> Sequence[ProgressColumn]:
    return [
        SpinnerColumn("dots", style="cyan"),
        TextColumn("{task.fields[label]}", markup=False),
        TextColumn(
            "{task.fields[word]}", style="bold", markup=False, table_column=Column(min_width=_WORD_WIDTH)
        ),
        bar,
        TextColumn("{task.fields[share]}", markup=False, justify="right", table_column=Column(min_width=5)),
        _ClockColumn(),
        TextColumn("{task.fields[detail]}", style="dim", markup=False),
    ]


def _fitted(text: str, width: int) -> str:
    """Cut to a width in cells, of which a Chinese letter has two."""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    while cell_len(text) > width - 1:
        text = text[:-1]
    return f"{text}…" + " " * (width - 1 - cell_len(text))
