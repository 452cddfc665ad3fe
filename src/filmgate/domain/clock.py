"""Time and chance, which are handed in and never reached for."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never run backwards, and go on while the machine sleeps where that can be had."""
        ...


class Chance(Protocol):
    def bytes(self, count: int) -> bytes:
        """Give bytes that nobody can guess."""
        ...

    def share(self) -> float:
        """Give a number from 0 up to but not including 1, for jitter and weights."""
        ...
