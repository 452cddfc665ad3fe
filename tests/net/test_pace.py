from filmgate.net.pace import Pace


def test_a_sender_may_be_waited_for_one_window_at_first():
    assert Pace(100, 30).patience_s() == 30


def test_bytes_that_are_enough_for_a_window_begin_a_new_one():
    pace = Pace(100, 30)
    pace.took(10, 3000)

    assert pace.patience_s() == 30


def test_bytes_that_are_too_few_buy_no_time():
    pace = Pace(100, 30)
    pace.took(10, 2999)

    assert pace.patience_s() == 20


def test_any_stretch_counts_and_not_only_those_that_follow_each_other():
    pace = Pace(100, 30)
    pace.took(1, 9000)
    pace.took(29, 100)
    # Of the stretch that began with the great burst's end, one second is left.
    assert pace.patience_s() == 1
    pace.took(1, 2900)
    assert pace.patience_s() == 29


def test_a_slow_and_steady_sender_at_the_rate_is_never_cut_off():
    pace = Pace(100, 30)
    for _ in range(1000):
        pace.took(1, 100)
        assert pace.patience_s() > 0


def test_a_steady_sender_just_below_the_rate_is_cut_off():
    pace = Pace(100, 30)
    waited = 0
    while pace.patience_s() > 1:
        pace.took(1, 96)
        waited += 1

    assert waited == 29


def test_single_bytes_are_not_remembered_one_by_one():
    pace = Pace(16_384, 30)
    for _ in range(400_000):
        pace.took(0.00005, 1)

    assert len(pace._open) < 300
    assert 9.8 < pace.patience_s() < 10.2
