from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from filmgate.animatic.camera import Camera
from filmgate.animatic.meadow import tree_sheet
from filmgate.animatic.planes import blank_frame
from filmgate.animatic.reading import read_scene
from filmgate.animatic.sets import build_set
from filmgate.animatic.sheets import Paper
from filmgate.animatic.stage import camera_of, set_stage
from filmgate.animatic.staging import travels

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


def stage_of(prompt, seed):
    return set_stage(read_scene(prompt, seed), 320, 180)


def picture(prompt, seed, t=3.0):
    stage = stage_of(prompt, seed)
    seen = camera_of(stage.scene, stage, travels(stage))
    out = blank_frame(320, 180, (np.zeros(320 * 180, np.uint8), np.zeros(320 * 180, np.uint8)))
    for element in build_set(stage):
        element.draw(out, seen, t, 180)
    return out


def test_a_dolly_goes_deeper_where_nothing_can_outgrow_the_frame():
    alone = replace(camera("dolly_in"), roam=True).view(0.5, 8.0).zoom
    with_company = replace(camera("dolly_in"), roam=False).view(0.5, 8.0).zoom
    assert (round(alone, 3), round(with_company, 3)) == (1.189, 1.111)


@pytest.mark.parametrize("seed", range(6))
def test_no_tree_stands_where_a_house_will_stand(seed):
    stage = stage_of("a cabin in the meadow", seed)
    trees = tree_sheet(
        stage, stage.rng("trees"), 120, size=40, distance=0, depth=0.5, number=9, clear=(90.0, 230.0)
    )
    crowns = trees.patch.keep[:70]
    assert crowns[:, 100:220].min() == 255
    assert crowns.min() < 255


@pytest.mark.parametrize(
    "prompt", ["a cat in the rainy city at night", "a paper boat on a lake at dusk", "a deer in the forest"]
)
def test_a_dozen_seeds_give_a_dozen_pictures(prompt):
    small = [
        cv2.resize(picture(prompt, seed).y, (32, 18), interpolation=cv2.INTER_AREA) for seed in range(12)
    ]
    apart = [np.abs(a.astype(int) - b.astype(int)).mean() for a, b in combinations(small, 2)]
    assert min(apart) > 5


def test_dusk_over_a_lake_is_warm_in_sky_and_water():
    for seed in range(6):
        v = picture("a lake at dusk", seed).v
        assert min(v[20:40].mean(), v[-30:-10].mean()) > 128, seed


def test_who_walks_in_the_mountains_walks_on_snow():
    out = picture("a penguin walking in the snow by day", 3)
    assert out.y[165:175, :60].mean() > 180
