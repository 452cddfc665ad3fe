"""What an error says to programs: only what is known."""

import pytest

from filmgate.domain.details import details
from filmgate.domain.problems import RETRYABLE, WORDINGS
from filmgate.domain.request import Picture, PictureRole
from kit.films import film_request


@pytest.mark.parametrize("code", sorted(WORDINGS))
def test_of_a_bare_code_only_what_its_row_says_is_known(code: str) -> None:
    said = details(code, {}, "en")
    assert (said.field, said.reason, said.suggestion, said.charged_micros) == (None,) * 4
    assert (said.retryable, said.exit_code) == (code in RETRYABLE, WORDINGS[code].exit_code)
    assert said.docs == f"docs/errors.md#{code}"


@pytest.mark.parametrize(
    ("code", "parameters", "culprit"),
    [
        ("content_refused", {"reason": "no"}, "unknown"),
        ("extend_failed", {"cause": "content_refused"}, "unknown"),
        ("extend_failed", {"cause": "provider_failed"}, None),
        ("prompt_too_long", {"field": "messages[0].content"}, "prompt"),
        ("missing_parameter", {"field": "prompt"}, "prompt"),
        ("missing_parameter", {"field": "model"}, None),
        ("duration_unsupported", {"field": "seconds"}, None),
        ("picture_denied", {"field": "images[1]", "input": "last_frame"}, "last_frame"),
        ("source_gone", {}, "source"),
        ("result_lost", {}, "output"),
        ("provider_failed", {"attempts": 2}, None),
    ],
)
def test_the_culprit_is_named_where_it_is_known(
    code: str, parameters: dict[str, str | int], culprit: str | None
) -> None:
    assert details(code, parameters, "en").input == culprit


def test_reasons_and_suggestions_are_in_the_readers_language_where_there_are_two() -> None:
    both = {"reason": "x", "reason_zh": "甲", "suggestion": "y", "suggestion_zh": "乙"}
    for language, texts in (("en", ("x", "y")), ("zh", ("甲", "乙"))):
        said = details("invalid_parameter", both, language, charged_micros=5)
        assert (said.reason, said.suggestion, said.charged_micros) == (*texts, 5)
    assert details("content_refused", {"reason": "a vendor's words"}, "zh").reason == "a vendor's words"


def test_a_picture_is_named_by_what_it_is_for() -> None:
    pictures = [
        Picture(PictureRole.FIRST, url="https://a.example/1.png", field="images[0]"),
        Picture(PictureRole.LAST, url="https://a.example/1.png", field="images[1]"),
        Picture(PictureRole.REFERENCE, url="https://a.example/1.png", field="images[2]"),
        Picture(PictureRole.REFERENCE, url="https://a.example/1.png", field="images[3]"),
    ]
    request = film_request("a boat", pictures=tuple(pictures))
    named = [request.culprit(picture) for picture in pictures]
    assert named == ["first_frame", "last_frame", "reference[1]", "reference[2]"]
