"""One film of the demo: sent, polled and fetched in its own dialect."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filmgate.cli.demo.look import look
from filmgate.cli.demo.orders import Order
from filmgate.cli.demo.wire import Said, Wire, WireError
from filmgate.cli.naming import film_name, put_in_place
from filmgate.cli.output import Json
from filmgate.cli.shapes import FilmShape, TaskDetailShape
from filmgate.cli.sight import Board, Sight
from filmgate.domain.clock import Clock

# Each look is a run of curl, and takes from the films what it costs.
_POLL_EVERY_S: Final = 1.0
_LONGEST_S: Final = 300.0
_OK: Final = 200
_TEXT_LENGTH: Final = 200
_WHOLE: Final = 100


@dataclass(slots=True)
class Phase:
    """A word that the dialect said, and the shares in per cent that it said with it."""

    word: str
    shares: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        shares = [share for share in self.shares if 0 < share < _WHOLE]
        if not shares:
            return self.word
        span = f"{shares[0]}" if len(set(shares)) == 1 else f"{shares[0]}-{shares[-1]}"
        return f"{self.word} {span} %"


@dataclass(slots=True)
class Seen:
    """What the demo saw of one film; `error` says what was missing."""

    order: Order
    line: str
    id: str = ""
    phases: list[Phase] = field(default_factory=list)
    path: Path | None = None
    film: FilmShape | None = None
    task: TaskDetailShape | None = None
    took_s: float = 0.0
    error: str = ""

    @property
    def label(self) -> str:
        return f"{self.order.tongue.name:<9}{self.order.prompt}"

    @property
    def story(self) -> str:
        """Give `queued → processing 12-87 % → completed`."""
        return " → ".join(map(str, self.phases))


class _MissingError(Exception):
    """What the dialect promises did not come."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who knows one gate, and speaks any dialect to it.

    The pictures go by the words that stand for them in an order: as files, and by address.
    """

    wire: Wire
    base_url: str
    key: str = field(repr=False)
    pictures: Mapping[str, Path]
    picture_urls: Mapping[str, str]
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
        fields = order.filled(self.picture_urls)
        if order.form:
            files = [(name, self.pictures[picture]) for name, picture in order.pictures]
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
            phase = seen.phases[-1]
            share = phase.shares[-1] if phase.shares else 0
            board.see(seen.line, Sight(seen.label, phase.word, phase.word, share or None, "", elapsed_s))
            if self.leaving.wait(_POLL_EVERY_S):
                raise _MissingError("stopped")

    def _note(self, seen: Seen, answer: Mapping[str, Json]) -> str:
        """Remember what the dialect says now; give its status."""
        tongue = seen.order.tongue
        status = str(_read(answer, tongue.status_field))
        over = status in tongue.done | tongue.failed
        word = status if over else str(_found(answer, tongue.phase_field) or status)
        if not seen.phases or seen.phases[-1].word != word:
            seen.phases.append(Phase(word))
        share = _share(_found(answer, tongue.progress_field))
        if share is not None:
            seen.phases[-1].shares.append(share)
        return status

    def _fetch(self, seen: Seen, last: Mapping[str, Json], folder: Path) -> None:
        tongue = seen.order.tongue
        part = folder / f".{seen.id.replace(':', '-')}.part"
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
    found = _found(answer, name)
    if found is None:
        raise _MissingError(f"the answer has no `{name}`")
    return found


def _found(answer: Json, name: str) -> Json:
    value = answer
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _share(said: Json) -> int | None:
    """Read a progress, as a number or as the text `61%`."""
    text = str(said).removesuffix("%")
    return int(text) if text.isascii() and text.isdigit() else None
