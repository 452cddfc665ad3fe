"""Lengths, sizes and moments, as people read them; and durations, as people write them."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from filmgate.domain.eta import coarse_s
from filmgate.domain.money import dollars as money
from filmgate.domain.price import micros

__all__ = [
    "age",
    "clip_lengths",
    "clock_time",
    "expiry",
    "file_size",
    "micros_of",
    "micros_per",
    "moment",
    "money",
    "past",
    "seconds_of",
    "span",
]

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
_PERIODS: Final = frozenset({"", "day", "month"})
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_KILO: Final = 1000
_TWO_DIGITS: Final = 10
_SHORT_S: Final = 120


def clock_time(seconds: float) -> str:
    """Give `0:05`, `1:58`, `1:02:07`."""
    whole = int(seconds + 0.5)
    minutes, rest = divmod(whole, _MINUTE)
    if whole < _HOUR:
        return f"{minutes}:{rest:02}"
    return f"{minutes // _MINUTE}:{minutes % _MINUTE:02}:{rest:02}"


def span(low_s: float, high_s: float) -> str:
    """Give `40–90 s` or `2:00–3:30 min`, in steps that are no finer than an estimate is."""
    low, high = coarse_s(low_s), coarse_s(high_s)
    if high < _SHORT_S:
        return f"{low}–{high} s" if low < high else f"{high} s"
    return f"{clock_time(low)}–{clock_time(high)} min" if low < high else f"{clock_time(high)} min"


def file_size(size_bytes: int) -> str:
    """Give `812 B`, `1.1 MB`, `24 MB`."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _KILO:
            break
        size, unit = size / _KILO, larger
    return f"{size:.1f} {unit}" if unit != "B" and size < _TWO_DIGITS else f"{size:.0f} {unit}"


def clip_lengths(seconds: Sequence[int]) -> str:
    """Give `8 s`, or `8 + 7 s` for a film of two clips."""
    return f"{' + '.join(map(str, seconds))} s"


def age(then: datetime, now: datetime) -> str:
    """Give `5s`, `12m`, `3h`, `2d`: coarse, as a list needs it."""
    seconds = max(0, int((now - then).total_seconds()))
    for limit, unit, letter in ((_MINUTE, 1, "s"), (_HOUR, _MINUTE, "m"), (_DAY, _HOUR, "h")):
        if seconds < limit:
            return f"{seconds // unit}{letter}"
    return f"{seconds // _DAY}d"


def moment(text: str | None) -> datetime | None:
    """Read a time as the gate writes it."""
    return None if text is None else datetime.fromisoformat(text)


def seconds_of(written: str) -> float:
    """Read `90`, `90s`, `5m`, `2h`, `30d`; raise ValueError for anything else."""
    found = _DURATION.fullmatch(written.strip().lower())
    if found is None:
        raise ValueError(f"`{written}` is no duration: write 90, 90s, 5m, 2h or 30d")
    return float(found[1]) * _UNITS[found[2]]


def expiry(written: str, now: datetime) -> datetime:
    """Read `30d`, `12h`, or a date such as 2026-12-31, to come; raise ValueError for anything else."""
    try:
        until = _moment(written, now, 1)
    except (ValueError, OverflowError):
        raise ValueError(f"`{written}` is no time: write 30d, 12h, or a date such as 2026-12-31") from None
    if until <= now:
        raise ValueError(f"`{written}` is over already: write 30d, 12h, or a date to come")
    return until


def past(written: str, now: datetime) -> datetime:
    """Read `2d` as two days ago, or a date such as 2026-11-01 or time as it is; raise ValueError for anything else."""
    try:
        return _moment(written, now, -1)
    except (ValueError, OverflowError):
        raise ValueError(f"`{written}` is no time: write 2d, 12h, or a date such as 2026-11-01") from None


def _moment(written: str, now: datetime, way: int) -> datetime:
    """Read a date as it is, and a duration as a moment ahead (1) or ago (-1)."""
    try:
        return now + way * timedelta(seconds=seconds_of(written))
    except ValueError:
        given = datetime.fromisoformat(written)
    return given if given.tzinfo else given.astimezone()


def micros_of(written: str) -> int:
    """Read an amount of dollars, `0.5` or `$12`; raise ValueError for anything else."""
    try:
        return micros(written.strip().removeprefix("$"))
    except (ArithmeticError, ValueError):
        raise ValueError(
            f"`{written}` is no amount: write dollars from 0 to 1000000, such as 0.5 or 20"
        ) from None


def micros_per(written: str) -> tuple[int, str | None]:
    """Read `20/month`, `5/day` or `100` as micro-dollars and their period; raise ValueError for anything else."""
    amount, _, period = written.partition("/")
    if period not in _PERIODS or written.endswith("/"):
        raise ValueError(
            f"`{written}` is no budget: write dollars and a period, such as 20/month, 5/day or 100"
        )
    return micros_of(amount), period or None
