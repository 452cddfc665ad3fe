"""Drawings by the animatic, known here only as a program: one process a clip, and places for only so many.

Of a key there is `<folder>/<key>.mp4` once its film is whole, and until then `<folder>/<key>.work` with its
pictures, so that a process that starts again can draw what its predecessor was drawing.
"""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast

from filmgate.domain.contracts_provider import Drawing, Frame
from filmgate.domain.limits import FILM_BYTES, GIB
from filmgate.domain.request import Json
from filmgate.media.child import ChildFailedError, ChildKilledError, ChildLimits, run
from filmgate.media.messages import Message

PROGRAM: Final = "filmgate.animatic"
RESTARTS: Final = 2
# Address space is far more than memory: the libraries reserve tens of MiB for each core of the machine.
DRAWING: Final = ChildLimits(
    wall_s=1800, cpu_s=3600, memory_bytes=8 * GIB, file_bytes=FILM_BYTES, open_files=64
)
_KEY: Final = re.compile(r"[0-9a-f-]+(?:\.[0-9a-f-]+)*", re.ASCII)
_KEY_CHARACTERS: Final = 100
# The same request would meet the same end again.
_THE_REQUEST: Final = frozenset({"bad_spec", "bad_picture"})
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Renderers:
    """A drawing that waits for a place has drawn 0; `program` and `limits` say what draws, and how far it may go."""

    def __init__(
        self, folder: Path, at_once: int, *, program: str = PROGRAM, limits: ChildLimits = DRAWING
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder.absolute()
        self._places = asyncio.Semaphore(at_once)
        self._program = program
        self._limits = limits
        self._works: dict[str, _Work] = {}

    def look(self, key: str) -> Drawing | None:
        """Tell how far a drawing is. Raise ValueError for what is no key."""
        film = self._film(key)
        if film.exists():
            return Drawing(path=film)
        work = self._works.get(key)
        if work is None:
            return None
        return Drawing(work.done, work.total, error=work.error, bad_request=work.bad_request)

    async def start(self, key: str, spec: Mapping[str, Json], pictures: Sequence[Frame]) -> None:
        """Start drawing, unless this key is being drawn or was drawn already.

        Once this returns the pictures are kept: another start of the key needs to bring only their roles, as
        `pictures` of the spec. A drawing whose pictures are gone has an error.
        """
        film = self._film(key)
        if key in self._works or film.exists():
            return
        work = self._works[key] = _Work()
        try:
            if pictures:
                spec = {**spec, "pictures": [{"role": picture.role.value} for picture in pictures]}
                await _undisturbed(_keep, self._work(key), pictures)
        except BaseException:
            self._works.pop(key, None)
            raise
        if self._works.get(key) is work:
            work.drawing = asyncio.create_task(self._draw(key, work, spec))

    async def forget(self, key: str) -> None:
        """Stop the drawing of a key, if it runs, and remove what it left."""
        film = self._film(key)
        work = self._works.pop(key, None)
        if work is not None:
            await _stop([work])
        await _undisturbed(_remove, film, self._work(key))

    async def sweep(self, before: datetime) -> int:
        """Remove what was left before that time by keys that nobody forgot; tell how many files and folders."""
        busy = {self._work(key) for key in self._works}
        return await _undisturbed(_remove_older, self._folder, before.timestamp(), busy)

    async def close(self) -> None:
        """Kill every drawing; what they had drawn of their pictures is kept for the next start."""
        works = list(self._works.values())
        self._works.clear()
        await _stop(works)

    def _film(self, key: str) -> Path:
        if len(key) > _KEY_CHARACTERS or _KEY.fullmatch(key) is None:
            raise ValueError(f"a key is hexadecimal digits, hyphens and dots, not {key[:_KEY_CHARACTERS]!r}")
        return self._folder / f"{key}.mp4"

    def _work(self, key: str) -> Path:
        return self._folder / f"{key}.work"

    async def _draw(self, key: str, work: "_Work", spec: Mapping[str, Json]) -> None:
        folder = self._work(key)
        try:
            async with self._places:
                await self._until_drawn(work, await _undisturbed(_lay_out, folder, spec))
            await _undisturbed(_publish, folder, self._film(key))
        except Exception as error:  # noqa: BLE001  # whoever looks must learn of it, and nobody else can
            work.bad_request = isinstance(error, _BadRequest)
            work.error = (
                str(error) if work.bad_request else f"{type(error).__name__}: {error} {work.words}".rstrip()
            )
            await _undisturbed(shutil.rmtree, folder, ignore_errors=True)
            return
        if self._works.get(key) is work:
            del self._works[key]

    async def _until_drawn(self, work: "_Work", job: bytes) -> None:
        for restarts in range(RESTARTS + 1):
            ear = _Ear(work)
            try:
                await run(self._program, limits=self._limits, stdin=[job], on_message=ear.hear)
            except (ChildKilledError, ChildFailedError) as error:
                if ear.bad_request:
                    raise _BadRequest(work.words) from error
                out_of_time = isinstance(error, ChildKilledError) and error.signal is signal.SIGXCPU
                if out_of_time or restarts == RESTARTS:
                    raise
            else:
                return


class _BadRequest(Exception):  # noqa: N818  # as the house names what happened
    """The program says that the request is at fault; the text is fit for the customer."""


@dataclass(slots=True)
class _Work:
    done: int = 0
    total: int = 0
    words: str = ""
    error: str | None = None
    bad_request: bool = False
    drawing: "asyncio.Task[None] | None" = None


class _Ear:
    """Listens to one run of the program."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self.bad_request = False

    def hear(self, message: Message) -> None:
        match message.value:
            case {"event": "progress", "done": int(done), "total": int(total)}:
                self._work.done, self._work.total = done, total
            case {"event": "failed", "code": str(code), "message": str(text)}:
                self.bad_request = code in _THE_REQUEST
                self._work.words = text


async def _stop(works: Sequence[_Work]) -> None:
    drawings = [work.drawing for work in works if work.drawing is not None]
    for drawing in drawings:
        drawing.cancel()
    await asyncio.gather(*drawings, return_exceptions=True)


def _keep(folder: Path, pictures: Sequence[Frame]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for no, picture in enumerate(pictures):
        name = f"{picture.role.value}-{no}.{_SUFFIXES.get(picture.media_type, 'picture')}"
        part = folder / f"{name}.part"
        part.write_bytes(picture.content)
        _to_disk(part)
        part.replace(folder / name)
    _to_disk(folder)
    _to_disk(folder.parent)


def _lay_out(folder: Path, spec: Mapping[str, Json]) -> bytes:
    folder.mkdir(mode=0o700, exist_ok=True)
    asked = cast("list[Mapping[str, Json]]", spec.get("pictures", []))
    pictures = [
        {"role": picture["role"], "path": str(_kept(folder, no, picture))} for no, picture in enumerate(asked)
    ]
    return json.dumps({**spec, "out": str(_drawn(folder)), "pictures": pictures}).encode()


def _kept(folder: Path, no: int, picture: Mapping[str, Json]) -> Path:
    for suffix in (*_SUFFIXES.values(), "picture"):
        path = folder / f"{picture['role']}-{no}.{suffix}"
        if path.exists():
            return path
    raise FileNotFoundError(f"the {picture['role']} picture of this drawing is not kept on this machine")


def _drawn(folder: Path) -> Path:
    return folder / "film.mp4"


def _publish(folder: Path, film: Path) -> None:
    # A name in our folder promises a whole film, also after a power cut.
    _to_disk(_drawn(folder))
    _drawn(folder).replace(film)
    _to_disk(film.parent)
    shutil.rmtree(folder)


def _remove(*paths: Path) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _remove_older(folder: Path, before: float, busy: set[Path]) -> int:
    removed = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path not in busy and path.stat().st_mtime < before:
                _remove(path)
                removed += 1
    return removed


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


async def _undisturbed(
    function: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> _Result:
    """Run it in a thread, and stay until it has ended also when cancelled: files must not change afterwards."""
    thread = asyncio.ensure_future(asyncio.to_thread(function, *arguments, **named))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        thread.exception()
        raise
