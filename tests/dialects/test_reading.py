"""What all dialects read alike."""

import pytest

from filmgate.dialects.reading import metadata, pictures
from filmgate.domain.contracts import Fields
from filmgate.domain.problems import Problem
from filmgate.domain.request import PictureRole, Upload

FILE = Upload(b"picture")


@pytest.mark.parametrize(
    "held", [{"a": FILE}, {"a": {"b": FILE}}, {"a": [FILE]}, {"a": {"b": [{"c": FILE}]}}]
)
def test_a_file_in_the_metadata_is_refused_however_deep(held: dict[str, object]) -> None:
    with pytest.raises(Problem) as raised:
        metadata({"metadata": held})  # type: ignore[dict-item]  # wrong on purpose
    assert raised.value.field == "metadata"


@pytest.mark.parametrize(
    "text", ['{"a": "\\u0000"}', '{"a": "\\ud800"}', "{" * 40, '{"a": 9007199254740993}']
)
def test_metadata_as_text_is_read_as_strictly_as_any_body(text: str) -> None:
    with pytest.raises(Problem):
        metadata({"metadata": text})


@pytest.mark.parametrize(
    ("fields", "roles"),
    [
        ({"image": "https://a.example/1", "images": ["https://a.example/1"]}, [None]),
        ({"images": ["https://a.example/1", "https://a.example/1"]}, [None, None]),
        (
            {"image": "https://a.example/1", "last_frame_image": "https://a.example/1"},
            [None, PictureRole.LAST],
        ),
        (
            {"images": ["https://a.example/1", "https://a.example/2"], "image_end": "https://a.example/2"},
            [None, None],
        ),
    ],
)
def test_a_picture_counts_once_unless_it_is_meant_twice(
    fields: Fields, roles: list[PictureRole | None]
) -> None:
    assert [picture.role for picture in pictures(fields)] == roles
