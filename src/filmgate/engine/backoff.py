"""How long to wait before the next try: pure decisions."""

from datetime import timedelta

from filmgate.domain.clock import Chance
from filmgate.domain.limits import (
    ATTEMPT_BACKOFF,
    BUSY_FIRST,
    BUSY_SLOWEST,
    COLLECT_OVER,
    COLLECT_TRIES,
    IDLE_CLAIM,
    OUTAGE_SLOWEST,
    POLL_FIRST,
    POLL_SLOWEST,
    QUESTION_FIRST,
    QUESTION_SLOWEST,
)

_JITTER = 0.1
_OUTAGE_JITTER = 0.5


def after_question(tries: int) -> timedelta:
    """Wait 2 s after the first failed question, doubling to a minute."""
    return min(QUESTION_FIRST * (1 << min(tries, 16)), QUESTION_SLOWEST)


def after_outage(tries: int, chance: Chance) -> timedelta:
    """Wait a quarter of a second for a database that is away, doubling to 5 s; engines do not come back all at once."""
    wait = min(IDLE_CLAIM * (1 << min(tries - 1, 16)), OUTAGE_SLOWEST)
    return wait * (1 - _OUTAGE_JITTER * chance.share())


def after_attempt(no: int) -> timedelta:
    """Wait 1 s after the first failed attempt, four times as long after each further one."""
    return ATTEMPT_BACKOFF * (1 << 2 * min(no - 1, 8))


def after_busy(before: int) -> timedelta:
    """Wait not at all for one that is busy for the first time, then half a second, doubling to 30 s."""
    return min(BUSY_FIRST * (1 << min(before - 1, 16)), BUSY_SLOWEST) if before else timedelta(0)


def after_collect(tries: int) -> timedelta:
    """Spread the tries for a result over two hours: at once first, rarely at the end."""
    share = (4.0 ** min(tries, COLLECT_TRIES - 2)) / sum(4.0**no for no in range(COLLECT_TRIES - 1))
    return max(COLLECT_OVER * share, timedelta(seconds=1))


def between_polls(pace: timedelta, asked: timedelta | None, chance: Chance) -> timedelta:
    """Ask when the vendor wants to be asked; else from 5 s on, slower and slower, up to 30 s, with jitter."""
    if asked is not None:
        return asked
    slower = min(max(pace, POLL_FIRST) * 1.2, POLL_SLOWEST)
    return slower * (1 + _JITTER * (2 * chance.share() - 1))
