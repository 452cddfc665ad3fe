import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filmgate.animatic.camera import Camera
from filmgate.animatic.cards import Card, card_size
from filmgate.animatic.film import scenes_of
from filmgate.animatic.layout import Box, boxed, free_field, place, taken
from filmgate.animatic.references import with_references
from filmgate.animatic.sets import build_set
from filmgate.animatic.spec import BadPictureError, parse_spec
from filmgate.animatic.stage import camera_of, set_stage
from filmgate.animatic.staging import Actor


def references(*paths):
    return [{"role": "reference", "path": path} for path in paths]


@pytest.fixture
def plain(painted):
    def paint(name, colour, size=(120, 80)):
        return painted(name, np.full((size[1], size[0], 3), colour, np.uint8))

    return paint


@pytest.fixture
def disc(painted):
    """Paint a disc of one colour on nothing."""

    def paint(name, colour, size=120):
        y, x = np.mgrid[0:size, 0:size] - size / 2
        pixels = np.zeros((size, size, 4), np.uint8)
        pixels[...] = (*colour, 0)
        pixels[np.hypot(x, y) < size * 0.4, 3] = 255
        return painted(name, pixels)

    return paint


def guests(prompt, size, paths, tmp_path):
    fields = {
        "prompt": prompt,
        "width": size[0],
        "height": size[1],
        "seconds": 2,
        "out": str(tmp_path / "f.mp4"),
    }
    spec = parse_spec(json.dumps(fields))
    scene = scenes_of(spec)[1]
    stage = set_stage(scene, *size)
    camera = camera_of(scene, stage, 0.0)
    before = build_set(stage)
    elements = with_references(before, stage, camera, [Path(path) for path in paths])
    return [element for element in elements if all(element is not one for one in before)], camera


def room_of(card: Card) -> Box:
    tall, wide = card.patch.y.shape
    return boxed((card.at[0], card.at[1] + tall * 0.36), (wide * 0.8, tall * 0.7))


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (240, 240)])
@pytest.mark.parametrize("prompt", ["", "a dog on a meadow", "three birds over the sea"])
def test_three_cards_hang_beside_each_other_above_the_words(size, prompt, plain, tmp_path):
    paths = [plain(str(index), (200, 60 * index, 90)) for index in range(3)]
    cards, camera = guests(prompt, size, paths, tmp_path)
    assert [type(card) for card in cards] == [Card] * 3
    rooms = [room_of(card) for card in cards]
    field = Box(0, 0, size[0], free_field(camera, 0.0, follows=True).bottom)
    for index, room in enumerate(rooms):
        assert room.shared(field) == pytest.approx(room.wide * room.tall, rel=0.03)
        assert all(room.shared(other) == 0 for other in rooms[:index])


def test_a_cut_out_stands_among_the_company_and_a_whole_picture_hangs(disc, plain, tmp_path):
    shown, camera = guests(
        "a dog on a meadow", (320, 180), [plain("card", (200, 60, 90)), disc("disc", (20, 200, 90))], tmp_path
    )
    assert [type(guest) for guest in shown] == [Actor, Card]
    (standing,) = taken([guest for guest in shown if isinstance(guest, Actor)], camera)
    assert standing.bottom > 0.6 * 180
    assert standing.tall > 0.2 * 180


def test_references_are_seen_in_their_colours(plain, disc, moments):
    fields = {"prompt": "a dog on a meadow"}
    (bare,) = moments(fields, (1,))
    pictures = references(plain("card", (255, 255, 255)), disc("disc", (0, 0, 0)))
    (drawn,) = moments(fields | {"pictures": pictures}, (1,))
    assert ((drawn > 190) & (bare < 185)).mean() > 0.02
    assert ((drawn < 40) & (bare > 60)).mean() > 0.02


def test_references_go_on_where_a_film_stopped(plain, moments):
    fields = {"prompt": "a dog on a meadow", "pictures": references(plain("card", (200, 60, 90)))}
    (whole,) = moments(fields | {"seconds": 4}, (2,))
    (later,) = moments(fields | {"start": 2}, (2,))
    assert np.array_equal(whole, later)


def test_cards_drift(plain, moments):
    fields = {"prompt": "a static view of a meadow", "pictures": references(plain("card", (200, 60, 90)))}
    drawn = moments(fields, (0, 1.5))
    bare = moments(fields | {"pictures": []}, (0, 1.5))
    card = np.abs(drawn[0] - bare[0]) > 20
    assert np.abs(drawn[1] - drawn[0])[card].mean() > 2 * np.abs(bare[1] - bare[0])[card].mean()


def test_a_picture_of_nothing_is_named(painted, moments):
    empty = painted("empty", np.zeros((50, 50, 4), np.uint8))
    with pytest.raises(BadPictureError, match=r"empty\.png shows nothing"):
        moments({"pictures": references(empty)}, (0,))


def test_a_guest_goes_where_it_hides_least():
    field, other = Box(0, 0, 100, 50), Box(30, 0, 100, 50)
    (x, _), cost = place((80, 25), (20, 20), field, [other])
    assert x <= 20
    assert cost < place((80, 25), (20, 20), Box(40, 0, 100, 50), [other])[1]


def test_a_wide_cut_out_hangs_as_a_sign(painted, tmp_path):
    pixels = np.zeros((60, 240, 4), np.uint8)
    pixels[6:-6, 6:-6] = (30, 120, 220, 255)
    (sign,), _ = guests("a dog on a meadow", (320, 180), [painted("sign", pixels)], tmp_path)
    assert isinstance(sign, Card)
    assert sign.patch.y.shape[1] > 2 * sign.patch.y.shape[0]


def test_who_stands_on_the_set_has_room_for_a_camera_that_pans():
    camera = Camera("pan_right", 320, 180, (160, 90), roam=False)
    standing, going = (free_field(camera, 0.8, follows=follows) for follows in (False, True))
    assert standing.left > going.left
    assert standing.right < going.right


def test_a_camera_that_comes_near_leaves_less_room():
    still, near = (Camera(move, 320, 180, (160, 90), roam=False) for move in ("static", "dolly_in"))
    assert free_field(near, 0.45, follows=True).wide < free_field(still, 0.45, follows=True).wide


@pytest.mark.parametrize(("size", "shape"), [((300, 200), 1.5), ((900, 100), 2.2), ((100, 900), 0.5)])
def test_a_card_has_the_shape_of_its_picture_unless_that_is_very_long(size, shape):
    wide, tall = card_size(Image.new("RGB", size), (1000, 1000))
    assert max(wide, tall) == pytest.approx(1000)
    border = 0.07 * 1000
    assert (wide - border) / (tall - border) == pytest.approx(shape)
