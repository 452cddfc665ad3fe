"""How long another's clock has gone as ours does."""

from datetime import UTC, datetime, timedelta

from filmgate.domain.steady import Steadiness

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def told(steady: Steadiness, at: float, *, ahead: float = 0.0) -> float:
    """Read a clock that is ahead by so much at a second of ours."""
    return steady.note(NOON + timedelta(seconds=at + ahead), at)


def test_a_clock_that_goes_as_ours_is_steady_since_it_was_first_read() -> None:
    steady = Steadiness()
    assert [told(steady, at) for at in (100, 105, 110, 125)] == [0, 5, 10, 25]


def test_a_clock_that_was_set_is_steady_since_then_whichever_way_it_was_set() -> None:
    steady = Steadiness()
    assert [told(steady, 0), told(steady, 10), told(steady, 11, ahead=3600)] == [0, 10, 0]
    assert [told(steady, 21, ahead=3600), told(steady, 22), told(steady, 25)] == [10, 0, 3]


def test_a_clock_that_is_moved_a_little_stays_steady_until_it_has_moved_far() -> None:
    steady = Steadiness(look_within_s=100)
    assert [told(steady, at, ahead=at / 100) for at in (0, 100, 190, 210, 220)] == [0, 100, 190, 0, 10]


def test_what_nobody_looked_at_for_long_proves_nothing_since_it_may_have_been_set_and_put_back() -> None:
    steady = Steadiness()
    assert [told(steady, at) for at in (0, 15, 31, 46, 40, 61, 77)] == [0, 15, 0, 15, 9, 30, 0]
