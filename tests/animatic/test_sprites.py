import tomllib
from importlib.resources import files

import numpy as np
import pytest

from filmgate.animatic.sprites import PHASES, moves, names, pose, sprite, traits
from filmgate.animatic.traits import TRAITS

ASSETS = files("filmgate.animatic") / "assets"
PEOPLE = ("man", "woman", "boy", "girl", "robot", "astronaut")


def test_every_subject_of_the_vocabulary_is_drawn_and_has_traits():
    table = tomllib.loads((files("filmgate.animatic") / "vocabulary.toml").read_text(encoding="utf-8"))
    assert set(table["subject"]) == set(names()) == set(TRAITS)
    assert {name for company in table["company"] for name in company.split()} <= names()


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_a_sprite_is_as_high_as_asked_and_cut_to_what_is_visible(name):
    picture = sprite(name, 120)
    alpha = picture[..., 3]
    assert picture.dtype == np.uint8
    assert picture.shape[0] == 120
    assert alpha.max() == 255
    assert alpha[:2].max() > 30
    assert alpha[-3:].max() > 30
    assert 0.1 < traits(name).height < 0.7


def test_sprites_are_shared_and_cannot_be_written():
    assert sprite("cat", 90) is sprite("cat", 90)
    with pytest.raises(ValueError, match="read-only"):
        sprite("cat", 90)[0, 0] = 1


def test_a_sprite_nobody_drew_is_an_error():
    with pytest.raises(KeyError, match="unicycle"):
        sprite("unicycle", 90)


@pytest.mark.parametrize(
    "name", ["house", "cabin", "castle", "lighthouse", "automobile", "train", "sky-lantern"]
)
def test_what_glows_at_night_lies_exactly_on_its_sprite(name):
    picture, glow = sprite(name, 200), sprite(f"{name}-glow", 200)
    assert glow.shape == picture.shape
    assert not np.any((glow[..., 3] > 60) & (picture[..., 3] < 30))
    assert (glow[..., 3] > 200).sum() > 20


def test_a_sprite_without_a_glow_says_so():
    with pytest.raises(KeyError):
        sprite("cat-glow", 90)


def test_enlarging_keeps_the_edges_straight():
    large = sprite("paper-boat", 900)
    assert large.shape[0] == 900
    assert large[..., 3].max() == 255


@pytest.mark.parametrize("name", ["cat", "dog", "fox", "panda", "bear", "horse", "elephant", *PEOPLE])
def test_walkers_move_their_legs_round_and_round(name):
    assert moves(name, "walk")
    steps = [pose(name, 160, "walk", step) for step in range(PHASES)]
    assert len({step.shape for step in steps}) == 1
    assert len({step.tobytes() for step in steps}) == PHASES
    np.testing.assert_array_equal(pose(name, 160, "walk", PHASES), steps[0])


@pytest.mark.parametrize("name", ["cat", "panda", *PEOPLE])
@pytest.mark.parametrize("action", ["walk", "run"])
def test_a_walker_keeps_its_size_and_its_place_above_its_feet(name, action):
    still = sprite(name, 160)
    for step in range(0, PHASES, 3):
        moved = pose(name, 160, action, step)
        columns = np.flatnonzero(moved[..., 3].max(axis=0) > 60)
        rows = np.flatnonzero(moved[..., 3].max(axis=1) > 60)
        assert abs((columns[0] + columns[-1]) / 2 - moved.shape[1] / 2) < 0.2 * still.shape[1] + 6
        assert 0.85 * 160 < moved.shape[0] - rows[0] < 1.08 * 160
        assert columns[0] > 0
        assert columns[-1] < moved.shape[1] - 1


@pytest.mark.parametrize("action", ["dance", "sit", "play", "jump", "fly", "hunt"])
def test_people_have_a_pose_for_it(action):
    shown = {pose("girl", 160, action, step).tobytes() for step in range(PHASES)}
    assert len(shown) > 4
    assert sprite("girl", 160).tobytes() not in shown


def test_who_sits_is_lower_than_who_stands():
    seated, standing = pose("boy", 200, "sit", 0), sprite("boy", 200)
    rows = np.flatnonzero(seated[..., 3].max(axis=1) > 60)
    assert seated.shape[0] - rows[0] < 0.93 * standing.shape[0]


def test_what_has_no_limbs_keeps_still():
    assert not moves("house", "walk")
    assert pose("house", 100, "walk", 3) is sprite("house", 100)


def test_a_gull_beats_its_wings():
    assert len({pose("gull", 100, "fly", step).tobytes() for step in range(PHASES)}) > 6


def test_assets_are_small_and_have_their_licences():
    sizes = {asset.name: len(asset.read_bytes()) for asset in ASSETS.iterdir()}
    assert set(sizes) == {
        "FilmgateCaption.woff2",
        "FilmgateCaption.LICENSE.txt",
        "sprites.zip",
        "sprites.LICENSE.txt",
    }
    assert sum(sizes.values()) < 2_500_000
    assert "SIL OPEN FONT LICENSE" in (ASSETS / "FilmgateCaption.LICENSE.txt").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in (ASSETS / "sprites.LICENSE.txt").read_text(
        encoding="utf-8"
    )
