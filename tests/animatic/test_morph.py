import json
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image

from filmgate.animatic.film import make_film
from filmgate.animatic.kinship import kinship_of
from filmgate.animatic.picture import covering
from filmgate.animatic.spec import parse_spec


def pair(first, last):
    return {"pictures": [{"role": "first", "path": first}, {"role": "last", "path": last}]}


def light(path, size=(320, 180)):
    return covering(path, *size).y.astype(float)


def psnr(one, other):
    return 10 * np.log10(255**2 / max(float(np.mean((one - other) ** 2)), 1e-9))


def test_the_first_and_the_last_frame_are_the_pictures(hills, tmp_path):
    first, last = hills("first", 1), hills("last", 2)
    out = tmp_path / "film.mp4"
    spec = {"prompt": "", "width": 320, "height": 180, "seconds": 1, "sound": False, "mark": False}
    make_film(parse_spec(json.dumps(spec | pair(first, last) | {"out": str(out)})), lambda *_: None)
    with av.open(str(out)) as film:
        shown = [
            frame.to_ndarray(format="rgb24", src_colorspace="itu709").astype(float)
            for frame in film.decode(video=0)
        ]
    wanted = [np.asarray(Image.open(path)).astype(float) for path in (first, last)]
    assert len(shown) == 24
    assert psnr(shown[0], wanted[0]) >= 39
    assert psnr(shown[-1], wanted[1]) >= 39


def test_both_pictures_are_held_for_a_moment(hills, moments):
    first, last = hills("first", 1), hills("last", 2)
    drawn = moments(pair(first, last) | {"seconds": 4}, (0, 0.3, 4 - 1 / 24 - 0.3, 4 - 1 / 24))
    assert np.abs(drawn[1] - drawn[0]).mean() < 1
    assert np.abs(drawn[2] - drawn[3]).mean() < 1
    assert np.array_equal(drawn[0], light(first))
    assert np.array_equal(drawn[3], light(last))


def test_one_view_that_moved_is_pulled_along_and_never_shown_twice(hills, moments):
    first, last = hills("first", 1), hills("last", 1, shift=12)
    assert kinship_of(covering(first, 320, 180).y, covering(last, 320, 180).y).close
    (middle,) = moments(pair(first, last) | {"seconds": 4}, (2 - 1 / 48,))
    # A dissolve of two views beside each other has lost the contrast that both of them have.
    assert middle[40:-40, 60:-60].std() > 0.85 * light(first)[40:-40, 60:-60].std()


def test_strange_pictures_are_swept_over_from_side_to_side(hills, moments):
    first, last = hills("first", 1), hills("last", 2)
    assert not kinship_of(covering(first, 320, 180).y, covering(last, 320, 180).y).close
    (middle,) = moments(pair(first, last) | {"seconds": 4}, (2 - 1 / 48,))
    sides = []
    for columns in (slice(0, 40), slice(-40, None)):
        nearness = [
            np.corrcoef(middle[:, columns].ravel(), light(path)[:, columns].ravel())[0, 1]
            for path in (first, last)
        ]
        sides.append(int(np.argmax(nearness)))
    assert sorted(sides) == [0, 1]


def test_nothing_jumps_on_the_way(hills, moments):
    drawn = moments(pair(hills("first", 1), hills("last", 2)) | {"seconds": 3}, np.arange(72) / 24)
    steps = [np.abs(after - before).mean() for before, after in pairwise(drawn)]
    assert max(steps) < np.abs(drawn[-1] - drawn[0]).mean() * 0.2


def test_what_follows_a_pair_begins_with_its_last_picture(hills, moments):
    first, last = hills("first", 1), hills("last", 2)
    at, later = moments(pair(first, last) | {"start": 8}, (8, 9.5))
    assert np.array_equal(at, light(last))
    assert 1 < np.abs(later - at).mean() < 30


def test_what_follows_a_strange_film_begins_with_its_last_frame(hills, moments):
    before = hills("before", 3)
    at, later = moments({"start": 5, "pictures": [{"role": "before", "path": before}]}, (5, 6.5))
    assert np.array_equal(at, light(before))
    assert 1 < np.abs(later - at).mean() < 30


def test_a_picture_that_was_pushed_into_goes_on_to_be(hills, moments):
    first = {"pictures": [{"role": "first", "path": hills("first", 1)}]}
    (whole,) = moments(first | {"seconds": 4}, (2,))
    (later,) = moments(first | {"seconds": 2, "start": 2}, (2,))
    assert np.array_equal(whole, later)


@pytest.mark.parametrize("size", [(180, 320), (202, 130), (640, 360)])
def test_a_pair_fits_every_frame(hills, moments, size):
    first, last = hills("first", 1), hills("last", 1, shift=10)
    width, height = size
    drawn = moments(pair(first, last) | {"width": width, "height": height}, (0, 1, 2 - 1 / 24))
    assert np.array_equal(drawn[0], light(first, size))
    assert np.array_equal(drawn[2], light(last, size))
    assert drawn[1].shape == (height, width)
