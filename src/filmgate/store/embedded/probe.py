"""Whether a PostgreSQL takes connections, asked as a client asks: nothing else tells it reliably."""

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum

from filmgate.store.embedded.address import PostgresAddress

_PROTOCOL = 196608
_CANNOT_CONNECT_NOW = "57P03"
_TOO_MANY_CONNECTIONS = "53300"
_TIMEOUT_S = 1.0
_MAX_REPLY_BYTES = 8192
# A message counts the four bytes of its own size.
_SIZE_BYTES = 4


class Readiness(StrEnum):
    ABSENT = "absent"
    STARTING = "starting"
    STOPPING = "stopping"
    READY = "ready"
    REFUSING = "refusing"


@dataclass(frozen=True, slots=True)
class Answer:
    """`pid` is the server's, as the kernel knows it: None where it is not visible from here."""

    readiness: Readiness
    pid: int | None = None
    text: str = ""


def ask(address: PostgresAddress) -> Answer:
    """Try to log in once and say how that went."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_TIMEOUT_S)
        try:
            client.connect(str(address.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return Answer(Readiness.ABSENT)
        except (TimeoutError, BlockingIOError):
            return Answer(Readiness.STARTING, text="it takes no connection")
        pid = _peer_pid(client)
        try:
            client.sendall(_startup(address))
            kind, body = _receive(client)
            if kind == b"R":
                client.sendall(b"X\0\0\0\4")
        except TimeoutError:
            return Answer(Readiness.STARTING, pid, "it does not answer")
        except (ConnectionError, EOFError):
            return Answer(Readiness.ABSENT)
    return _judge(kind, body, pid)


def _startup(address: PostgresAddress) -> bytes:
    names = ("user", address.user, "database", address.database)
    body = struct.pack("!i", _PROTOCOL) + b"".join(name.encode() + b"\0" for name in names) + b"\0"
    return struct.pack("!i", len(body) + _SIZE_BYTES) + body


def _receive(client: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(client, 1 + _SIZE_BYTES)
    (size,) = struct.unpack("!i", head[1:])
    if not _SIZE_BYTES <= size <= _MAX_REPLY_BYTES:
        raise EOFError
    return head[:1], _exactly(client, size - _SIZE_BYTES)


def _exactly(client: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        part = client.recv(size - len(got))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


def _judge(kind: bytes, body: bytes, pid: int | None) -> Answer:
    if kind == b"R":
        (method,) = struct.unpack("!i", body[:4])
        return Answer(Readiness.READY if method == 0 else Readiness.REFUSING, pid, "it wants a password")
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    code, text = fields.get(b"C", ""), fields.get(b"M", "")
    if code == _CANNOT_CONNECT_NOW:
        return Answer(Readiness.STOPPING if "shutting down" in text else Readiness.STARTING, pid, text)
    if code == _TOO_MANY_CONNECTIONS:
        return Answer(Readiness.READY, pid, text)
    return Answer(Readiness.REFUSING, pid, text)


def _peer_pid(client: socket.socket) -> int | None:
    # Of a listening socket the kernel names whoever called listen(): the postmaster, also through namespaces.
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    packed = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", packed)[0]
    return pid or None
