"""Lists of what holds for models from a day on, such as prices."""

from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Generic, Protocol, TypeVar


class DatedRow(Protocol):
    """What holds from the day `since` for models that fit the pattern `models`."""

    @property
    def models(self) -> str: ...
    @property
    def since(self) -> date: ...


Row = TypeVar("Row", bound=DatedRow)


class DatedList(Generic[Row]):
    """Rows with the day from which each holds; of several patterns the most specific decides."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: (*_specific(row.models), row.since))

    def row(self, model: str, at: datetime) -> Row | None:
        """Find the row that holds for a model at a time; None where it has none."""
        fitting = [row for row in self._rows if fnmatchcase(model, row.models) and row.since <= at.date()]
        return fitting[-1] if fitting else None


def _specific(pattern: str) -> tuple[int, bool]:
    """Rank a pattern: the longer it is before its star the more it decides, and most without one."""
    return len(pattern.rstrip("*")), "*" not in pattern
