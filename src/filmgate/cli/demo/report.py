"""What the demo says at its end: the films, and what each dialect said on the way."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from filmgate.cli.demo.film import Seen
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.measures import clip_lengths, clock_time, file_size
from filmgate.cli.output import Form, Json, Output
from filmgate.cli.text import Text

_FILM_COLUMNS: Final = (
    Column(Text("dialect", "方言"), style="bold"),
    Column(Text("model", "模型")),
    Column(Text("file", "文件"), shrinks=True),
    Column(Text("clips", "片段"), right=True),
    Column(Text("size", "尺寸"), right=True),
    Column(Text("bytes", "大小"), right=True, from_width=90),
    Column(Text("how", "方式"), from_width=118),
    Column(Text("provider", "上游"), from_width=150),
    Column(Text("time", "用时"), right=True, style="dim"),
)
_PHASE_COLUMNS: Final = (
    Column(Text("dialect", "方言"), style="bold"),
    Column(Text("what it said on the way", "过程中的状态"), wraps=True),
)
_TEXT: Final = Text("text", "文字")
_PICTURE: Final = Text("picture", "图片")
_PAIR: Final = Text("two pictures", "两张图片")
_ENHANCED: Final = Text("enhanced", "优化提示词")
_JOINED: Final = Text("joined", "拼接")
_UPSCALED: Final = Text("upscaled", "超分")


def tell(output: Output, seen: Sequence[Seen], folder: Path) -> None:
    if output.form is Form.JSON:
        output.document({"folder": str(folder), "films": [_document(one) for one in seen]})
        return
    output.note()
    output.rows(Grid(_FILM_COLUMNS, [_film(one, output) for one in seen]))
    if output.form is Form.HUMAN:
        output.answer("")
        output.rows(Grid(_PHASE_COLUMNS, [[one.order.tongue.name, one.story] for one in seen]))
    output.note()


def _film(seen: Seen, output: Output) -> Sequence[Cell | str]:
    film, task = seen.film, seen.task
    return [
        seen.order.tongue.name,
        str(seen.order.fields["model"]),
        Cell(seen.error, "red") if seen.error or seen.path is None else seen.path.name,
        "" if task is None else clip_lengths(task["clips"]),
        "" if film is None else f"{film['width']}x{film['height']}",
        "" if film is None else file_size(film["size_bytes"]),
        " · ".join(output.say(part) for part in _how(seen)),
        _provider(seen),
        clock_time(seen.took_s),
    ]


def _how(seen: Seen) -> Sequence[Text]:
    """Say what the film was made from, and by which steps."""
    count = seen.order.picture_count
    parts = [_PAIR if count > 1 else _PICTURE if count else _TEXT]
    if seen.task is not None:
        record = seen.task["record"]
        done = (record["enhanced_by"], record["joined_by"], record["upsampled_by"])
        steps = zip((_ENHANCED, _JOINED, _UPSCALED), done, strict=True)
        parts += [step for step, by in steps if by is not None]
    return parts


def _provider(seen: Seen) -> str:
    attempts = [] if seen.task is None else seen.task["attempts"] or []
    return attempts[-1]["provider"] if attempts else ""


def _document(seen: Seen) -> Json:
    task = seen.task
    return {
        "dialect": seen.order.tongue.name,
        "provider": _provider(seen),
        "model": seen.order.fields["model"],
        "prompt": seen.order.prompt,
        "id": seen.id,
        "path": None if seen.path is None else str(seen.path),
        "film": cast("Json", seen.film),
        "clips": None if task is None else task["clips"],
        "record": None if task is None else cast("Json", task["record"]),
        "phases": [{"phase": phase.word, "progress": phase.shares} for phase in seen.phases],
        "took_s": round(seen.took_s, 3),
        "error": seen.error or None,
    }
