"""How long another's clock has gone as ours does."""

from datetime import UTC, datetime, timedelta

from filmgate.domain.steady import Steadiness

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def told(steady: Steadiness, at: float, *, ahead: float = 0.0) -> float:
    """Read a clock that is ahead by so much at a second of ours."""
    return steady.note(NOON + timedelta(seconds=at + ahead), at)


def test_a_clock_that_goes_as_ours_is_steady_since_it_was_first_read() -> None:
    steady = Steadiness()
    assert [told(steady, at) for at in (100, 105, 160)] == [0, 5, 60]


def test_a_clock_that_was_set_is_steady_since_then_whichever_way_it_was_set() -> None:
    steady = Steadiness()
    assert [told(steady, 0), told(steady, 60), told(steady, 61, ahead=3600)] == [0, 60, 0]
    assert [told(steady, 71, ahead=3600), told(steady, 72), told(steady, 75)] == [10, 0, 3]


def test_a_clock_that_is_moved_a_little_stays_steady_until_it_has_moved_far() -> None:
    steady = Steadiness()
    assert [told(steady, at, ahead=at / 100) for at in (0, 100, 190, 210, 220)] == [0, 100, 190, 0, 10]
