"""What is said of a film that is being made: only what the gate knows."""

from typing import Any

import pytest

from cli.scripted import task
from filmgate.cli.board import sight_of
from filmgate.cli.measures import span
from filmgate.cli.output import PLAIN_MANNER, Manner

ETA: dict[str, Any] = {
    "low_s": 60.0,
    "high_s": 110.0,
    "sample": 31,
    "past": False,
    "left": {"low_s": 40, "high_s": 90},
    "withheld": False,
}
UNKNOWN = ETA | {"low_s": None, "high_s": None, "sample": 3, "left": None}


@pytest.mark.parametrize(
    ("seen", "en", "zh"),
    [
        ({"eta": ETA}, "about 40–90 s left (31 runs)", "预计还需 40–90 s（31 次历史）"),
        ({"eta": UNKNOWN}, "no estimate yet (3 earlier runs)", "暂无预估（仅 3 次历史）"),
        ({"eta": ETA | {"past": True, "left": None}}, "slower than 9 of 10 earlier runs", "比九成历史任务慢"),
        ({"eta": UNKNOWN | {"withheld": True}}, "", ""),
        ({"eta": None}, "", ""),
        ({}, "", ""),
        ({"waiting_for": "provider"}, "queued at the provider", "上游排队中"),
    ],
)
def test_what_is_left_is_said_as_far_as_it_is_known(seen: dict[str, Any], en: str, zh: str) -> None:
    shown: Any = task("generating", 62, **seen)
    assert sight_of(shown, PLAIN_MANNER.output).detail == en
    assert sight_of(shown, Manner(lang="zh").output).detail == zh


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"queue_position": 2}, "2 ahead"),
        ({"queue_position": 0, "queue_eta": {"low_s": 30, "high_s": 60}}, "next · about 30–60 s to wait"),
        ({"queue_position": 0, "waiting_for": "your_limit"}, "as many run as you may have at a time"),
        ({"queue_position": 0, "waiting_for": "turn"}, "next"),
        ({"queue_position": None}, ""),
    ],
)
def test_a_film_that_waits_says_for_what(seen: dict[str, Any], said: str) -> None:
    shown: Any = task("queued", 0, **seen)
    sight = sight_of(shown, PLAIN_MANNER.output)
    assert (sight.detail, sight.progress) == (said, None)


@pytest.mark.parametrize(
    ("source", "progress", "estimated"),
    [("reported", 62, False), ("measured", 62, False), ("estimated", 62, True), ("none", None, False)],
)
def test_a_number_is_shown_only_where_somebody_knows_it(
    source: str, progress: int | None, estimated: bool
) -> None:
    shown: Any = task("generating", 62, progress_source=source)
    sight = sight_of(shown, PLAIN_MANNER.output)
    assert (sight.progress, sight.estimated) == (progress, estimated)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (3.0, 5.2, "10 s"),
        (41.2, 83.0, "50–90 s"),
        (61.0, 200.0, "1:30–3:30 min"),
        (601.0, 1199.0, "11:00–20:00 min"),
        (130.0, 140.0, "2:30 min"),
    ],
)
def test_a_span_is_no_finer_than_an_estimate(low: float, high: float, said: str) -> None:
    assert span(low, high) == said
