"""Hands are shared so that some are left for whoever comes next."""

from filmgate.domain.shares import Share


def test_one_alone_gets_half_of_the_hands_and_the_next_half_of_the_rest() -> None:
    share = Share(32, ())
    taken = {name: sum(share.take(name) for _ in range(99)) for name in ("a", "b", "c", "d", "e", "f", "g")}
    assert taken == {"a": 16, "b": 8, "c": 4, "d": 2, "e": 1, "f": 1, "g": 0}
    assert (share.free, share.full()) == (0, ["a", "b", "c", "d", "e", "f"])


def test_what_is_in_hand_counts_and_room_says_how_many_more() -> None:
    share = Share(10, ["a", "a", "a"])
    assert (share.free, share.room("a"), share.room("b")) == (7, 2, 4)
    assert [share.take("a") for _ in range(3)] == [True, True, False]


def test_a_single_hand_is_for_whoever_comes() -> None:
    share = Share(1, ())
    assert (share.take("a"), share.take("b"), share.room("b")) == (True, False, 0)


def test_a_share_may_be_wider() -> None:
    wide = Share(128, (), weight=3)
    assert sum(wide.take("a") for _ in range(128)) == 96
    assert (wide.room("a"), wide.room("b"), wide.copy().room("b")) == (0, 24, 24)
