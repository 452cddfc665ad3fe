import json
from pathlib import Path

import pytest

from filmgate.animatic.spec import BadSpecError, Spec, parse_spec

GOOD = {"prompt": "a cat", "width": 1280, "height": 720, "seconds": 8, "out": "film.mp4"}


def test_what_is_left_out_has_a_default():
    assert parse_spec(json.dumps(GOOD)) == Spec(
        prompt="a cat",
        seed=None,
        width=1280,
        height=720,
        frames=192,
        start=0.0,
        sound=True,
        caption=True,
        mark=True,
        out=Path("film.mp4"),
        pictures=(),
    )


def test_odd_sides_and_times_between_frames_are_rounded():
    spec = parse_spec(json.dumps(GOOD | {"width": 1281, "seconds": 7.99, "start": 1.03}))
    assert (spec.width, spec.frames, spec.start) == (1280, 192, 25 / 24)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 64}, "width must be a whole number from 128 to 4096."),
        ({"height": 5000}, "height must be a whole number from 128 to 4096."),
        ({"width": "wide"}, "width must be a number."),
        ({"width": True}, "width must be a number."),
        ({"seconds": float("nan")}, "seconds must be a number."),
        ({"seconds": 26}, "seconds must be from 0.5 to 25."),
        ({"seconds": 0.1}, "seconds must be from 0.5 to 25."),
        ({"fps": 30}, "fps must be 24."),
        ({"start": -1}, "start must not be negative."),
        ({"seed": 1.5}, "seed must be a whole number from 0 to 2^63 - 1, or null."),
        ({"prompt": 5}, "prompt must be a text."),
        ({"prompt": "x" * 32_001}, "prompt has 32001 characters; at most 32000 are read."),
        ({"mark": "no"}, "mark must be true or false."),
        ({"out": "no/such/folder/a.mp4"}, "out lies in a folder that does not exist: no/such/folder."),
        ({"pictures": {}}, "pictures must be a list."),
        (
            {"pictures": [{"role": "middle", "path": "a"}]},
            "A picture's role must be one of first, last, reference.",
        ),
    ],
)
def test_a_bad_field_is_answered_with_what_would_be_right(change, words):
    with pytest.raises(BadSpecError) as refused:
        parse_spec(json.dumps(GOOD | change))
    assert str(refused.value) == words


@pytest.mark.parametrize("roles", [["last"], ["reference"], ["first", "last"], ["first", "first"]])
def test_other_pictures_than_one_first_are_not_drawn_yet(roles):
    pictures = [{"role": role, "path": "a.png"} for role in roles]
    with pytest.raises(BadSpecError, match="not drawn yet"):
        parse_spec(json.dumps(GOOD | {"pictures": pictures}))


def test_an_unknown_field_is_named():
    with pytest.raises(BadSpecError, match="Unknown fields: colour"):
        parse_spec(json.dumps(GOOD | {"colour": "red"}))


@pytest.mark.parametrize("text", ["{", "[]", "null", ""])
def test_only_one_json_object_is_a_spec(text):
    with pytest.raises(BadSpecError):
        parse_spec(text)
