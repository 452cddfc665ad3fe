"""What clips cost the operator, by each provider's list; None is what nobody has written down."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from filmgate.domain.dated import DatedList
from filmgate.domain.price import PriceRow
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


class CostList(DatedList[CostRow]):
    """A provider's costs."""

    def of_clip(self, model: str, size: Size, seconds: int, *, sound: bool, at: datetime) -> int | None:
        row = self.row(model, at)
        return None if row is None else row.of_clip(size, seconds, sound=sound)


NO_COSTS: Final = CostList()
FREE: Final = CostList([CostRow("*", date.min)])
