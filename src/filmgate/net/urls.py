"""A URL taken apart by the strictest reading, in which nothing is trimmed, repaired or guessed."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from filmgate.net.denied import Denied

LONGEST_URL: Final = 4096
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.ASCII | re.IGNORECASE)
_WEB: Final = re.compile(r"(https?)://", re.ASCII | re.IGNORECASE)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_HIGHEST_PORT: Final = 65_535
_FORBIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cn", "Cs", "Zs", "Zl", "Zp"))
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Parts:
    """`host` is as it was written, without brackets; `target` is the path and query, in ASCII."""

    scheme: str
    host: str
    bracketed: bool
    port: int
    target: str


def split(url: str) -> Parts:
    """Take a URL apart, or raise Denied."""
    demand_plain(url)
    match = _WEB.match(url)
    if match is None:
        raise Denied("G2", "not http:// or https://")
    scheme = match[1].lower()
    rest = url[match.end() :]
    if "@" in rest.partition("/")[0]:
        raise Denied("G3", "an @ before the first slash")
    end = _AUTHORITY_END.search(rest)
    authority = rest if end is None else rest[: end.start()]
    host, bracketed, port = _split_authority(authority)
    target = rest[len(authority) :].partition("#")[0]
    return Parts(
        scheme=scheme,
        host=host,
        bracketed=bracketed,
        port=DEFAULT_PORTS[scheme] if port is None else _read_port(port),
        target=_wire_target(target),
    )


def demand_plain(text: str) -> None:
    """Raise Denied for a text that is empty, too long, or holds what may vanish, split or disguise it."""
    if not text or len(text) > LONGEST_URL:
        raise Denied("G1", f"a URL of {len(text)} characters, 1 to {LONGEST_URL} are allowed")
    for character in text:
        if character == "\\" or unicodedata.category(character) in _FORBIDDEN_CATEGORIES:
            raise Denied("G1", f"the character U+{ord(character):04X}")


def _split_authority(authority: str) -> tuple[str, bool, str | None]:
    """Give the host, whether it stood in brackets, and the text behind the colon."""
    if authority.startswith("["):
        host, closed, behind = authority[1:].partition("]")
        if not closed or (behind and not behind.startswith(":")):
            raise Denied("G5", "brackets that do not hold the whole host")
        return host, True, behind[1:] if behind else None
    host, colon, port = authority.partition(":")
    if not host:
        raise Denied("G6", "no host")
    return host, False, port if colon else None


def _read_port(text: str) -> int:
    if _PORT.fullmatch(text) is None or int(text) > _HIGHEST_PORT:
        raise Denied("G4", f"{text!r} is no port")
    return int(text)


def _wire_target(target: str) -> str:
    # A signed URL must arrive as it was signed: only what cannot be sent at all is encoded.
    return quote(target if target.startswith("/") else f"/{target}", safe=_PRINTABLE)
