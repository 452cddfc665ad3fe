"""The child that works on films: its job says what to `do`, and names the paths and numbers for that."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeAlias, cast

from filmgate.domain.request import Json
from filmgate.media.boxes import is_faststart
from filmgate.media.clips import read_clips
from filmgate.media.faststart import remux
from filmgate.media.findings import NotAFilm
from filmgate.media.inspection import inspect
from filmgate.media.last_frame import last_frame
from filmgate.media.output import output_at
from filmgate.media.redraw import redraw
from filmgate.media.scale import rescale
from filmgate.media.splice import can_splice, splice
from filmgate.media.worker import Answers, become_nobody, read_job, refusal

Job: TypeAlias = dict[str, Json]


def main() -> None:
    answers = Answers()
    job, _ = read_job()
    try:
        JOBS[str(job["do"])](job, answers)
    except (NotAFilm, MemoryError) as error:
        answers.send(refusal(error))


# Everything is opened before we become nobody, who may open nothing of the gate's.


def _inspect(job: Job, answers: Answers) -> None:
    with Path(str(job["path"])).open("rb") as film:
        become_nobody()
        found = inspect(film)
    answers.send({"found": "facts", **dataclasses.asdict(found.facts)})
    answers.send({"found": "thumbnail_webp"}, found.thumbnail_webp)
    answers.send({"found": "thumbnail_jpeg"}, found.thumbnail_jpeg)
    answers.send({"found": "spritesheet_jpeg"}, found.spritesheet_jpeg)
    answers.send({"found": "filmstrip_webp"}, found.filmstrip_webp)


def _faststart(job: Job, answers: Answers) -> None:
    with Path(str(job["path"])).open("rb") as film:
        needed = not is_faststart(film)
        if needed:
            with output_at(Path(str(job["into"]))) as output:
                become_nobody()
                remux(film, output.written, output.again)
    answers.send({"found": "copy", "needed": needed})


def _splice(job: Job, answers: Answers) -> None:
    with ExitStack() as stack:
        films = [stack.enter_context(path.open("rb")) for path in _paths(job)]
        output = stack.enter_context(output_at(Path(str(job["into"]))))
        become_nobody()
        clips = read_clips(films)
        alike = can_splice(clips)
        answers.send({"found": "splice", "alike": alike, "copied": alike and splice(clips, output)})


def _redraw(job: Job, answers: Answers) -> None:
    with ExitStack() as stack:
        films = [stack.enter_context(path.open("rb")) for path in _paths(job)]
        output = stack.enter_context(output_at(Path(str(job["into"]))))
        become_nobody()
        redraw(read_clips(films), output)
    answers.send({"found": "redraw"})


def _last_frame(job: Job, answers: Answers) -> None:
    with Path(str(job["path"])).open("rb") as film:
        become_nobody()
        found = last_frame(film)
    size: dict[str, int] = {"width": found.width, "height": found.height}
    answers.send({"found": "picture", **size, "media_type": found.media_type}, found.content)


def _scale(job: Job, answers: Answers) -> None:
    with Path(str(job["path"])).open("rb") as film, output_at(Path(str(job["into"]))) as output:
        become_nobody()
        rescale(film, output, cast("int", job["width"]), cast("int", job["height"]))
    answers.send({"found": "scale"})


def _paths(job: Job) -> list[Path]:
    return [Path(str(path)) for path in cast("Sequence[Json]", job["paths"])]


JOBS: Final[dict[str, Callable[[Job, Answers], None]]] = {
    "inspect": _inspect,
    "faststart": _faststart,
    "splice": _splice,
    "redraw": _redraw,
    "last_frame": _last_frame,
    "scale": _scale,
}


if __name__ == "__main__":
    main()
