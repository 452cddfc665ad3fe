"""The child that looks into a film: its job names the `path`, and `into` where a faststart copy is wanted."""

import dataclasses
from pathlib import Path
from typing import BinaryIO

from filmgate.media.boxes import is_faststart
from filmgate.media.faststart import remux
from filmgate.media.findings import NotAFilm
from filmgate.media.inspection import inspect
from filmgate.media.worker import Answers, become_nobody, read_job, refusal


def main() -> None:
    answers = Answers()
    job, _ = read_job()
    # Everything is opened before we become nobody, who may open nothing of the gate's.
    with Path(str(job["path"])).open("rb") as film:
        try:
            if "into" in job:
                _copy(film, Path(str(job["into"])), answers)
            else:
                _inspect(film, answers)
        except (NotAFilm, MemoryError) as error:
            answers.send(refusal(error))


def _inspect(film: BinaryIO, answers: Answers) -> None:
    become_nobody()
    found = inspect(film)
    answers.send({"found": "facts", **dataclasses.asdict(found.facts)})
    answers.send({"found": "thumbnail_webp"}, found.thumbnail_webp)
    answers.send({"found": "thumbnail_jpeg"}, found.thumbnail_jpeg)
    answers.send({"found": "spritesheet_jpeg"}, found.spritesheet_jpeg)


def _copy(film: BinaryIO, into: Path, answers: Answers) -> None:
    needed = not is_faststart(film)
    if needed:
        with into.open("w+b", buffering=0) as written, into.open("rb", buffering=0) as again:
            become_nobody()
            remux(film, written, again)
    answers.send({"found": "copy", "needed": needed})


if __name__ == "__main__":
    main()
