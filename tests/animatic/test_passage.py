import json
from itertools import pairwise

import numpy as np

from filmgate.animatic.film import composer, scenes_of
from filmgate.animatic.sound import RATE, compose
from filmgate.animatic.spec import parse_spec

OLD = "a dog on a meadow"
NEW = {"prompt": OLD, "extend": "night, snow", "start": 2}


def spec_of(tmp_path, **fields):
    small = {"width": 320, "height": 180, "seconds": 2, "out": str(tmp_path / "film.mp4")}
    return parse_spec(json.dumps(small | fields))


def test_an_extension_keeps_what_its_words_leave_open(tmp_path):
    old, new = scenes_of(spec_of(tmp_path, **NEW))
    assert (new.seed, new.place, new.subjects, new.camera) == (old.seed, old.place, old.subjects, old.camera)
    assert (new.time, new.weather) == ("night", "snow")


def test_a_remix_takes_only_what_its_words_name(tmp_path):
    kept = scenes_of(spec_of(tmp_path, prompt=OLD, seed=9))[1]
    old, new = scenes_of(spec_of(tmp_path, keep=OLD, prompt="snow", seed=9))
    assert old == new
    assert (new.seed, new.place, new.time, new.subjects) == (9, kept.place, kept.time, kept.subjects)
    assert new.weather == "snow"


def test_another_scene_comes_up_within_a_second_without_a_jump(moments):
    old = moments({"prompt": OLD}, (2, 2.5))
    alone = moments({"prompt": OLD, "extend": "night, snow", "start": 1}, (2.5, 3))
    drawn = moments(NEW, (2, 2.5, 3, 3.5))
    assert np.array_equal(drawn[0], old[0])
    assert np.abs(drawn[1] - (old[1] + alone[0]) / 2).mean() < 1
    assert np.array_equal(drawn[2], alone[1])


def test_every_step_of_the_passage_is_small(moments):
    drawn = moments(NEW, 2 + np.arange(26) / 24)
    steps = [np.abs(after - before).mean() for before, after in pairwise(drawn)]
    assert steps[0] < 3
    assert max(steps) < 12


def test_the_words_of_an_extension_are_shown_and_those_of_the_film_not_again(moments):
    low = slice(-50, -5)
    plain = moments({"prompt": OLD, "start": 8}, (9,))[0]
    same = moments({"prompt": OLD, "start": 8, "caption": True}, (9,))[0]
    assert np.array_equal(plain, same)
    other = {"prompt": OLD, "extend": "night, snow", "start": 8}
    bare, told = (moments(other | {"caption": caption}, (9.5,))[0] for caption in (False, True))
    assert np.abs(told - bare)[low].max() > 60
    gone = [moments(other | {"caption": caption}, (13,))[0] for caption in (False, True)]
    assert np.array_equal(*gone)


def test_one_sound_gives_way_to_the_other_without_a_click(tmp_path):
    spec = spec_of(tmp_path, prompt=OLD, extend="a storm at night", start=8, seconds=3)
    old, new = scenes_of(spec)
    wave = composer(spec, old, new)(3.0, 7.9)
    before, after = compose(old, 0.1, 7.9), compose(new, 1.5, 9.1)
    np.testing.assert_allclose(wave[:, : before.shape[1]], before, atol=1e-5)
    np.testing.assert_allclose(wave[:, round(1.2 * RATE) : round(2.7 * RATE)], after, atol=1e-5)
    assert np.abs(wave).max() < 0.93
    # A click at the join would be a step there that neither sound has anywhere.
    join = np.abs(np.diff(wave))[:, RATE // 10 - 500 : RATE // 10 + 500].max()
    assert join < 1.5 * max(np.abs(np.diff(compose(scene, 3, 7.9))).max() for scene in (old, new))


def test_sound_after_a_strange_film_rises_softly(tmp_path):
    pictures = [{"role": "before", "path": "last.png"}]
    spec = spec_of(tmp_path, prompt="a storm over the sea", start=5, pictures=pictures)
    wave = composer(spec, *scenes_of(spec))(3.0, 4.9)
    assert not wave[:, : RATE // 10].any()
    loud = [np.abs(wave[:, round(at * RATE) : round((at + 0.3) * RATE)]).max() for at in (0.1, 0.7, 2.2)]
    assert loud[0] < 0.2 * loud[2]
    assert loud[0] < loud[1] < loud[2]
