"""A confined child's side: it reads one job from stdin, becomes nobody, and answers on stdout.

A job is a JSON object on one line; the rest of stdin is the file, where the job is about one sent along.
"""

import importlib
import json
import os
import sys
from typing import BinaryIO, Final, TypeAlias

from PIL import Image

from filmgate.domain.request import Json
from filmgate.media.findings import BadPicture, NotAFilm, TruncatedFilm
from filmgate.media.limits import drop_privileges

Answer: TypeAlias = "dict[str, str | int | float | bool | None]"

LATE: Final = ("PIL.MpoImagePlugin", "PIL.TiffImagePlugin", "PIL.WebPImagePlugin", "av.subtitles.stream")


class Answers:
    """Stdout for messages alone: what a library prints there goes to stderr from now on."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, answer: Answer, payload: bytes = b"") -> None:
        line: Answer = {**answer, "payload_bytes": len(payload)} if payload else answer
        self._out.write(json.dumps(line).encode() + b"\n" + payload)
        self._out.flush()


def read_job() -> tuple[dict[str, Json], BinaryIO]:
    return json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer


def become_nobody() -> None:
    """Give up what root may do. Nobody may not read our libraries: what they load late is loaded before."""
    Image.preinit()
    for module in LATE:
        if module.partition(".")[0] in sys.modules:
            importlib.import_module(module)
    drop_privileges()


def refusal(error: NotAFilm | BadPicture | MemoryError) -> Answer:
    """Say in a message what the gate turns back into the error."""
    match error:
        case TruncatedFilm():
            return {"refused": "truncated_film", "reason": error.reason}
        case NotAFilm():
            return {"refused": "not_a_film", "reason": error.reason}
        case BadPicture():
            return {"refused": "bad_picture", "code": error.code, "reason": error.reason}
        case MemoryError():
            return {"refused": "memory"}
