"""The gate's hands for what strangers send: every job in a confined child of its own.

A child costs a tenth of a second of CPU to start, far less than its work on a film, so none is kept: nothing
is carried from one stranger's file to the next.
"""

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from filmgate.domain.film import FilmFacts
from filmgate.domain.limits import FILM_BYTES, MIB
from filmgate.domain.request import Json
from filmgate.media.child import ChildKilledError, ChildLimits, ChildProtocolError, run
from filmgate.media.findings import (
    BadPicture,
    CheckedPicture,
    Inspection,
    NotAFilm,
    PictureCode,
    PictureLimits,
    PictureType,
    TruncatedFilm,
)
from filmgate.media.messages import Message

INSPECTING: Final = ChildLimits(
    wall_s=120, cpu_s=60, memory_bytes=2048 * MIB, file_bytes=64 * MIB, open_files=16, processes=0
)
SPLICING: Final = ChildLimits(
    wall_s=120, cpu_s=60, memory_bytes=1024 * MIB, file_bytes=FILM_BYTES, open_files=64, processes=0
)
# Twice 25 s of 4k take 200 s of one core and 820 MiB.
REDRAWING: Final = ChildLimits(
    wall_s=1800, cpu_s=900, memory_bytes=1536 * MIB, file_bytes=FILM_BYTES, open_files=64, processes=0
)
# To bring 25 s to 4k takes 90 s of one core and 770 MiB, to 1080p a third of that.
SCALING: Final = ChildLimits(
    wall_s=1200, cpu_s=600, memory_bytes=1536 * MIB, file_bytes=FILM_BYTES, open_files=16, processes=0
)
LAST_FRAME: Final = ChildLimits(
    wall_s=60, cpu_s=30, memory_bytes=1024 * MIB, file_bytes=64 * MIB, open_files=16, processes=0
)
CHECKING: Final = ChildLimits(
    wall_s=10, cpu_s=5, memory_bytes=768 * MIB, file_bytes=64 * MIB, open_files=16, processes=0
)
# A new index may be larger than the old one by a little.
COPY_SPARE_BYTES: Final = 64 * MIB
# These say that the file was too much for its decoder; other signals came from outside.
FROM_WITHIN: Final = frozenset(
    {
        signal.SIGXCPU,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGABRT,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGSYS,
    }
)


FILM_WORKER: Final = "filmgate.media.film_worker"
PICTURE_WORKER: Final = "filmgate.media.picture_worker"
Found = TypeVar("Found")
Job: TypeAlias = Mapping[str, Json]
Said: TypeAlias = dict[str, Message]


class Workshop:
    """Each method may also raise ChildError, which says nothing about the file: trying again may help."""

    def __init__(
        self,
        *,
        films_at_once: int | None = None,
        encodings_at_once: int | None = None,
        pictures_at_once: int | None = None,
    ) -> None:
        cores = os.cpu_count() or 1
        self._films = asyncio.Semaphore(films_at_once or cores)
        # These take minutes, and what takes a moment must not stand behind them.
        self._encodings = asyncio.Semaphore(encodings_at_once or max(1, cores // 2))
        self._pictures = asyncio.Semaphore(pictures_at_once or 2 * cores)

    async def inspect(self, film: Path, limits: ChildLimits = INSPECTING) -> Inspection:
        """Raise NotAFilm or TruncatedFilm where there is nothing to show."""
        async with self._films:
            said = await _ask_of_film({"do": "inspect", "path": str(film)}, limits)
        return Inspection(
            facts=_read(said, "facts", FilmFacts),
            thumbnail_webp=_heard(said, "thumbnail_webp").payload,
            thumbnail_jpeg=_heard(said, "thumbnail_jpeg").payload,
            spritesheet_jpeg=_heard(said, "spritesheet_jpeg").payload,
            filmstrip_webp=_heard(said, "filmstrip_webp").payload,
        )

    async def faststart(self, film: Path, into: Path, limits: ChildLimits = INSPECTING) -> bool:
        """Copy the film with its index in front. Where it is there already, write nothing and give False.

        What an error leaves at `into` is no film.
        """
        size_bytes = (await asyncio.to_thread(film.stat)).st_size
        copying = replace(limits, file_bytes=size_bytes + COPY_SPARE_BYTES)
        async with self._films:
            said = await _ask_of_film({"do": "faststart", "path": str(film), "into": str(into)}, copying)
        return _read(said, "copy", _CopyAnswer).needed

    async def join(
        self,
        clips: Sequence[Path],
        into: Path,
        limits: ChildLimits = SPLICING,
        *,
        redrawing: ChildLimits = REDRAWING,
    ) -> bool:
        """Put the clips one after the other, faststart. Tell whether nothing was encoded.

        The film has the size, the pace and the title, comment and description of the first clip, and lasts as
        long as the pictures of all. Raise NotAFilm or TruncatedFilm, whose reason names the clip. Pictures that
        are copied are not decoded, so inspect clips before. What an error leaves at `into` is no film.
        """
        if not clips or into in clips:
            raise ValueError("a join needs at least one clip, and another place for the film")
        job: Job = {"paths": [str(clip) for clip in clips], "into": str(into)}
        async with self._films:
            said = await _ask_of_film({"do": "splice", **job}, limits)
        answer = _read(said, "splice", _SpliceAnswer)
        if not answer.alike:
            async with self._encodings:
                _heard(await _ask_of_film({"do": "redraw", **job}, redrawing), "redraw")
        return answer.copied

    async def last_frame(self, film: Path, limits: ChildLimits = LAST_FRAME) -> CheckedPicture:
        """Give the picture with which it ends, as PNG. Raise NotAFilm or TruncatedFilm where its end is broken."""
        async with self._films:
            said = await _ask_of_film({"do": "last_frame", "path": str(film)}, limits)
        return _checked_picture(said)

    async def scale(
        self, film: Path, into: Path, width: int, height: int, limits: ChildLimits = SCALING
    ) -> None:
        """Draw the film in another size, faststart, its sound copied; of another shape, cut off what is too much.

        Raise NotAFilm or TruncatedFilm. What an error leaves at `into` is no film.
        """
        if into == film or min(width, height) < 2 or width % 2 or height % 2:  # noqa: PLR2004  The smallest even side.
            raise ValueError(
                f"a film needs even sides and a place of its own, not {width}x{height} at {into}"
            )
        job: Job = {"do": "scale", "path": str(film), "into": str(into), "width": width, "height": height}
        async with self._encodings:
            _heard(await _ask_of_film(job, limits), "scale")

    async def check_picture(
        self,
        data: bytes,
        limits: PictureLimits | None = None,
        *,
        keep_alpha: bool = False,
        child: ChildLimits = CHECKING,
    ) -> CheckedPicture:
        """Raise BadPicture, whose reason is fit for the customer."""
        job: Job = {"limits": asdict(limits or PictureLimits()), "keep_alpha": keep_alpha}
        try:
            async with self._pictures:
                said = await _ask(PICTURE_WORKER, job, child, data)
        except _TooMuchError as error:
            raise BadPicture("too_large", f"decoding it takes too much: {error}") from error
        return _checked_picture(said)


class _TooMuchError(Exception):
    """The file ended its child."""


@dataclass(frozen=True, slots=True)
class _CopyAnswer:
    needed: bool


@dataclass(frozen=True, slots=True)
class _SpliceAnswer:
    alike: bool
    copied: bool


@dataclass(frozen=True, slots=True)
class _PictureAnswer:
    width: int
    height: int
    media_type: PictureType


@dataclass(frozen=True, slots=True)
class _Refusal:
    refused: Literal["not_a_film", "truncated_film", "bad_picture", "memory"]
    reason: str = ""
    code: PictureCode = "not_a_picture"


async def _ask_of_film(job: Job, limits: ChildLimits) -> Said:
    try:
        return await _ask(FILM_WORKER, job, limits)
    except _TooMuchError as error:
        raise NotAFilm(f"decoding it takes too much: {error}") from error


async def _ask(module: str, job: Job, limits: ChildLimits, file: bytes = b"") -> Said:
    said: Said = {}

    def hear(message: Message) -> None:
        said[str(message.value.get("found", "refusal"))] = message

    try:
        await run(module, limits=limits, stdin=[json.dumps(job).encode() + b"\n", file], on_message=hear)
    except ChildKilledError as error:
        if error.signal not in FROM_WITHIN:
            raise
        raise _TooMuchError(f"{error.signal.name} after at most {limits.cpu_s} s of CPU") from error
    if "refusal" in said:
        raise _refusal(_read(said, "refusal", _Refusal), limits)
    return said


def _refusal(refusal: _Refusal, limits: ChildLimits) -> Exception:
    match refusal.refused:
        case "truncated_film":
            return TruncatedFilm(refusal.reason)
        case "not_a_film":
            return NotAFilm(refusal.reason)
        case "bad_picture":
            return BadPicture(refusal.code, refusal.reason)
        case "memory":
            return _TooMuchError(f"more than {limits.memory_bytes // MIB} MiB of memory")


def _checked_picture(said: Said) -> CheckedPicture:
    answer = _read(said, "picture", _PictureAnswer)
    return CheckedPicture(answer.width, answer.height, answer.media_type, _heard(said, "picture").payload)


def _read(said: Said, name: str, kind: type[Found]) -> Found:
    # A decoder that was taken over speaks through these messages, so they are checked like any stranger's.
    try:
        return TypeAdapter(kind).validate_python(_heard(said, name).value)
    except ValidationError as error:
        raise ChildProtocolError(f"the answer {name} is malformed", str(error)) from error


def _heard(said: Said, name: str) -> Message:
    if name not in said:
        raise ChildProtocolError(f"the answer {name} is missing", "")
    return said[name]
