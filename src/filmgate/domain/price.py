"""What a film costs: lines of arithmetic by the price list, in whole micro-dollars.

A price belongs to the public model, whoever makes the film. It is looked up once, when the task is accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final, Self, cast

from filmgate.domain.dated import DatedList
from filmgate.domain.plan import ClipRole, plan
from filmgate.domain.problems import Problem
from filmgate.domain.request import FilmRequest, Json
from filmgate.domain.size import Size

MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price of the list: what a second costs, by the shorter side of the film in pixels."""

    models: str
    since: date
    per_second: Mapping[int, int]
    silent: Mapping[int, int]
    """The same for films without sound; a side that is not in it costs what it costs with sound."""

    def unit_micros(self, size: Size, *, sound: bool) -> int:
        """Give the price of a second: that of the smallest side that is large enough, else of the largest."""
        shorter = min(size.width, size.height)
        sides = sorted(self.per_second)
        side = next((side for side in sides if side >= shorter), sides[-1])
        return self.per_second[side] if sound else self.silent.get(side, self.per_second[side])


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: `quantity` seconds of a clip at a size.

    `made_micros` is what a second costs as its provider makes it, where the price is that of a film scaled up.
    """

    what: str
    clip: int
    quantity: int
    unit_price_micros: int
    size: str | None = None
    made_micros: int | None = None

    def as_made(self, size: Size) -> Self:
        """Give the line of the same clip where it was not scaled up."""
        unit = self.unit_price_micros if self.made_micros is None else self.made_micros
        return replace(self, unit_price_micros=unit, size=str(size), made_micros=None)

    @property
    def amount_micros(self) -> int:
        return self.quantity * self.unit_price_micros

    def as_json(self) -> dict[str, Json]:
        said: dict[str, Json] = {
            "what": self.what,
            "clip": self.clip,
            "quantity": self.quantity,
            "unit": "second",
            "unit_price_micros": self.unit_price_micros,
            "amount_micros": self.amount_micros,
            "size": self.size,
        }
        return said if self.made_micros is None else said | {"made_micros": self.made_micros}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        return cls(
            what=str(value["what"]),
            clip=cast("int", value["clip"]),
            quantity=cast("int", value["quantity"]),
            unit_price_micros=cast("int", value["unit_price_micros"]),
            size=cast("str | None", value.get("size")),
            made_micros=cast("int | None", value.get("made_micros")),
        )


@dataclass(frozen=True, slots=True)
class Price:
    """A whole price, as it was when it was asked for; `since` is the version of the list."""

    lines: tuple[Line, ...]
    since: str

    @property
    def amount_micros(self) -> int:
        return sum(line.amount_micros for line in self.lines)

    def as_json(self) -> dict[str, Json]:
        return {"lines": [line.as_json() for line in self.lines], "since": self.since}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Read back what `as_json` wrote; a task of before there were prices had none."""
        lines = cast("list[Mapping[str, Json]]", value.get("lines", []))
        return cls(tuple(Line.from_json(line) for line in lines), str(value.get("since", "")))


class PriceList(DatedList[PriceRow]):
    """All prices."""

    def coming(self, model: str, at: datetime) -> Sequence[PriceRow]:
        """Give the prices that a model will have after a time, as its rows stand now; soonest first."""
        days = sorted(
            {row.since for row in self._rows if row.since > at.date() and fnmatchcase(model, row.models)}
        )
        begun = [self.row(model, datetime.combine(day, time.min, at.tzinfo)) for day in days]
        # A row that begins under a more specific one changes nothing.
        return [row for row, day in zip(begun, days, strict=True) if row is not None and row.since == day]

    def price(self, request: FilmRequest, at: datetime) -> Price:
        """Price a request; raise Problem `no_price` for a model that may not be sold."""
        row = self.row(request.model, at)
        if row is None:
            raise Problem("no_price", field="model", model=request.model)
        size = request.upsample_to or request.size
        unit = row.unit_micros(size, sound=request.sound)
        # What cannot be scaled up later on is delivered, and paid, as it was made: never dearer than was agreed to.
        made = min(unit, row.unit_micros(request.size, sound=request.sound))
        planned = plan(request, provider_upsamples=False)
        lines = [
            Line(f"clip {clip.no}", clip.no, clip.seconds, unit, str(size), made if made < unit else None)
            for clip in planned.clips
            if clip.no >= planned.first_made and clip.role is not ClipRole.UPSAMPLE
        ]
        return Price(tuple(lines), row.since.isoformat())


def micros(dollars: str | float) -> int:
    """Read an amount of dollars, such as 0.10, exactly; raise ValueError for what is no whole number of micros."""
    amount = Decimal(str(dollars)) * MICROS
    if amount != amount.to_integral_value() or not 0 <= amount <= MICROS * MICROS:
        raise ValueError(f"{dollars} is no amount from 0 to a million dollars in whole micro-dollars")
    return int(amount)
