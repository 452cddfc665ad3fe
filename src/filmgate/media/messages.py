"""What a child says on stdout: JSON objects, one a line, some followed by `payload_bytes` raw bytes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from filmgate.domain.request import Json

LINE_BYTES: Final = 1024 * 1024
PAYLOAD_BYTES: Final = 128 * 1024 * 1024
QUOTED_CHARACTERS: Final = 120


class NotAMessageError(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Message:
    value: dict[str, Json]
    payload: bytes = field(default=b"", repr=False)


class MessageReader:
    """Bytes in any pieces become messages; raise NotAMessageError for what is none."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._announced: dict[str, Json] | None = None
        self._payload_bytes = 0

    def read(self, data: bytes) -> Iterator[Message]:
        self._unread += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        if self._announced is None and (line := self._line()) is not None:
            self._announced = _parse(line)
            self._payload_bytes = _payload_bytes(self._announced)
        if self._announced is None or len(self._unread) < self._payload_bytes:
            return None
        message = Message(self._announced, bytes(memoryview(self._unread)[: self._payload_bytes]))
        del self._unread[: self._payload_bytes]
        self._announced = None
        return message

    def _line(self) -> bytes | None:
        end = self._unread.find(b"\n")
        if end < 0:
            if len(self._unread) > LINE_BYTES:
                raise NotAMessageError(f"a line is longer than {LINE_BYTES} bytes")
            return None
        line = bytes(memoryview(self._unread)[:end])
        del self._unread[: end + 1]
        return line


def _parse(line: bytes) -> dict[str, Json]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        quoted = line[:QUOTED_CHARACTERS].decode(errors="replace")
        raise NotAMessageError(f"{quoted!r} is no JSON object")
    return value


def _payload_bytes(value: dict[str, Json]) -> int:
    size = value.get("payload_bytes", 0)
    if not isinstance(size, int) or not 0 <= size <= PAYLOAD_BYTES:
        raise NotAMessageError(f"payload_bytes is {size!r}, not 0 to {PAYLOAD_BYTES}")
    return size
