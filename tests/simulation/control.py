"""A connection to PostgreSQL that blocks: a few lines of its protocol, for questions between two steps of the loop."""

import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_VERSION: Final = 196608
_HEADER: Final = 5


class Control:
    def __init__(self, target: Mapping[str, Any]) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"{target['host']}/.s.PGSQL.{target.get('port', 5432)}")
        said = b"".join(
            part.encode() + b"\0"
            for part in ("user", target["user"], "database", target["database"], "options", "-c timezone=UTC")
        )
        self._send(b"", struct.pack("!i", _VERSION) + said + b"\0")
        list(self._answers())

    def ask(self, statement: str) -> Sequence[Sequence[str | None]]:
        """Run statements; give the rows as text. Raise RuntimeError for an error."""
        self._send(b"Q", statement.encode() + b"\0")
        rows: list[list[str | None]] = []
        error: str | None = None
        for kind, body in self._answers():
            if kind == b"D":
                rows.append(list(_columns(body)))
            elif kind == b"E":
                error = body.replace(b"\0", b" ").decode(errors="replace")
        if error is not None:
            raise RuntimeError(f"{error}: {statement}")
        return rows

    def close(self) -> None:
        self._socket.close()

    def _send(self, kind: bytes, body: bytes) -> None:
        self._socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _answers(self) -> Iterator[tuple[bytes, bytes]]:
        while True:
            head = self._read(_HEADER)
            kind, size = head[:1], struct.unpack("!i", head[1:])[0]
            body = self._read(size - 4)
            if kind == b"Z":
                return
            yield kind, body

    def _read(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise ConnectionError("PostgreSQL has closed the connection")
            parts += part
        return parts


def _columns(body: bytes) -> Iterator[str | None]:
    count, place = struct.unpack("!h", body[:2])[0], 2
    for _ in range(count):
        size = struct.unpack("!i", body[place : place + 4])[0]
        place += 4
        if size < 0:
            yield None
        else:
            yield body[place : place + size].decode()
            place += size
