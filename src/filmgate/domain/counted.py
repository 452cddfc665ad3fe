"""What is counted of tasks, for operators."""

from dataclasses import dataclass
from typing import Final

NOBODY: Final = "none"
"""The provider of a task that none has had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded:
    """A task that has ended; `ran_s` is None where it was never begun."""

    model: str
    provider: str
    outcome: str
    reason: str
    waited_s: float
    ran_s: float | None
    promised_s: float | None
    """The longest that it was shown to take; None where nothing was shown."""
    held_micros: int
    cost_micros: int

    @property
    def covered(self) -> bool | None:
        """Tell whether it ended in the time that was shown; None where that cannot be said."""
        if self.promised_s is None or self.ran_s is None:
            return None
        in_time = self.ran_s <= self.promised_s
        return in_time if self.outcome == "succeeded" or not in_time else None
