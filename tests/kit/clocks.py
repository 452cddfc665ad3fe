"""Clocks that have gone right for long."""

import math
from datetime import timedelta

from filmgate.domain.clock import Clock
from filmgate.domain.steady import Steadiness


def long_steady(clock: Clock) -> Steadiness:
    """Give the database's clock as an engine knows it that has looked at it for an hour."""
    steady = Steadiness(math.inf)
    steady.note(clock.now() - timedelta(hours=1), clock.monotonic() - 3600)
    return steady
