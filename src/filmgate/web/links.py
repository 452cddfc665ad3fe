"""Signed links: they open without a header, for one path and a stated time."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import quote
from uuid import UUID

from filmgate.domain.clock import Clock
from filmgate.domain.contracts import Links
from filmgate.domain.limits import LINK_LIFE
from filmgate.domain.problems import Problem
from filmgate.domain.task import Task

_NO_PATHS: Final[Mapping[str, str]] = MappingProxyType({})
_ENDINGS: Final = {
    "video": "mp4",
    "first": "mp4",
    "source": "mp4",
    "thumbnail": "webp",
    "poster": "jpg",
}
# Within this span a task's links stay the same, so that clients and caches see one address.
_STEADY: Final = timedelta(hours=1)
_SIGNATURE_CHARACTERS: Final = 32
_EXPIRY_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Signs and checks; several keys may be live, the first of them signs."""

    keys: Sequence[bytes]
    clock: Clock

    def sign(self, name: str) -> str:
        """Give the path of a file's link."""
        return f"/files/{self._ticket(f'/files/{name}')}/{name}"

    def open(self, path: str) -> str:
        """Give the path under which a path of a dialect opens without a key, for reading alone."""
        return f"/s/{self._ticket(f'/s{path}')}{quote(path, safe='/:')}"

    def _ticket(self, path: str) -> str:
        steady = int(_STEADY.total_seconds())
        now = int(self.clock.now().timestamp())
        expiry = now - now % steady + steady + int(LINK_LIFE.total_seconds())
        return f"{expiry}.{_signature(self.keys[0], path, expiry)}"

    def check(self, ticket: str, path: str) -> timedelta:
        """Say how long it still opens; raise Problem `link_invalid` or `link_expired`.

        `path` begins with `/files` or `/s`.
        """
        expiry, dot, signature = ticket.partition(".")
        if not (dot and len(expiry) <= _EXPIRY_DIGITS and expiry.isascii() and expiry.isdigit()):
            raise Problem("link_invalid")
        expected = [_signature(key, path, int(expiry)) for key in self.keys]
        if not any(hmac.compare_digest(signature.encode(), one.encode()) for one in expected):
            raise Problem("link_invalid")
        left_s = int(expiry) - self.clock.now().timestamp()
        if left_s < 0:
            raise Problem("link_expired")
        return timedelta(seconds=left_s)

    def links(self, task: Task, origin: str, paths: Mapping[str, str] = _NO_PATHS) -> Links:
        """Give the absolute links of a task's files, none before the film is stored, and of a dialect's open paths."""
        names = _Names(task.names)
        opened = {use: origin + self.open(path.format_map(names)) for use, path in paths.items()}
        if task.film is None:
            return Links(open=opened)
        signed = {
            role: origin + self.sign(f"{file_id.hex}.{_ENDINGS[role]}")
            for role, file_id in task.film.files.items()
            if role in _ENDINGS
        }
        return Links(
            video=signed.get("video"),
            thumbnail=signed.get("thumbnail"),
            poster=signed.get("poster"),
            first=signed.get("first"),
            source=signed.get("source"),
            open=opened,
        )


class _Names(dict[str, str]):
    """A task's names; one that its own dialect does not give is its first."""

    def __missing__(self, use: str) -> str:
        return self["id"]


def file_id(name: str) -> UUID:
    """Read the file's id from the last part of a link."""
    try:
        return UUID(hex=name.partition(".")[0])
    except ValueError:
        raise Problem("link_invalid") from None


def _signature(key: bytes, path: str, expiry: int) -> str:
    said = f"filmgate-link-1\nread\n{path}\n{expiry}".encode()
    digest = hmac.digest(key, said, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:_SIGNATURE_CHARACTERS]
