"""Moments as clients write them."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _meant(moment: datetime) -> datetime:
    """Read a moment without a zone as UTC; raise ValueError for one that no clock here shows."""
    zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    # Compared before it is put into UTC, which moments at the edge of the calendar are not.
    if not _FIRST <= zoned < _LAST:
        raise ValueError("a moment from 1970 to 9998 is right")
    return zoned.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_meant)]
