"""Moments as clients write them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

_NUMBER: Final = re.compile(r"[+-]?[\d._]+")
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _meant(moment: datetime) -> datetime:
    """Read a moment without a zone as UTC; raise ValueError for one that no clock here shows."""
    zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    # Compared before it is put into UTC, which moments at the edge of the calendar are not.
    if not _FIRST <= zoned < _LAST:
        raise ValueError("a moment from 1970 to 9998 is right")
    return zoned.astimezone(UTC)


def _written(moment: object) -> object:
    """Raise ValueError for a number, also as text: pydantic reads 30 as half a minute after 1970."""
    number = isinstance(moment, str) and _NUMBER.fullmatch(moment.strip())
    if number or not isinstance(moment, str | datetime):
        # Pydantic tells clients of no other error.
        raise ValueError("a moment such as 2026-12-31T00:00:00Z is right")
    return moment


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_meant)]
