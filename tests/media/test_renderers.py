import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from filmgate.domain.contracts_provider import Drawing, Frame
from filmgate.domain.request import PictureRole
from filmgate.media.child import ChildLimits
from filmgate.media.renderers import Renderers

KEY = "0190b0c4-1111-7000-8000-00000000000a.1.1"
OTHER = "0190b0c4-1111-7000-8000-00000000000b.1.1"
LIMITS = ChildLimits(wall_s=20, cpu_s=10, memory_bytes=4 * 1024**3, file_bytes=1024**2)
# A program with the animatic's manners whose prompt says how it behaves; it notes every run that it makes.
PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path

spec = json.load(sys.stdin)
here = Path(__file__).parent
with (here / "runs").open("a") as runs:
    runs.write(f"{os.getpid()}\\n")
count = len((here / "runs").read_text().split())
say = lambda **line: print(json.dumps(line), flush=True)
say(event="progress", done=12, total=24)
if spec["prompt"] == "wait":
    while not (here / "go").exists():
        time.sleep(0.01)
if spec["prompt"] == "crash":
    os.kill(os.getpid(), signal.SIGKILL)
if spec["prompt"] == "fail once" and count == 1:
    say(event="failed", code="engine_error", message="MemoryError: ")
    sys.exit(1)
if spec["prompt"] == "fail":
    say(event="failed", code="engine_error", message="OSError: no space")
    sys.exit(1)
if spec["prompt"] == "burn":
    while True:
        pass
if spec["prompt"] == "bad":
    say(event="failed", code="bad_spec", message="seconds must be from 0.5 to 25.")
    sys.exit(2)
out = Path(spec["out"])
out.write_bytes(b"".join(Path(picture["path"]).read_bytes() for picture in spec["pictures"]) or b"film")
say(event="finished", path=str(out), frames=24, seconds=1.0, seed=1)
"""


class Stand:
    """The program above, and renderers that run it over one folder."""

    def __init__(self, folder, films):
        self.folder = folder
        self.films = films
        self.opened = []

    def renderers(self, at_once=4, limits=LIMITS):
        made = Renderers(self.films, at_once, program="stand_in_animatic", limits=limits)
        self.opened.append(made)
        return made

    def pids(self):
        path = self.folder / "runs"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def go(self):
        (self.folder / "go").touch()

    def left(self):
        return sorted(path.name for path in self.films.iterdir())


@pytest.fixture
async def stand(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.mkdir()
    (program / "stand_in_animatic.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(program))
    stand = Stand(program, tmp_path / "films")
    yield stand
    for renderers in stand.opened:
        await renderers.close()


async def until(condition, within_s=10.0):
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # what is waited for is a file or a process
            await asyncio.sleep(0.02)


def ended(renderers, key=KEY):
    drawing = renderers.look(key)
    return drawing is not None and (drawing.path is not None or drawing.error is not None)


def first(content):
    return Frame(PictureRole.FIRST, "image/png", content)


async def test_a_drawing_ends_as_a_file_named_by_its_key_and_nothing_else_is_left(stand):
    renderers = stand.renderers()
    assert renderers.look(KEY) is None
    await renderers.start(KEY, {"prompt": "film"}, ())
    await until(lambda: ended(renderers))
    assert renderers.look(KEY) == Drawing(path=stand.films / f"{KEY}.mp4")
    assert (stand.films / f"{KEY}.mp4").read_bytes() == b"film"
    await until(lambda: stand.left() == [f"{KEY}.mp4"])


async def test_a_key_that_is_drawn_or_being_drawn_is_not_started_again(stand):
    renderers = stand.renderers()
    await asyncio.gather(*(renderers.start(KEY, {"prompt": "film"}, ()) for _ in range(3)))
    await until(lambda: ended(renderers))
    await renderers.start(KEY, {"prompt": "film"}, ())
    assert len(stand.pids()) == 1


async def test_no_more_are_drawn_at_once_than_there_are_places_and_those_that_wait_have_drawn_nothing(stand):
    renderers = stand.renderers(at_once=1)
    await renderers.start(KEY, {"prompt": "wait"}, ())
    await renderers.start(OTHER, {"prompt": "wait"}, ())
    await until(lambda: renderers.look(KEY) == Drawing(12, 24))
    assert renderers.look(OTHER) == Drawing(0, 0)
    assert len(stand.pids()) == 1
    stand.go()
    await until(lambda: ended(renderers) and ended(renderers, OTHER))
    await until(lambda: stand.left() == [f"{KEY}.mp4", f"{OTHER}.mp4"])


async def test_a_renderer_that_is_killed_from_outside_draws_again(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "wait"}, [first(b"picture")])
    await until(lambda: renderers.look(KEY) == Drawing(12, 24))
    os.kill(stand.pids()[0], signal.SIGKILL)
    await until(lambda: len(stand.pids()) == 2)
    stand.go()
    await until(lambda: ended(renderers))
    assert (stand.films / f"{KEY}.mp4").read_bytes() == b"picture"


async def test_a_program_that_ran_out_of_memory_is_started_again(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "fail once"}, ())
    await until(lambda: ended(renderers))
    assert (renderers.look(KEY).error, len(stand.pids())) == (None, 2)


async def test_a_drawing_that_crashes_three_times_is_given_up(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "crash"}, ())
    await until(lambda: ended(renderers))
    drawing = renderers.look(KEY)
    assert (drawing.error, drawing.bad_request) == (
        "ChildKilledError: stand_in_animatic was ended by SIGKILL",
        False,
    )
    assert len(stand.pids()) == 3
    await until(lambda: stand.left() == [])


async def test_what_the_program_said_of_its_failure_is_kept_for_operators(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "fail"}, ())
    await until(lambda: ended(renderers))
    drawing = renderers.look(KEY)
    assert (drawing.error, drawing.bad_request) == (
        "ChildFailedError: stand_in_animatic ended with status 1 OSError: no space",
        False,
    )


async def test_a_drawing_that_burns_its_time_is_not_tried_again(stand):
    limits = ChildLimits(wall_s=20, cpu_s=1, memory_bytes=4 * 1024**3, file_bytes=1024**2)
    renderers = stand.renderers(limits=limits)
    await renderers.start(KEY, {"prompt": "burn"}, ())
    await until(lambda: ended(renderers))
    assert "SIGXCPU" in renderers.look(KEY).error
    assert len(stand.pids()) == 1


async def test_a_request_that_cannot_be_drawn_says_so_in_the_programs_words(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "bad"}, ())
    await until(lambda: ended(renderers))
    assert renderers.look(KEY) == Drawing(12, 24, None, "seconds must be from 0.5 to 25.", bad_request=True)
    assert len(stand.pids()) == 1


async def test_forgetting_kills_the_drawing_and_removes_all_of_it(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "wait"}, [first(b"picture")])
    await until(lambda: renderers.look(KEY) == Drawing(12, 24))
    await renderers.forget(KEY)
    assert not psutil.pid_exists(stand.pids()[0])
    assert (renderers.look(KEY), stand.left()) == (None, [])


async def test_forgetting_removes_a_finished_film_and_an_unknown_key_is_no_error(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "film"}, ())
    await until(lambda: ended(renderers))
    await renderers.forget(KEY)
    await renderers.forget(OTHER)
    assert stand.left() == []


async def test_a_film_is_found_by_whoever_opens_the_folder_next(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "film"}, ())
    await until(lambda: ended(renderers))
    assert stand.renderers().look(KEY) == Drawing(path=stand.films / f"{KEY}.mp4")


async def test_an_interrupted_drawing_starts_again_with_the_pictures_that_were_kept(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "wait", "pictures": [{"role": "first"}]}, [first(b"picture")])
    await until(lambda: renderers.look(KEY) == Drawing(12, 24))
    await renderers.close()
    assert not psutil.pid_exists(stand.pids()[0])
    stand.go()
    later = stand.renderers()
    assert later.look(KEY) is None
    await later.start(KEY, {"prompt": "wait", "pictures": [{"role": "first"}]}, ())
    await until(lambda: ended(later))
    assert (stand.films / f"{KEY}.mp4").read_bytes() == b"picture"


async def test_a_drawing_whose_pictures_are_gone_is_not_made_without_them(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "film", "pictures": [{"role": "first"}]}, ())
    await until(lambda: ended(renderers))
    drawing = renderers.look(KEY)
    assert drawing.error == (
        "FileNotFoundError: the first picture of this drawing is not kept on this machine"
    )
    assert (drawing.bad_request, stand.pids()) == (False, [])


async def test_a_sweep_removes_what_is_old_and_leaves_what_is_being_drawn(stand):
    renderers = stand.renderers()
    await renderers.start(KEY, {"prompt": "film"}, ())
    await until(lambda: stand.left() == [f"{KEY}.mp4"])
    await renderers.start(OTHER, {"prompt": "wait"}, [first(b"picture")])
    now = datetime.now(UTC)
    assert await renderers.sweep(now - timedelta(hours=1)) == 0
    assert await renderers.sweep(now + timedelta(hours=1)) == 1
    assert stand.left() == [f"{OTHER}.work"]


@pytest.mark.parametrize("key", ["", "../x", "a/b", "..", ".1", "a..b", "g", "A1", "a b", "a\n", "1" * 101])
def test_what_is_no_key_never_becomes_a_file_name(stand, key):
    with pytest.raises(ValueError, match="a key is hexadecimal digits"):
        stand.renderers().look(key)
