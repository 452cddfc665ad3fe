"""Estimates stand on runs, and say no more than these do."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.eta import (
    Estimate,
    Outlook,
    RunKind,
    bucket_of,
    bucket_s,
    coarse_s,
    estimate_of,
    is_honest,
    run_kind,
)
from filmgate.domain.request import Source, SourceKind
from filmgate.domain.size import Size
from kit.films import ID, film_request

DAY_S = 86_400.0


@given(st.lists(st.floats(0.2, DAY_S), min_size=8, max_size=200))
def test_an_estimate_is_never_shorter_than_its_runs_and_a_twentieth_longer_at_most(runs: list[float]) -> None:
    runs.sort()
    estimate = estimate_of(Counter(bucket_of(run_s) for run_s in runs))
    half, most = runs[-(-len(runs) * 5 // 10) - 1], runs[-(-len(runs) * 9 // 10) - 1]
    assert estimate.sample == len(runs)
    assert half <= estimate.low_s * 1.000001
    assert estimate.low_s <= half * 1.0501
    assert most <= estimate.high_s * 1.000001
    assert estimate.high_s <= most * 1.0501


@pytest.mark.parametrize("run_s", [0.0, 0.001, 0.1])
def test_what_takes_no_time_falls_into_the_first_bucket(run_s: float) -> None:
    assert bucket_of(run_s) == 0
    assert bucket_s(0) == pytest.approx(0.1)


def test_estimated_progress_ends_at_90_however_long_it_takes() -> None:
    estimate = Estimate(30.0, 60.0, 8)
    assert [estimate.progress(elapsed) for elapsed in (-1, 0, 30, 60, 61, 9999)] == [0, 0, 45, 90, 90, 90]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, 0), (0.1, 10), (10, 10), (41.2, 50), (59.9, 60), (60, 60), (61, 90), (100, 120), (599, 600),
        (600, 600), (601, 660), (3599, 3600),
    ],
)  # fmt: skip
def test_a_time_that_is_shown_is_rounded_up_to_coarse_steps(seconds: float, shown: int) -> None:
    assert coarse_s(seconds) == shown


@pytest.mark.parametrize(
    ("covered", "outcomes", "honest"),
    [(0, 0, True), (0, 9, True), (6, 10, False), (7, 10, True), (69, 100, False)],
)
def test_estimates_that_held_in_fewer_than_seven_of_ten_runs_are_not_honest(
    covered: int, outcomes: int, *, honest: bool
) -> None:
    assert is_honest(covered, outcomes) is honest


def test_an_estimate_that_is_not_honest_is_not_shown() -> None:
    estimate = Estimate(1.0, 2.0, 8)
    assert Outlook(8, estimate).shown == estimate
    assert Outlook(8, estimate, honest=False).shown is None
    assert Outlook(7).shown is None


def test_runs_are_alike_by_what_the_task_itself_makes() -> None:
    two = film_request("a boat", clips=(8, 7), size=Size(1280, 720))
    assert run_kind("p", two) == RunKind("p", "sora-2", 15, "1280x720")
    extended = film_request(
        "a boat", clips=(8, 7), size=Size(1280, 720), source=Source(SourceKind.EXTEND, ID, "video_1")
    )
    assert run_kind("p", extended) == RunKind("p", "sora-2", 7, "1280x720")
    larger = film_request("a boat", clips=(8,), size=Size(1280, 720), upsample_to=Size(1920, 1080))
    assert run_kind("p", larger) == RunKind("p", "sora-2", 8, "1280x720>1920x1080")
