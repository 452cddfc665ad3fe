"""The gate's server-sent events, over restarts of the gate: who comes back is told what it missed."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Self, cast
from urllib.parse import quote

from filmgate.cli.client import UnreachableError
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.session import RESTART_S, STRANGER_S, Session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import Text

# The gate says something every quarter of a minute, if only that it is there.
_SILENCE_S: Final = 45.0
_OVER: Final = 204
_AFTER: Final = Text("The films go on where they are made.", "视频仍在继续生成。")


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    kind: str
    task: TaskShape


def events(session: Session, id_: str | None, timeout_s: float | None) -> Iterator[Event]:
    """Yield a film's events until it has ended, or without an id those of all films, for ever.

    Raise CliError `timeout` when the time is over.
    """
    until = None if timeout_s is None else session.clock.monotonic() + timeout_s
    patience_s = STRANGER_S
    with _Stream(session, id_, until) as stream:
        while True:
            try:
                event = session.persist(stream.next_event, stranger_s=patience_s, after=_AFTER, until=until)
                patience_s = RESTART_S
            except CliError as error:
                late = until is not None and session.clock.monotonic() >= until
                if late and error.exit_code == Exit.UNREACHABLE:
                    raise trouble(
                        "timeout", seconds=f"{timeout_s:g}", ids=id_ or "--all", again=session.again
                    ) from error
                raise
            if event is None:
                return
            yield event
            if id_ is not None and event.kind == "task.done":
                return


class _Stream:
    """One connection after the other; each goes on after the last event that came."""

    def __init__(self, session: Session, id_: str | None, until: float | None) -> None:
        self._session = session
        self._path = (
            f"{session.api}/events" if id_ is None else f"{session.api}/tasks/{quote(id_, safe='')}/events"
        )
        self._until = until
        self._told = ""
        self._open = ExitStack()
        self._answer: http.client.HTTPResponse | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def next_event(self) -> Event | None:
        """Read on; None where nothing more will come. Raise UnreachableError where the connection broke."""
        if self._answer is None:
            self._answer = self._connected()
        if self._answer.status == _OVER:
            return None
        try:
            event = self._read(self._answer)
        except (OSError, http.client.HTTPException) as error:
            self._leave()
            raise UnreachableError(self._session.gate.address, error, sent=True) from error
        if event is None:
            self._leave()
            broken = ConnectionError("the stream ended")
            raise UnreachableError(self._session.gate.address, broken, sent=True)
        self._told = event.id or self._told
        return event

    def _connected(self) -> http.client.HTTPResponse:
        gate, headers = self._session.gate, {"accept": "text/event-stream"}
        if self._told:
            headers["last-event-id"] = self._told
        left_s = _SILENCE_S if self._until is None else self._until - self._session.clock.monotonic()
        wait_s = max(0.1, min(left_s, _SILENCE_S))
        answer = self._open.enter_context(gate.open("GET", self._path, headers=headers, timeout_s=wait_s))
        try:
            gate.demand(answer)
        except CliError:
            self._leave()
            raise
        return answer

    def _leave(self) -> None:
        self._open.close()
        self._answer = None

    @staticmethod
    def _read(answer: http.client.HTTPResponse) -> Event | None:
        fields: dict[str, str] = {}
        for raw in answer:
            line = raw.decode().rstrip("\r\n")
            if not line and "data" in fields:
                task = cast("TaskShape", json.loads(fields["data"]))
                return Event(fields.get("id", ""), fields.get("event", "message"), task)
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
        return None
