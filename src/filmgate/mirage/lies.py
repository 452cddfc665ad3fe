"""The lies that the vendor can be made to tell: of every job by its settings, of one by words in its prompt."""

import re
from collections.abc import Iterable
from typing import Final

LIES: Final = {
    "slow": "take N seconds, written slow:N",
    "busy": "answer 429 to the first submit of a prompt, and make nothing",
    "refuse": "answer 400 with moderation_blocked, and make nothing",
    "lost-reply": "make the job and cut the connection without an answer",
    "error-after-accept": "make the job and answer 500",
    "backwards": "let status and progress of the first polls go backwards",
    "odd-word": "say a status that no documentation knows until the job is done",
    "vanish": "answer 404 to every poll",
    "never": "stay in progress for ever",
    "fail": "end failed",
    "filtered": "end failed with moderation_blocked",
    "html": "give an HTML page for the film, at the first fetch",
    "html-always": "give an HTML page for the film, at every fetch",
    "truncated": "give the first half of the film, at the first fetch",
}
_WORD: Final = re.compile(r"--mirage=([a-z-]+(?::\d{1,5}(?:\.\d{1,3})?)?)(?=\s|$)")
_SLOW: Final = re.compile(r"slow:(\d{1,5}(?:\.\d{1,3})?)")


def known(word: str) -> str:
    """Give the word back, or raise ValueError where it is no lie."""
    if _SLOW.fullmatch(word) or (word in LIES and word != "slow"):
        return word
    raise ValueError(f"{word!r} is no lie; there are: {', '.join(sorted(LIES))} (as slow:5)")


def told_in(prompt: str) -> frozenset[str]:
    """Find the lies that a prompt asks for; raise ValueError for a word that is none."""
    return frozenset(known(found[1]) for found in _WORD.finditer(prompt))


def takes_s(lies: Iterable[str], usually: float) -> float:
    """Tell how long a job takes."""
    return max((float(found[1]) for lie in lies if (found := _SLOW.fullmatch(lie))), default=usually)
