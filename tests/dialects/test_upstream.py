"""The upstream record over the whole life of a task."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from filmgate.dialects import upstream
from filmgate.domain.contracts import Links, TaskView
from filmgate.domain.film import FilmFacts
from filmgate.domain.record import Record
from filmgate.domain.request import FilmRequest, Picture, PictureRole, Upload
from filmgate.domain.size import Size
from filmgate.domain.states import State
from filmgate.domain.task import Failure, Film, Task
from kit.films import CREATED, ENDED, film_request, task

ORDER = [
    "pending",
    "prompt_enhancing",
    "image_downloading",
    "image_processing_completed",
    "video_generating",
    "video_upsampling",
    "completed",
    "failed",
]
FRAMES = (
    Picture(PictureRole.FIRST, url="https://a.example/1.png"),
    Picture(PictureRole.LAST, object_key="uploads/2"),
)
PLAIN = film_request("x", size=Size(1280, 720), clips=(8,))
RICH = replace(PLAIN, enhance=True, pictures=FRAMES)
SCALED = replace(PLAIN, upsample_to=Size(1920, 1080))
LINKS = Links(video="https://g.example/files/large.mp4", source="https://g.example/files/small.mp4")
FACTS = FilmFacts("h264", 1280, 720, 24.0, 192, 8.0, "aac", 48000, 1, faststart=True)

Steps = Sequence[tuple[State, dict[str, Any]]]
BEFORE: Steps = [
    (State.QUEUED, {}),
    (State.PREPARING, {"stage": "enhancing"}),
    (State.PREPARING, {"enhanced_prompt": "A cat."}),
    (State.PREPARING, {"stage": "pictures"}),
    (State.PREPARING, {"pictures_kept": 1}),
    (State.PREPARING, {"pictures_kept": 2}),
    (State.GENERATING, {"stage": None}),
]
REFUSED = {"softened_prompt": "A kind cat.", "refusal": "blood", "last_error": "blood", "retries": 1}
LIVES: dict[str, tuple[FilmRequest, Steps]] = {
    "plain": (PLAIN, [(State.QUEUED, {}), (State.GENERATING, {}), (State.COLLECTING, {}), (State.SUCCEEDED, {})]),
    "rich": (RICH, [*BEFORE, (State.COLLECTING, {}), (State.SUCCEEDED, {})]),
    "refused": (RICH, [*BEFORE, (State.GENERATING, REFUSED), (State.COLLECTING, {}), (State.SUCCEEDED, {})]),
    "refused before it began": (RICH, [*BEFORE[:-1], (State.PREPARING, REFUSED), *BEFORE[-1:]]),
    "failed": (RICH, [*BEFORE, (State.FAILED, {})]),
    "picture failed": (RICH, [*BEFORE[:-3], (State.FAILED, {})]),
    "cancelled": (RICH, [*BEFORE[:2], (State.CANCELLED, {})]),
    "two clips": (
        replace(PLAIN, clips=(8, 7)),
        [
            (State.QUEUED, {}), (State.GENERATING, {}), (State.EXTENDING, {"clip": 2}), (State.COLLECTING, {}),
            (State.SUCCEEDED, {"joined_by": "copy"}),
        ],
    ),
    "scaled by the gate": (
        SCALED,
        [(State.QUEUED, {}), (State.GENERATING, {}), (State.UPSAMPLING, {}), (State.SUCCEEDED, {"upsampled_by": "gate"})],
    ),
    "scaled by the provider": (
        SCALED,
        [
            (State.GENERATING, {}), (State.UPSAMPLING, {"clip": 2}), (State.COLLECTING, {}),
            (State.SUCCEEDED, {"upsampled_by": "provider"}),
        ],
    ),
}  # fmt: skip
every_life = pytest.mark.parametrize("life", LIVES)


def lived(life: str) -> Iterator[TaskView]:
    """Give a task's view at each step of its life."""
    request, steps = LIVES[life]
    shown = task("veo3:1", request=request)
    for no, (state, changed) in enumerate(steps):
        shown = stepped(shown, state, changed, no)
        yield TaskView(shown, LINKS if state is State.SUCCEEDED else Links())


def stepped(shown: Task, state: State, changed: dict[str, Any], no: int) -> Task:
    begun = state not in {State.QUEUED, State.PREPARING} and not state.ended
    code = "provider_failed" if shown.started_at else "picture_unreachable"
    return replace(
        shown,
        state=state,
        record=replace(shown.record, **changed),
        stage_at=CREATED + timedelta(seconds=no),
        started_at=shown.started_at or (CREATED if begun else None),
        ended_at=ENDED if state.ended else None,
        film=Film(FACTS, {}) if state is State.SUCCEEDED else None,
        failure=Failure(code, {}) if state is State.FAILED else None,
    )


@every_life
def test_the_status_never_goes_back(life: str) -> None:
    places = [ORDER.index(upstream.word(view.task)) for view in lived(life)]
    assert places == sorted(places)


@every_life
def test_what_is_known_stays_known_and_the_same(life: str) -> None:
    moving = {
        "status", "running", "images", "status_update_time", "retry_count", "enhanced_prompt", "error_message",
        "video_generation_status", "video_generation_error", "upsample_status",
    }  # fmt: skip
    for before, after in pairwise(map(upstream.record, lived(life))):
        assert set(before) <= set(after)
        assert {key: after[key] for key in set(before) - moving} == {
            key: before[key] for key in set(before) - moving
        }


@every_life
def test_no_film_has_an_address_before_the_end_and_nothing_is_null(life: str) -> None:
    for view in lived(life):
        body = json.dumps(upstream.record(view))
        assert (".mp4" in body) == (view.task.state is State.SUCCEEDED)
        assert "null" not in body
        assert upstream.record(view)["status"] == upstream.word(view.task)


@every_life
def test_a_task_runs_until_its_end(life: str) -> None:
    running = [upstream.record(view)["running"] for view in lived(life)]
    waits = upstream.word(next(lived(life)).task) == "pending"
    assert running[0] is not waits
    assert all(running[1:-1])
    assert running[-1] is not next(reversed([*lived(life)])).task.state.ended


def test_an_uploaded_picture_has_no_address_and_is_counted() -> None:
    uploads = (Picture(PictureRole.REFERENCE, upload=Upload(b"x")), FRAMES[0])
    shown = task("1", request=replace(PLAIN, pictures=uploads), record=Record(pictures_kept=1))
    record = upstream.record(TaskView(shown, Links()))
    handle = "Yv2_xz29XNyBW_ud1pWlMg"
    assert record["images"] == [
        {"status": "completed", "mediaId": handle},
        {"url": "https://a.example/1.png", "status": "pending"},
    ]
    assert record["referenceImageMediaIds"] == [handle]
    assert record["req"] == {
        "model": "sora-2",
        "images": ["https://a.example/1.png"],
        "prompt": "x",
        "aspect_ratio": "16:9",
        "enhance_prompt": False,
        "enable_upsample": False,
    }


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((1280, 720), "16:9"), ((720, 1280), "9:16"), ((720, 720), "1:1"), ((1680, 720), "21:9"), ((720, 1080), "2:3")],
)  # fmt: skip
def test_a_size_is_shown_as_its_ratio(size: tuple[int, int], ratio: str) -> None:
    shown = task("1", request=replace(PLAIN, size=Size(*size)))
    asked = upstream.record(TaskView(shown, Links()))["req"]
    assert isinstance(asked, dict)
    assert asked["aspect_ratio"] == ratio
