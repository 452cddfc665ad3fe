"""The words that tell lies: of every job, of one by its prompt, and by dice."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from filmgate.mirage.catalogue import ALWAYS, LIES, amount_text

_IN_PROMPT: Final = re.compile(r"--mirage=(\S+)")
_AMOUNT: Final = re.compile(r"\d{1,6}(?:\.\d{1,3})?", re.ASCII)
_LOT_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Told:
    """How long, and how often; what a lie does not take is 0 and ALWAYS."""

    seconds: float = 0
    times: float = ALWAYS


Lies: TypeAlias = Mapping[str, Told]


@dataclass(frozen=True, slots=True)
class Die:
    """A lie that is told of a share of the submits, each for itself."""

    name: str
    told: Told
    share: float

    def falls(self, seed: int, submit_no: int) -> bool:
        """Roll for one submit; the same seed and number give the same fall."""
        digest = hashlib.sha256(f"{self.name} {seed} {submit_no}".encode()).digest()
        return int.from_bytes(digest[:_LOT_BYTES], "big") < self.share * 256**_LOT_BYTES


def read_lies(words: Iterable[str]) -> Lies:
    """Read words such as `slow:40`; raise ValueError for one that is no lie."""
    return dict(_read(word) for word in words)


def written(lies: Lies) -> list[str]:
    """Give the words again, each with all its amounts."""
    return sorted(_word(name, told) for name, told in lies.items())


def told_in(prompt: str) -> Lies:
    """Find the lies that a prompt asks for; raise ValueError for a word that is none."""
    asked = ",".join(_IN_PROMPT.findall(prompt)).replace(";", ",")
    return read_lies(word for part in asked.split(",") if (word := part.strip(".")))


def read_die(text: str) -> Die:
    """Read `LIE=SHARE`, such as `lost-reply=0.1`; raise ValueError."""
    word, _, share = text.partition("=")
    try:
        chance = float(share)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise ValueError(f"a die is LIE=SHARE with a share of 0 to 1, such as lost-reply=0.1, not {text!r}")
    name, told = _read(word)
    return Die(name, told, chance)


def _read(word: str) -> tuple[str, Told]:
    name, *amounts = word.split(":")
    lie = LIES.get(name)
    if lie is None:
        raise ValueError(f"{name!r} is no lie; there are: {', '.join(sorted(LIES))}")
    seconds = 0.0 if lie.seconds is None else lie.seconds
    times = ALWAYS if lie.times is None else lie.times
    if lie.seconds is not None and amounts:
        seconds = _amount(word, amounts.pop(0))
    if lie.times is not None and amounts:
        times = _amount(word, amounts.pop(0))
    if amounts:
        raise ValueError(f"{word!r} says more than {name!r} takes")
    return name, Told(seconds, times)


def _amount(word: str, text: str) -> float:
    if text == "always":
        return ALWAYS
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(f"{word!r} must have numbers such as 5 or 0.5, or `always`, behind its colons")
    return float(text)


def _word(name: str, told: Told) -> str:
    lie = LIES[name]
    seconds = () if lie.seconds is None else (amount_text(told.seconds),)
    times = () if lie.times is None else (amount_text(told.times),)
    return ":".join((name, *seconds, *times))
