"""Rehearsed ends: words in a prompt by which client developers play each end through the animatic engine."""

import re
from dataclasses import dataclass, replace
from typing import Final

_DIRECTIVE: Final = re.compile(r"\s*--sandbox=(fail|filtered|extend-fail|retry|slow:\d{1,4})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    fail: bool = False
    filtered: bool = False
    extend_fail: bool = False
    retry: bool = False
    slow_s: int = 0

    def of_extension(self) -> "Rehearsal":
        """Give what is left to play once a first clip was made."""
        return Rehearsal(fail=self.extend_fail)

    def also(self, other: "Rehearsal") -> "Rehearsal":
        return replace(
            self,
            fail=self.fail or other.fail,
            filtered=self.filtered or other.filtered,
            extend_fail=self.extend_fail or other.extend_fail,
            retry=self.retry or other.retry,
            slow_s=max(self.slow_s, other.slow_s),
        )


def cut(prompt: str) -> tuple[str, Rehearsal]:
    """Take the directives out of a prompt; no engine draws them, no vendor sees them."""
    words = [found[1] for found in _DIRECTIVE.finditer(prompt)]
    return _DIRECTIVE.sub("", prompt).strip(), Rehearsal(
        fail="fail" in words,
        filtered="filtered" in words,
        extend_fail="extend-fail" in words,
        retry="retry" in words,
        slow_s=max((int(word[5:]) for word in words if word.startswith("slow:")), default=0),
    )
