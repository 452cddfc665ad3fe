import asyncio
import os
import sys
import textwrap
from dataclasses import replace

import pytest

from filmgate.media.child import ChildFailedError, run
from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.join import join
from filmgate.media.last_frame import last_frame
from filmgate.media.messages import Message
from filmgate.media.scale import scale
from filmgate.media.workshop import LAST_FRAME, REDRAWING, SCALING, SPLICING, Workshop

MIB = 1024 * 1024


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


async def test_clips_are_joined_in_a_child_as_they_would_be_here(workshop, animatics, draw, tmp_path):
    small = draw(tmp_path / "small.mp4")
    here, there = tmp_path / "here.mp4", tmp_path / "there.mp4"
    for clips, copied in (
        ([animatics.first, animatics.later], True),
        ([animatics.odd_first, animatics.odd_later], False),
        ([animatics.first, small], False),
    ):
        assert await workshop.join(clips, there) is copied
        assert join(clips, here) is copied
        assert there.read_bytes() == here.read_bytes()


async def test_a_broken_clip_is_refused_in_a_child_by_its_number(workshop, films, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(films.whole.read_bytes()[:9000])
    with pytest.raises(TruncatedFilm, match="clip 2: it ends at byte 9000"):
        await workshop.join([films.whole, broken], tmp_path / "joined.mp4")


async def test_a_film_is_never_written_over_what_it_is_made_of(workshop, films):
    before = films.whole.read_bytes()
    with pytest.raises(ValueError, match="another place"):
        await workshop.join([films.moov_last, films.whole], films.whole)
    with pytest.raises(ValueError, match="a place of its own"):
        await workshop.scale(films.whole, films.whole, 64, 64)
    assert films.whole.read_bytes() == before


@pytest.mark.parametrize("size", [(127, 96), (128, 95), (0, 96), (128, -2)])
async def test_a_film_is_scaled_only_to_even_sides(workshop, films, tmp_path, size):
    with pytest.raises(ValueError, match="even sides"):
        await workshop.scale(films.whole, tmp_path / "scaled.mp4", *size)


async def test_nothing_is_joined_from_nothing(workshop, tmp_path):
    with pytest.raises(ValueError, match="at least one clip"):
        await workshop.join([], tmp_path / "joined.mp4")


async def test_a_film_is_scaled_in_a_child_as_it_would_be_here(workshop, films, tmp_path):
    here, there = tmp_path / "here.mp4", tmp_path / "there.mp4"
    await workshop.scale(films.whole, there, 192, 144)
    scale(films.whole, here, 192, 144)
    assert there.read_bytes() == here.read_bytes()


async def test_a_scaled_film_cannot_fill_the_disk(workshop, films, tmp_path):
    into = tmp_path / "scaled.mp4"
    with pytest.raises(ChildFailedError, match="File too large"):
        await workshop.scale(films.whole, into, 640, 480, replace(SCALING, file_bytes=20_000))
    assert into.stat().st_size <= 20_000


async def test_a_film_that_takes_too_much_to_encode_is_refused(workshop, films, tmp_path):
    with pytest.raises(NotAFilm):
        await workshop.scale(
            films.whole, tmp_path / "scaled.mp4", 7680, 4320, replace(SCALING, memory_bytes=192 * MIB)
        )


async def test_the_last_frame_is_found_in_a_child_as_it_would_be_here(workshop, animatics, films):
    for film in (animatics.first, films.whole, films.fragmented):
        assert await workshop.last_frame(film) == last_frame(film)


async def test_what_takes_minutes_does_not_stand_before_what_takes_moments(animatics, films, tmp_path):
    workshop = Workshop(films_at_once=1, encodings_at_once=1)
    scaling = asyncio.ensure_future(workshop.scale(animatics.continuous, tmp_path / "large.mp4", 3840, 2160))
    try:
        await workshop.inspect(films.whole)
        assert not scaling.done()
    finally:
        scaling.cancel()
        await asyncio.wait([scaling])


async def test_nothing_is_loaded_for_a_film_after_becoming_nobody(films, tmp_path, monkeypatch):
    """A nobody who cannot read the libraries would fail there, on some machines."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    paths = [str(films.whole), str(films.whole), str(films.fragmented)]
    (tmp_path / "other_worker.py").write_text(
        textwrap.dedent(f"""
        import json, sys
        from contextlib import ExitStack
        from pathlib import Path
        from filmgate.media.film_worker import last_frame, output_at, read_clips, redraw, rescale, splice
        from filmgate.media.worker import become_nobody
        clips = [open(path, "rb") for path in {paths!r}]
        with ExitStack() as stack:
            first, second, third = (
                stack.enter_context(output_at(Path({str(tmp_path)!r}, name))) for name in "abc"
            )
            become_nobody()
            before = set(sys.modules)
            rescale(clips[0], first, 96, 128)
            redraw(read_clips(clips), second)
            splice(read_clips(clips[:2]), third)
            last_frame(clips[0])
            print(json.dumps({{"loaded": sorted(set(sys.modules) - before)}}))
    """)
    )
    said: list[Message] = []
    await run("other_worker", limits=SCALING, on_message=said.append)
    assert said[0].value == {"loaded": []}


def test_limits_of_children_are_those_that_were_promised():
    jobs = {"splice": SPLICING, "redraw": REDRAWING, "scale": SCALING, "last frame": LAST_FRAME}
    assert {name: (job.cpu_s, job.wall_s, job.memory_bytes // MIB) for name, job in jobs.items()} == {
        "splice": (60, 120, 1024),
        "redraw": (900, 1800, 1536),
        "scale": (600, 1200, 1536),
        "last frame": (30, 60, 1024),
    }
    assert {job.processes for job in jobs.values()} == {0}
