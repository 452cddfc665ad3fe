import numpy as np
import pytest

from filmgate.animatic.camera import Camera
from filmgate.animatic.planes import blank_frame
from filmgate.animatic.sheets import Paper

WIDTH, HEIGHT = 160, 90


def frame():
    size = WIDTH * HEIGHT
    return blank_frame(WIDTH, HEIGHT, (np.zeros(size, np.uint8), np.zeros(size, np.uint8)))


def camera(move="static", track=0.0):
    return Camera(move=move, width=WIDTH, height=HEIGHT, centre=(80, 50), roam=True, track=track)


def sheet(depth=1.0, top=0):
    rng = np.random.default_rng(1)
    paper = Paper(200, top, HEIGHT + 20, lambda rgb: rgb)
    paper.fill(rng.uniform(0, 1, (paper.height // 2, 100, 3)).astype(np.float32))
    return paper, paper.sheet(depth, WIDTH)


def drawn(made, seen, t):
    out = frame()
    made.draw(out, seen, t, HEIGHT)
    return out.buffer.copy()


def test_a_sheet_meets_itself_without_a_seam():
    # At this speed the camera has passed the whole sheet exactly once after 200 / 160 seconds.
    made, seen = sheet()[1], camera(track=1.0)
    once, twice = drawn(made, seen, 0.4), drawn(made, seen, 0.4 + 200 / WIDTH)
    assert np.abs(once.astype(int) - twice.astype(int)).max() <= 1


@pytest.mark.parametrize("move", ["dolly_in", "dolly_out", "aerial", "tilt_up", "tilt_down"])
@pytest.mark.parametrize("t", [0.0, 3.0, 40.0, 900.0])
def test_no_camera_ever_sees_past_the_sheets(move, t):
    made = sheet(top=-20)[1]
    assert drawn(made, camera(move), t).min() > 0


def test_what_a_nearer_sheet_hides_begins_below_its_cut():
    paper = sheet()[0]
    paper.cut(np.full(200, 40.0, dtype=np.float32))
    made, out = paper.sheet(1.0, WIDTH), frame()
    out.y[:] = 255
    made.draw(out, camera(), 0.0, HEIGHT)
    covered = made.covers(camera(), 0.0)
    assert 40 <= covered <= 45
    assert (out.y[:38] == 255).all()
    assert (out.y[covered:] < 255).all()


def test_only_the_filled_parts_of_a_sparse_sheet_are_kept():
    paper = sheet()[0]
    mask = paper.mask()
    paper.shape(mask, [(20, 10), (30, 10), (30, 30), (20, 30)])
    paper.alpha = mask.astype(np.float32) / 255
    (island,) = paper.sheet(1.0, WIDTH).islands
    assert (island.columns, island.rows) == ((17, 34), (7, 34))
