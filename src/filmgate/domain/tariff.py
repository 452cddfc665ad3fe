"""Reading prices and costs as operators write them; what cannot be meant is refused with what would be right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final

from filmgate.domain.cost import CostRow
from filmgate.domain.price import MICROS, PriceRow, micros

SIDES: Final = (144, 240, 360, 480, 540, 576, 720, 768, 1024, 1080, 1440, 2160, 4320)
# No vendor is near it: an amount above is in cents, in another currency, or has lost its point.
_MOST_A_SECOND_MICROS: Final = 100 * MICROS
_MOST_A_CLIP_MICROS: Final = 10_000 * MICROS
_SINCE_EVER: Final = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it was written, with the keys that it may have."""

    said: Mapping[str, object]

    def text(self, name: str) -> str:
        value = self.said.get(name)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"`{name}` must name a model or a pattern, such as `veo3*`")
        return value

    def day(self, name: str, default: date | None = None) -> date:
        value = self.said.get(name, default)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValueError(f"`{name}` must be a day without quotes, such as 2026-01-31, not {value!r}")  # noqa: TRY004  # pydantic reads ValueError
        return value

    def sides(self, name: str) -> Mapping[int, int]:
        value = self.said.get(name, {})
        if not isinstance(value, Mapping):
            raise ValueError(f"`{name}` must be a table, such as {{ 720p = 0.10 }}")  # noqa: TRY004  # pydantic reads ValueError
        return {_side(str(side)): _amount(f"{name}.{side}", said) for side, said in value.items()}


def read_price(said: object) -> PriceRow:
    """Read one row of `[[prices]]`; raise ValueError."""
    table = _table(said, ("models", "since", "per_second", "silent"))
    per_second, silent = table.sides("per_second"), table.sides("silent")
    if not per_second:
        raise ValueError("`per_second` is missing: dollars by the shorter side, such as { 720p = 0.10 }")
    _demand_sides(per_second, silent)
    return PriceRow(table.text("models"), table.day("since"), per_second, silent)


def read_cost(said: object) -> CostRow:
    """Read one row of a provider's `costs`; raise ValueError."""
    table = _table(said, ("models", "since", "per_second", "silent", "per_clip"))
    per_second, silent = table.sides("per_second"), table.sides("silent")
    if not per_second and "per_clip" not in table.said:
        raise ValueError("`per_second` or `per_clip` must say what it costs")
    _demand_sides(per_second, silent)
    models = table.text("models") if "models" in table.said else "*"
    since = table.day("since", _SINCE_EVER)
    clip = _amount("per_clip", table.said.get("per_clip", 0), _MOST_A_CLIP_MICROS)
    seconds = PriceRow(models, since, per_second, silent) if per_second else None
    return CostRow(models, since, clip, seconds)


def repeated(rows: Iterable[PriceRow | CostRow]) -> tuple[int, str] | None:
    """Find a row that holds from the same day for the same models as an earlier one: nobody could tell which is meant."""
    seen: set[tuple[str, date]] = set()
    for no, row in enumerate(rows):
        if (row.models, row.since) in seen:
            says = (
                f"`{row.models}` has another row from {row.since}: keep one, or let it begin on another day"
            )
            return no, says
        seen.add((row.models, row.since))
    return None


def _table(said: object, known: Sequence[str]) -> _Table:
    if not isinstance(said, Mapping):
        raise ValueError("it must be a table")  # noqa: TRY004  # pydantic reads ValueError
    for name in said:
        if name not in known:
            raise ValueError(f"there is no `{name}`{_meant(str(name), known)}")
    return _Table(said)


def _side(said: str) -> int:
    names = [f"{side}p" for side in SIDES]
    if said in names:
        return int(said.removesuffix("p"))
    meant = {"4k": "2160p", "8k": "4320p", "uhd": "2160p", "2k": "1440p", "fhd": "1080p", "hd": "720p"}
    right = meant.get(said.lower()) or next(
        (name for name in names if name == f"{said.lower().rstrip('pi')}p"), None
    )
    hint = f": `{right}` is the right spelling" if right else f": one of {', '.join(names)} is right"
    raise ValueError(f"there is no resolution `{said}`{hint}")


def _amount(name: str, said: object, most: int = _MOST_A_SECOND_MICROS) -> int:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise ValueError(f"`{name}` must be a number of dollars without quotes, such as 0.10, not {said!r}")  # noqa: TRY004  # pydantic reads ValueError
    if not 0 <= said <= most / MICROS:
        raise ValueError(f"`{name}` must be 0 to {most // MICROS} dollars, not {said}")
    try:
        return micros(said)
    except ValueError:
        raise ValueError(f"`{name}` must have at most six digits behind the point, not {said}") from None


def _demand_sides(per_second: Mapping[int, int], silent: Iterable[int]) -> None:
    for side in silent:
        if side not in per_second:
            raise ValueError(f"`silent` has {side}p, which `per_second` has not")


def _meant(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f": `{close[0]}` is the right spelling" if close else f": {', '.join(known)} are what there is"
