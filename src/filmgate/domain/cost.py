"""What clips cost the operator, by each provider's list; None is what nobody has written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Final

from filmgate.domain.price import PriceRow, specific
from filmgate.domain.size import Size


@dataclass(frozen=True, slots=True)
class CostRow:
    """What a provider takes for its own models: by the second, by the clip, or both."""

    models: str
    since: date
    per_clip_micros: int = 0
    seconds: PriceRow | None = None

    def of_clip(self, size: Size, seconds: int, *, sound: bool) -> int:
        unit = 0 if self.seconds is None else self.seconds.unit_micros(size, sound=sound)
        return self.per_clip_micros + unit * seconds


class CostList:
    """A provider's costs with the day from which each holds; of several patterns the most specific decides."""

    def __init__(self, rows: Sequence[CostRow] = ()) -> None:
        self._rows = sorted(rows, key=lambda row: (*specific(row.models), row.since))

    def row(self, model: str, at: datetime) -> CostRow | None:
        fitting = [row for row in self._rows if fnmatchcase(model, row.models) and row.since <= at.date()]
        return fitting[-1] if fitting else None

    def of_clip(self, model: str, size: Size, seconds: int, *, sound: bool, at: datetime) -> int | None:
        row = self.row(model, at)
        return None if row is None else row.of_clip(size, seconds, sound=sound)


NO_COSTS: Final = CostList()
FREE: Final = CostList([CostRow("*", date.min)])
