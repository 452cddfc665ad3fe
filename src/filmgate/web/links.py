"""Signed links: they open without a header, for one path and a stated time."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.clock import Clock
from filmgate.domain.contracts import Links
from filmgate.domain.limits import LINK_LIFE
from filmgate.domain.problems import Problem
from filmgate.domain.task import Task

_ENDINGS: Final = {"video": "mp4", "thumbnail": "webp", "poster": "jpg", "spritesheet": "jpg"}
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
        steady = int(_STEADY.total_seconds())
        now = int(self.clock.now().timestamp())
        expiry = now - now % steady + steady + int(LINK_LIFE.total_seconds())
        return f"/files/{expiry}.{_signature(self.keys[0], name, expiry)}/{name}"

    def check(self, ticket: str, name: str) -> None:
        """Raise Problem `link_invalid` or `link_expired`."""
        expiry, dot, signature = ticket.partition(".")
        if not (dot and len(expiry) <= _EXPIRY_DIGITS and expiry.isascii() and expiry.isdigit()):
            raise Problem("link_invalid")
        expected = [_signature(key, name, int(expiry)) for key in self.keys]
        if not any(hmac.compare_digest(signature.encode(), one.encode()) for one in expected):
            raise Problem("link_invalid")
        if int(expiry) < self.clock.now().timestamp():
            raise Problem("link_expired")

    def links(self, task: Task, origin: str) -> Links:
        """Give the absolute links of a task's files, none before the film is stored."""
        if task.film is None:
            return Links()
        signed = {
            role: origin + self.sign(f"{file_id.hex}.{_ENDINGS[role]}")
            for role, file_id in task.film.files.items()
            if role in _ENDINGS
        }
        return Links(
            video=signed.get("video"), thumbnail=signed.get("thumbnail"), poster=signed.get("poster")
        )


def file_id(name: str) -> UUID:
    """Read the file's id from the last part of a link."""
    try:
        return UUID(hex=name.partition(".")[0])
    except ValueError:
        raise Problem("link_invalid") from None


def _signature(key: bytes, name: str, expiry: int) -> str:
    said = f"filmgate-link-1\nread\n/files/{name}\n{expiry}".encode()
    digest = hmac.digest(key, said, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:_SIGNATURE_CHARACTERS]
