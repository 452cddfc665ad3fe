"""A moment of a film that is being made, and who shows it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sight:
    """One moment of one film; without `progress` the bar moves and claims nothing.

    `estimated` tells that the progress is from earlier films, and nobody's report.
    """

    label: str
    state: str
    word: str
    progress: int | None
    detail: str
    elapsed_s: float
    estimated: bool = False


class Board(Protocol):
    def see(self, key: str, sight: Sight) -> None:
        """Show this moment in the film's line."""
        ...

    def end(self, key: str, line: str, state: str) -> None:
        """Replace the film's line by its last words."""
        ...
