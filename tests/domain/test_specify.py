"""What a request comes to: pictures and their roles, sizes, clips, and the models of the documents."""

from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest

from filmgate.domain.catalogue import read_catalogue
from filmgate.domain.plan import ClipRole, plan
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, GivenPicture, NamedSource, PictureRole, Source, SourceKind
from filmgate.domain.size import Size
from filmgate.domain.specify import EarlierFilm, specify
from kit.films import film_request

CATALOGUE = read_catalogue([files("filmgate").joinpath("catalogue.toml").read_text("utf-8")])


def given(*roles: PictureRole | None) -> tuple[GivenPicture, ...]:
    return tuple(GivenPicture(f"https://a.example/{no}.png", role) for no, role in enumerate(roles))


@pytest.mark.parametrize(
    ("model", "dialect", "roles", "meant"),
    [
        ("veo3", "laozhang", [None], ["first"]),
        ("veo3", "laozhang", [None, None], ["reference", "reference"]),
        ("veo3", "laozhang", [None] * 5, ["reference"] * 3),
        ("veo3-pro-frames", "laozhang", [None] * 5, ["first", "last"]),
        ("veo2-fast-frames", "unified", [None, None], ["first", "last"]),
        ("veo2-fast-components", "unified", [None], ["reference"]),
        ("veo3.1", "unified", [PictureRole.LAST, None], ["first", "last"]),
        ("veo_3_1-fast-remix", "newapi", [None] * 3, ["reference"] * 3),
        ("veo_3_1-fast-fl-remix", "newapi", [None, None], ["first", "last"]),
        ("animatic", "gate", [PictureRole.REFERENCE] * 3, ["reference"] * 3),
        ("veo3.1", "yishang", [None] * 3, ["reference"] * 3),
        ("veo3.1", "yishang", [None] * 2, ["first", "last"]),
    ],
)
def test_a_picture_means_what_its_model_makes_of_its_place(
    model: str, dialect: str, roles: list[PictureRole | None], meant: list[str]
) -> None:
    draft = Draft(model=model, prompt="x", prompt_extend="y", pictures=given(*roles))
    found = specify(draft, dialect, CATALOGUE)
    assert [picture.role.value for picture in found.request.pictures] == meant
    assert len(found.warnings) == (len(meant) < len(roles))


@pytest.mark.parametrize(
    ("model", "dialect", "roles"),
    [
        ("veo3", "laozhang", [None] * 6),
        ("veo2-fast-components", "unified", []),
        ("veo2-fast-components", "unified", [None] * 4),
        ("veo_3_1-fl-remix", "newapi", []),
        ("veo_3_1-fl-remix", "newapi", [None] * 3),
        ("veo_3_1-remix", "newapi", [None] * 4),
        ("sora-2", "yishang", [None] * 2),
        ("sora-2", "yishang", [PictureRole.REFERENCE]),
        ("veo3.1", "unified", [PictureRole.LAST]),
        ("animatic", "gate", [PictureRole.FIRST, PictureRole.REFERENCE]),
        ("veo_3_1-fast-extend", "newapi", [None]),
    ],
)
def test_too_many_pictures_too_few_or_such_as_do_not_go_together_are_refused(
    model: str, dialect: str, roles: list[PictureRole | None]
) -> None:
    draft = Draft(model=model, prompt="x", prompt_extend="y", pictures=given(*roles))
    with pytest.raises(Problem) as raised:
        specify(draft, dialect, CATALOGUE)
    assert (raised.value.code, raised.value.field) == ("pictures_unsupported", "input_reference")


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({"size": "406x720"}, "720x1280"),
        ({"aspect_ratio": "9:16"}, "720x1280"),
        ({"aspect_ratio": "9:16", "resolution": "1080p"}, "1080x1920"),
        ({"size": "720P", "aspect_ratio": "9:16"}, "720x1280"),
        ({"size": "16:9"}, "1280x720"),
        ({"size": "1920×1080"}, "1920x1080"),
        ({"resolution": "1080P"}, "1920x1080"),
        ({"resolution": "4k"}, "1280x720"),
    ],
)
def test_a_size_is_read_in_every_spelling(said: dict[str, Any], size: str) -> None:
    assert str(specify(Draft(model="veo3.1", prompt="x", **said), "gate", CATALOGUE).request.size) == size


def test_a_film_of_two_clips_shares_its_progress_and_one_that_is_taken_over_has_all_of_it() -> None:
    two = plan(film_request("x", clips=(8, 7)), provider_upsamples=True)
    assert [two.progress(no, share) for no, share in ((1, 0), (1, 99), (2, 0), (2, 99))] == [0, 49, 50, 99]
    scaled = plan(film_request("x", clips=(8,), upsample_to=Size(1920, 1080)), provider_upsamples=True)
    assert [clip.role for clip in scaled.clips] == [ClipRole.FIRST, ClipRole.UPSAMPLE]
    source = Source(SourceKind.EXTEND, UUID(int=1), "video_1")
    taken = plan(film_request("x", clips=(8, 7), source=source), provider_upsamples=False)
    assert (taken.extends, taken.first_made, taken.progress(2, 40)) == (True, 2, 40)


def test_what_makes_no_sense_as_an_extension_is_named() -> None:
    with pytest.raises(Problem) as raised:
        specify(Draft(model="veo_3_1-remix", prompt="x", prompt_extend=" "), "newapi", CATALOGUE)
    assert (raised.value.code, raised.value.field) == ("missing_parameter", "prompt_extend")
    with pytest.raises(Problem) as raised:
        specify(Draft(model="veo_3_1-fast-extend", prompt="x"), "newapi", CATALOGUE)
    assert (raised.value.code, raised.value.field) == ("missing_parameter", "remix_id")


def test_a_field_is_named_as_its_client_spelled_it() -> None:
    draft = Draft(model="sora-2", prompt="x", seconds="99", spelled={"seconds": "duration"})
    with pytest.raises(Problem) as raised:
        specify(draft, "yishang", CATALOGUE)
    assert raised.value.field == "duration"


SEEDS = {
    "laozhang": "veo3 veo3-fast veo3-pro veo3-pro-frames",
    "unified": "veo2 veo2-fast veo2-fast-frames veo2-fast-components veo2-pro veo3 veo3-fast veo3-pro veo3-pro-frames",
    "newapi": "veo_3_1-fast-remix veo_3_1-fast-fl-remix veo_3_1-fast-hd-remix veo_3_1-fast-fl-hd-remix "
    "veo_3_1-hd-remix veo_3_1-hd-fl-remix veo_3_1-remix veo_3_1-fl-remix",
    "yishang": "sora-2 sora-2-hd sora-2-pro veo3 veo3-pro veo3.1 veo3.1-pro",
}


@pytest.mark.parametrize("dialect", SEEDS)
def test_every_model_of_a_document_is_offered_to_its_dialect(dialect: str) -> None:
    for name in SEEDS[dialect].split():
        assert CATALOGUE.find(name, dialect)[0].name == name


def test_what_a_client_notes_is_kept_within_its_limit_and_pictures_are_not_among_it() -> None:
    noted = {"order": "A-1", "image_end": "data:image/png;base64,AAAA"}
    draft = Draft(model="veo3.1", prompt="x", metadata=noted)
    assert specify(draft, "gate", CATALOGUE).request.metadata == {"order": "A-1"}
    with pytest.raises(Problem) as raised:
        specify(Draft(model="veo3.1", prompt="x", metadata={"a": "x" * 20_000}), "gate", CATALOGUE)
    assert (raised.value.code, raised.value.field) == ("invalid_parameter", "metadata")


def earlier(seconds: int, kind: SourceKind = SourceKind.EXTEND, model: str = "veo3.1") -> EarlierFilm:
    return EarlierFilm(Source(kind, UUID(int=1), "1"), Size(1280, 720), seconds, None, model)


def test_a_film_is_extended_up_to_half_a_minute_by_a_model_that_can() -> None:
    named = NamedSource(SourceKind.EXTEND, "1", "task_id")
    draft = Draft(model="veo3.1", prompt="x", source=named)
    assert specify(draft, "unified", CATALOGUE, earlier=earlier(22)).request.clips == (22, 7)
    for wrong, seconds in ((draft, 24), (replace(draft, model="sora-2"), 8)):
        with pytest.raises(Problem) as raised:
            specify(wrong, "unified", CATALOGUE, earlier=earlier(seconds))
        assert (raised.value.code, raised.value.field) == ("source_unusable", "task_id")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"model": "sora-2"}, "model"),
        ({"seconds": "4"}, "seconds"),
        ({"seconds": "012"}, None),
        ({"seconds": "1e1"}, "seconds"),
        ({"size": "1920x1080"}, "size"),
        ({"size": "720x1280"}, "size"),
        ({"aspect_ratio": "9:16"}, "aspect_ratio"),
        ({"resolution": "1080p"}, "resolution"),
        ({"size": "1280x720", "seconds": "12", "aspect_ratio": "16:9"}, None),
        ({}, None),
    ],
)
def test_a_remix_is_the_kind_of_film_that_it_varies_and_says_nothing_else(
    said: dict[str, str], field: str | None
) -> None:
    named = NamedSource(SourceKind.REMIX, "1", "id")
    source = earlier(12, SourceKind.REMIX, "sora-2-pro")
    draft = Draft(**{"model": "sora-2-pro", "prompt": "x", "source": named, **said})  # type: ignore[arg-type]  # texts all
    if field is None:
        found = specify(draft, "openai", CATALOGUE, earlier=source).request
        assert (found.model, found.clips, found.size) == ("sora-2-pro", (12,), source.size)
        return
    with pytest.raises(Problem) as raised:
        specify(draft, "openai", CATALOGUE, earlier=source)
    assert (raised.value.code, raised.value.field) == ("invalid_parameter", field)
