"""What only the laozhang document asks for."""

import json
import re
from typing import Any

import pytest

from filmgate.dialects import laozhang
from filmgate.domain.contracts import Call, Create, Status
from filmgate.domain.request import GivenPicture, Json, Upload
from kit.films import shown

FILM = {"video": "https://g.example/large.mp4", "source": "https://g.example/small.mp4"}
FACTS = {"seconds": 8.0, "width": 1920, "height": 1080, "size_bytes": 1}
SCALED: dict[str, Any] = {
    **FILM,
    **FACTS,
    "request": {
        "upsample_to": "1920x1080",
        "pictures": [{"role": "first", "url": "https://a.example/1.png"}],
    },
    "open": {"polling": "https://g.example/s/1/source/1"},
}


def pictures(*images: str | Upload) -> tuple[GivenPicture, ...]:
    """Give the pictures of a submit as the dialect reads them."""
    given: list[Json | Upload] = [*images]
    action = laozhang.parse(Call(verb="create", fields={"prompt": "x", "images": given}))
    assert isinstance(action, Create)
    return action.draft.pictures


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000/1.png", "http://[::1]/1.png", "http://10.0.0.5/1.png", "http://images/1.png"]
)  # fmt: skip
def test_a_private_address_is_left_to_the_guard_which_an_operator_may_open(address: str) -> None:
    assert pictures(address) == (GivenPicture(address, field="images[0]"),)


def test_a_file_and_a_data_uri_are_pictures_too() -> None:
    read = pictures(Upload(b"1", "a.png"), "data:image/png;base64,Mg==")
    assert [picture.source for picture in read] == [Upload(b"1", "a.png"), Upload(b"2")]


@pytest.mark.parametrize("form", ["", "source"])
@pytest.mark.parametrize("strict", [True, False])
def test_the_first_film_that_a_client_finds_in_the_text_is_the_one_that_was_asked_for(
    form: str, strict: bool
) -> None:
    body = laozhang.render(Status(shown("1", "succeeded", SCALED), form), strict=strict).body
    found = re.search(r"https?://[^\"]+\.mp4", json.dumps(body))
    assert found is not None
    assert found[0] == FILM["video"]


@pytest.mark.parametrize("state", ["queued", "preparing", "generating", "upsampling", "collecting"])
def test_the_polled_page_says_that_a_film_is_not_done(state: str) -> None:
    body = laozhang.render(Status(shown("1", state, {"progress": 0}), "source"), strict=False).body
    assert body["status"] not in {"completed", "failed"}
    assert "data" not in body
