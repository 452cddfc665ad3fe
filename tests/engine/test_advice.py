"""What is suggested instead of a film that is too dear can be made, and paid."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from filmgate.domain.catalogue import read_catalogue
from filmgate.domain.contracts_provider import ANIMATIC, Power
from filmgate.domain.request import Draft, GivenPicture, NamedSource, PictureRole, SourceKind
from filmgate.domain.specify import specify
from filmgate.engine.advice import Wish, affordable, without_pictures
from filmgate.engine.route import Access, Router, RouteRule, Via

CATALOGUE = read_catalogue([files("filmgate").joinpath("catalogue.toml").read_text("utf-8")])
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUGGESTION = re.compile(r"Choose (?:(\d+) s \(\$([\d.]+)\))?(?: or )?(?:([\w.-]+) \(\$([\d.]+)\))?\.")


class Vendor:
    replays = None
    powers = frozenset(Power)


def router(*patterns: str) -> Router:
    rules = [RouteRule(pattern, (Via("vendor", "x"),)) for pattern in patterns]
    return Router(rules, [Access("vendor", 1, Vendor())])  # type: ignore[arg-type]  # never asked here


EVERYBODY = router("*")


def advice(
    within_micros: int, dialect: str = "gate", served: Router = EVERYBODY, **wanted: Any
) -> tuple[str | None, ...]:
    draft = Draft(**{"model": "sora-2", "prompt": "x", "seconds": "12", "size": "1280x720"} | wanted)
    request = specify(draft, dialect, CATALOGUE).request
    said = affordable(Wish(draft, dialect, request, within_micros, NOW), CATALOGUE, served)
    found = SUGGESTION.fullmatch(said.get("suggestion", ""))
    assert (found is None) == (not said)
    return (None,) * 4 if found is None else found.groups()


def test_the_longest_film_and_another_model_that_fit_are_named() -> None:
    assert advice(800_000) == ("8", "0.80", None, None)
    seconds, price, model, other = advice(3_000_000, model="veo3.1", seconds="8")
    assert (seconds, price) == ("6", "2.40")
    assert model is not None
    assert 2.4 < float(other or "0") <= 3


@pytest.mark.parametrize("within", [-1, 0, 49_999, 400_000, 600_000, 1_199_999])
@pytest.mark.parametrize("dialect", ["gate", "openai", "yishang", "unified"])
@pytest.mark.parametrize("model", ["sora-2", "veo3.1"])
def test_all_that_is_suggested_can_be_asked_for_and_paid(within: int, dialect: str, model: str) -> None:
    if model not in {one.name for one in CATALOGUE.models if dialect in one.offers}:
        return
    draft = Draft(model=model, prompt="x", size="1280x720")
    longest = str(CATALOGUE.find(model, dialect)[1].seconds.allowed[-1])
    seconds, _, other, _ = advice(within, dialect, model=model, seconds=longest)
    for asked in (
        replace(draft, seconds=seconds) if seconds else None,
        replace(draft, model=other, seconds=longest) if other else None,
    ):
        if asked is not None:
            found = specify(asked, dialect, CATALOGUE).request
            assert CATALOGUE.prices.price(found, NOW).amount_micros <= within
            assert str(found.size) == "1280x720"


def test_nothing_is_suggested_that_nobody_here_makes_or_that_is_no_film() -> None:
    assert advice(800_000, served=router("sora-2"))[2:] == (None, None)
    assert advice(0) == (None,) * 4
    assert ANIMATIC not in str(advice(1_000))


def test_no_shorter_film_where_a_dialect_has_no_word_for_its_length() -> None:
    assert advice(10_000_000, "laozhang", model="veo3", seconds=None, size=None)[0] is None


def test_what_goes_on_from_another_film_has_no_alternative() -> None:
    request = specify(Draft(model="sora-2", prompt="x"), "gate", CATALOGUE).request
    draft = Draft(model="sora-2", prompt="x", source=NamedSource(SourceKind.REMIX, "video_1", "id"))
    assert affordable(Wish(draft, "gate", request, 100, NOW), CATALOGUE, EVERYBODY) == {}


def test_a_film_that_was_refused_without_a_word_is_tried_without_its_pictures() -> None:
    picture = GivenPicture("https://a.example/1.png", PictureRole.FIRST, "image")
    request = specify(Draft(model="sora-2", prompt="x", pictures=(picture,)), "gate", CATALOGUE).request
    said = without_pictures(CATALOGUE, request, "content_refused")
    assert said["suggestion"] == "Try without the pictures first."
    assert without_pictures(CATALOGUE, request, "provider_failed") == {}
    bare = specify(Draft(model="sora-2", prompt="x"), "gate", CATALOGUE).request
    assert without_pictures(CATALOGUE, bare, "content_refused") == {}
