"""One film of the demo: sent, polled and fetched in its own dialect, and looked at."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filmgate.cli.demo.orders import Order
from filmgate.cli.demo.wire import Said, Wire, WireError
from filmgate.cli.naming import film_name, put_in_place
from filmgate.cli.output import Json
from filmgate.cli.shapes import FilmShape
from filmgate.cli.sight import Board, Sight
from filmgate.domain.clock import Clock

_POLL_EVERY_S: Final = 0.3
_LONGEST_S: Final = 300.0
_OK: Final = 200
_TEXT_LENGTH: Final = 200


@dataclass(slots=True)
class Seen:
    """What the demo saw of one film; `error` says what was missing."""

    order: Order
    line: str
    id: str = ""
    phases: list[str] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    path: Path | None = None
    film: FilmShape | None = None
    provider: str = ""
    took_s: float = 0.0
    error: str = ""

    @property
    def label(self) -> str:
        return f"{self.order.tongue.name:<8}{self.order.prompt}"

    @property
    def story(self) -> str:
        """Give `queued → processing 12-87 % → completed`."""
        shares = sorted({share for share in self.shares if 0 < share < 100})  # noqa: PLR2004  # per cent
        middle = (
            "" if not shares else f" {shares[0]} %" if len(shares) == 1 else f" {shares[0]}-{shares[-1]} %"
        )
        last_running = next((no for no in reversed(range(len(self.phases) - 1)) if no), 0)
        parts = [f"{phase}{middle}" if no == last_running else phase for no, phase in enumerate(self.phases)]
        return " → ".join(parts)


class _MissingError(Exception):
    """What the dialect promises did not come."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who knows one gate, and speaks any dialect to it."""

    wire: Wire
    base_url: str
    key: str = field(repr=False)
    picture: Path
    picture_url: str
    clock: Clock
    leaving: threading.Event

    def make(self, seen: Seen, folder: Path, board: Board) -> None:
        """Have a film made; nothing is raised, what went wrong stands in what was seen."""
        began = self.clock.monotonic()
        try:
            self._submit(seen)
            last = self._wait(seen, board, began)
            self._fetch(seen, last, folder)
        except (_MissingError, WireError, OSError) as error:
            seen.error = str(error)
        seen.took_s = self.clock.monotonic() - began

    def _submit(self, seen: Seen) -> None:
        order = seen.order
        url = self.base_url + order.tongue.create
        fields = order.filled(self.picture_url)
        if order.form:
            files = dict.fromkeys(order.pictures, self.picture)
            answer = _object(self.wire.send_form(url, self.key, fields, files))
        else:
            answer = _object(self.wire.send_json(url, self.key, fields))
        seen.id = str(_read(answer, order.tongue.id_field))
        self._note(seen, answer)

    def _wait(self, seen: Seen, board: Board, began: float) -> Mapping[str, Json]:
        tongue = seen.order.tongue
        while True:
            elapsed_s = self.clock.monotonic() - began
            if elapsed_s > _LONGEST_S:
                raise _MissingError(f"not done within {_LONGEST_S:.0f} s")
            answer = _object(self.wire.show(self.base_url + tongue.show.format(id=seen.id), self.key))
            status = self._note(seen, answer)
            if status in tongue.done:
                return answer
            if status in tongue.failed:
                raise _MissingError(str(_read(answer, tongue.reason_field))[:_TEXT_LENGTH])
            share = seen.shares[-1] if seen.shares else 0
            board.see(seen.line, Sight(seen.label, status, status, share or None, "", elapsed_s))
            if self.leaving.wait(_POLL_EVERY_S):
                raise _MissingError("stopped")

    def _note(self, seen: Seen, answer: Mapping[str, Json]) -> str:
        tongue = seen.order.tongue
        status, share = str(_read(answer, tongue.status_field)), answer.get(tongue.progress_field)
        if not seen.phases or seen.phases[-1] != status:
            seen.phases.append(status)
        if isinstance(share, int) and (not seen.shares or seen.shares[-1] != share):
            seen.shares.append(share)
        return status

    def _fetch(self, seen: Seen, last: Mapping[str, Json], folder: Path) -> None:
        tongue = seen.order.tongue
        part = folder / f".{seen.id}.part"
        if tongue.film_field:
            # A link works for whoever has it, without a key.
            url, key = str(_read(last, tongue.film_field)), None
        else:
            url, key = self.base_url + tongue.film_path.format(id=seen.id), self.key
        status = self.wire.fetch(url, key, part)
        if status != _OK:
            part.unlink(missing_ok=True)
            raise _MissingError(f"GET {url.partition('?')[0]} answered {status}")
        seen.film = look(part)
        seen.path = put_in_place(part, folder / f"{tongue.name}-{film_name(seen.order.prompt)}")


def look(path: Path) -> FilmShape:
    """Open a film and decode it to its last frame; raise OSError where it is none."""
    import av  # noqa: PLC0415  # slow to import
    from av.error import FFmpegError  # noqa: PLC0415  # slow to import

    try:
        with av.open(str(path)) as container:
            picture = container.streams.video[0]
            frames = sum(1 for _ in container.decode(picture))
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else None
            length = 0.0 if container.duration is None else container.duration / av.time_base
            return FilmShape(
                seconds=length,
                width=picture.width,
                height=picture.height,
                fps=float(picture.average_rate or 0),
                frames=frames,
                size_bytes=path.stat().st_size,
                video_codec=picture.codec_context.name,
                audio_codec=sound,
            )
    except (FFmpegError, IndexError) as error:
        raise OSError(f"PyAV cannot read the film: {error}") from error


def _object(said: Said) -> Mapping[str, Json]:
    try:
        answer = json.loads(said.body)
    except ValueError:
        answer = None
    if said.status != _OK or not isinstance(answer, dict):
        raise _MissingError(f"HTTP {said.status}: {said.body[:_TEXT_LENGTH].decode(errors='replace')}")
    return answer


def _read(answer: Json, name: str) -> Json:
    """Read a dotted name such as `data.task_id`."""
    value = answer
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            raise _MissingError(f"the answer has no `{name}`")
        value = value[part]
    return value
