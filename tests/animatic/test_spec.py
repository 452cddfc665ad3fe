import json
from pathlib import Path

import pytest

from filmgate.animatic.spec import BadSpecError, SourcePicture, Spec, parse_spec

GOOD = {"prompt": "a cat", "width": 1280, "height": 720, "seconds": 8, "out": "film.mp4"}


def test_what_is_left_out_has_a_default():
    assert parse_spec(json.dumps(GOOD)) == Spec(
        prompt="a cat",
        extend=None,
        keep=None,
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
            "A picture's role must be one of first, last, reference, before.",
        ),
        ({"pictures": [{"role": "first"}]}, "A picture's path must be a text."),
        ({"extend": 5, "start": 8}, "extend must be a text."),
        ({"keep": "x" * 32_001}, "keep has 32001 characters; at most 32000 are read."),
        (
            {"extend": "rain"},
            "extend needs a start above 0: the seconds that the film before it lasted.",
        ),
    ],
)
def test_a_bad_field_is_answered_with_what_would_be_right(change, words):
    with pytest.raises(BadSpecError) as refused:
        parse_spec(json.dumps(GOOD | change))
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("roles", "start", "words"),
    [
        ("first first", 0, "A film has at most one picture with the role first, not 2."),
        ("first last last", 0, "A film has at most one picture with the role last, not 2."),
        ("before before", 8, "A film has at most one picture with the role before, not 2."),
        ("last", 0, "A last picture needs a first one: give both, or the first alone."),
        (
            "reference first",
            0,
            "Reference pictures come without first and last: give the ones or the others.",
        ),
        ("reference reference reference reference", 0, "At most 3 reference pictures are drawn, not 4."),
        ("before first", 8, "A before picture comes alone: leave the others out."),
        (
            "before",
            0,
            "A before picture needs a start above 0: the seconds that the film before it lasted.",
        ),
    ],
)
def test_pictures_that_do_not_go_together_are_answered_with_what_would(roles, start, words):
    pictures = [{"role": role, "path": "a.png"} for role in roles.split()]
    with pytest.raises(BadSpecError) as refused:
        parse_spec(json.dumps(GOOD | {"pictures": pictures, "start": start}))
    assert str(refused.value) == words


@pytest.mark.parametrize("roles", ["first", "first last", "last first", "reference reference reference"])
@pytest.mark.parametrize("start", [0, 8])
def test_pictures_keep_their_roles_and_order(roles, start):
    pictures = [{"role": role, "path": f"{index}.png"} for index, role in enumerate(roles.split())]
    spec = parse_spec(json.dumps(GOOD | {"pictures": pictures, "start": start}))
    assert spec.pictures == tuple(
        SourcePicture(role, Path(f"{index}.png")) for index, role in enumerate(roles.split())
    )
    assert spec.paths("last") == tuple(picture.path for picture in spec.pictures if picture.role == "last")


@pytest.mark.parametrize(
    ("extend", "read"), [(None, None), (" ", None), (" a cat", None), ("a dog ", "a dog")]
)
def test_an_extension_by_the_same_words_is_no_other_scene(extend, read):
    assert parse_spec(json.dumps(GOOD | {"extend": extend, "start": 8})).extend == read


def test_an_unknown_field_is_named():
    with pytest.raises(BadSpecError, match="Unknown fields: colour"):
        parse_spec(json.dumps(GOOD | {"colour": "red"}))


@pytest.mark.parametrize("text", ["{", "[]", "null", ""])
def test_only_one_json_object_is_a_spec(text):
    with pytest.raises(BadSpecError):
        parse_spec(text)
