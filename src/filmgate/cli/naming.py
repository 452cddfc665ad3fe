"""What a film's file is called: after its prompt, and never a name that is taken."""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SANDBOX: Final = re.compile(r"--sandbox=\S+")
_APART: Final = re.compile(r"[\W_]+")
_LONGEST: Final = 48
_LONGEST_BYTES: Final = 144
# Windows opens devices by these names, whatever ending they have.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


def film_name(prompt: str) -> str:
    """Make a name from a prompt, in its own letters: `a-paper-boat.mp4`, `雨巷里的纸船.mp4`."""
    plain = unicodedata.normalize("NFKC", _SANDBOX.sub(" ", prompt)).lower()
    words = [word for word in _APART.split(plain) if word]
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word
        if name and not _fits(longer):
            break
        name = longer
    while not _fits(name):
        name = name[:-1]
    if not name or name in _DEVICES:
        name = f"film-{name}".rstrip("-")
    return f"{name}.mp4"


def _fits(name: str) -> bool:
    return len(name) <= _LONGEST and len(name.encode()) <= _LONGEST_BYTES


def put_in_place(part: Path, wanted: Path) -> Path:
    """Give a finished file its name, or the next free one (`boat-2.mp4`); nothing is ever overwritten."""
    for candidate in _candidates(wanted):
        try:
            # A link fails where the name is taken, which a rename does not.
            os.link(part, candidate)
        except FileExistsError:
            continue
        except OSError:
            if candidate.exists():
                continue
            part.rename(candidate)
            return candidate
        part.unlink()
        return candidate
    raise AssertionError(wanted)


def _candidates(wanted: Path) -> Iterator[Path]:
    yield wanted
    number = 2
    while True:
        yield wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        number += 1
