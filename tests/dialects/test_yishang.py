"""What only the yishang document asks for."""

import pytest

from filmgate.dialects import yishang
from filmgate.domain.contracts import Call, Create, Fields
from filmgate.domain.request import GivenPicture, Upload

FILE = Upload(b"picture", "a.jpg")


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [({"seconds": FILE}, None), ({"seconds": ["10", FILE]}, "10"), ({"seconds": [FILE, "10"]}, "10")],
)
def test_a_file_under_the_name_seconds_is_a_picture_beside_the_length(
    fields: Fields, seconds: str | None
) -> None:
    action = yishang.parse(Call(verb="create", fields={"prompt": "x", "model": "sora-2", **fields}))
    assert isinstance(action, Create)
    assert action.draft.seconds == seconds
    assert action.draft.pictures == (GivenPicture(FILE, field="seconds[0]"),)
