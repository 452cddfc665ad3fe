"""Sizes, ids, requests, rehearsals and the catalogue: small values with exact rules."""

from datetime import UTC, datetime
from importlib.resources import files
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain import ids
from filmgate.domain.catalogue import BadCatalogueError, read_catalogue
from filmgate.domain.problems import RETRYABLE, WORDINGS, Problem
from filmgate.domain.rehearsal import Rehearsal, cut
from filmgate.domain.request import Draft, FilmRequest, GivenPicture, Picture, PictureRole, Source, SourceKind
from filmgate.domain.size import Size
from filmgate.domain.specify import specify
from filmgate.world import SystemChance
from kit.films import task

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CATALOGUE = read_catalogue([files("filmgate").joinpath("catalogue.toml").read_text("utf-8")])


@pytest.mark.parametrize("text", ["720x1280", "720X1280", "720×1280", " 720 x 1280 "])
def test_a_size_is_read_as_people_write_it(text: str) -> None:
    assert Size.parse(text) == Size(720, 1280)


@pytest.mark.parametrize("text", ["1280*720", "720", "x", "0x720", "720x", "-1x2", "1e3x2", "9999999x1", ""])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("given", "chosen"),
    [("406x720", "720x1280"), ("9:16", "720x1280"), ("16:9", "1280x720"), ("1920x1080", "1920x1080"), ("1:1", "720x1280")],
)  # fmt: skip
def test_a_size_means_the_nearest_ratio_that_the_model_has(given: str, chosen: str) -> None:
    sizes = [Size.parse(text) for text in ("720x1280", "1280x720", "1080x1920", "1920x1080")]
    assert str(Size.parse(given).nearest(sizes)) == chosen


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001  # made aware below
def test_ids_of_ours_are_ordered_by_time_and_say_so(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    made = ids.uuid7(aware, SystemChance())
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert ids.uuid7_floor(aware) <= made
    assert made.int >> 80 == int(aware.timestamp() * 1000)


def test_templates_are_filled_with_enough_chance() -> None:
    def filled(template: str) -> str:
        return ids.fill(template, model="veo3", now=NOW, chance=SystemChance())

    assert len(filled("task_{alnum:32}")) == 37
    assert UUID(filled("{model}:{uuid4}").removeprefix("veo3:")).version == 4
    assert filled("{model}:{unix}-{base64url:10}").startswith("veo3:1795262400-")
    assert len(filled("video_{hex:48}")) == 54
    assert len({filled("{alnum:32}") for _ in range(100)}) == 100


def test_a_key_holds_256_bits_and_shows_little_of_itself() -> None:
    key = ids.new_key(SystemChance())
    assert key.startswith("sk-")
    assert len(key) == 46
    assert 62**43 > 2**256
    assert len(ids.hint(key)) == 11


def test_a_request_survives_the_store() -> None:
    request = FilmRequest(
        model="sora-2",
        prompt="猫",
        prompt_extend=None,
        size=Size(720, 1280),
        clips=(8, 7),
        pictures=(Picture(PictureRole.FIRST, url="https://a.example/1.png"),),
        seed=7,
        sound=True,
        enhance=False,
        upsample_to=Size(1920, 1080),
        soften=True,
        source=Source(SourceKind.EXTEND, UUID(int=1), "video_1", UUID(int=2), 1),
        metadata={"a": [1, {"b": None}]},
    )
    assert FilmRequest.from_json(request.as_json()) == request


def test_rehearsals_are_cut_out_of_the_prompt() -> None:
    assert cut("a cat --sandbox=slow:30 runs --sandbox=retry") == (
        "a cat runs",
        Rehearsal(retry=True, slow_s=30),
    )
    assert cut("a --sandbox=nothing") == ("a --sandbox=nothing", Rehearsal())
    assert cut("--sandbox=fail") == ("", Rehearsal(fail=True))


@pytest.mark.parametrize(
    ("dialect", "draft", "code", "field"),
    [
        ("yishang", Draft(model="sora-2"), "missing_parameter", "prompt"),
        ("yishang", Draft(prompt="x"), "missing_parameter", "model"),
        ("yishang", Draft(prompt="x", model="sora-2-2025-10-06"), "model_not_found", "model"),
        ("openai", Draft(prompt="x", model="sora-2-hd"), "model_not_found", "model"),
        ("yishang", Draft(prompt="x", model="sora-2", seconds="16"), "duration_unsupported", "seconds"),
        ("yishang", Draft(prompt="x", model="veo3", seconds="10"), "duration_unsupported", "seconds"),
        ("openai", Draft(prompt="x", model="sora-2", seconds="5"), "duration_unsupported", "seconds"),
        ("yishang", Draft(prompt="x", model="sora-2", seconds="٥"), "duration_unsupported", "seconds"),
        ("yishang", Draft(prompt="x", model="sora-2", seed="4294967296"), "invalid_parameter", "seed"),
        (
            "yishang",
            Draft(
                prompt="x",
                model="sora-2",
                pictures=(GivenPicture("https://a.example/1.png", PictureRole.LAST),),
            ),
            "pictures_unsupported",
            "input_reference",
        ),
    ],
)
def test_a_draft_is_settled_against_the_catalogue_and_its_field_named(
    dialect: str, draft: Draft, code: str, field: str
) -> None:
    with pytest.raises(Problem) as raised:
        specify(draft, dialect, CATALOGUE)
    assert (raised.value.code, raised.value.field) == (code, field)


@pytest.mark.parametrize(
    ("model", "dialect", "seconds", "size"),
    [
        ("sora-2", "yishang", 10, "720x1280"),
        ("veo3", "yishang", 8, "720x1280"),
        ("sora-2", "openai", 4, "720x1280"),
        ("animatic", "gate", 8, "1280x720"),
    ],
)
def test_what_is_not_said_takes_the_dialects_default(
    model: str, dialect: str, seconds: int, size: str
) -> None:
    request = specify(Draft(model=model, prompt=" a cat "), dialect, CATALOGUE).request
    assert (request.seconds, str(request.size), request.prompt) == (seconds, size, "a cat")


def test_a_catalogue_that_cannot_be_meant_is_refused() -> None:
    offer = '[offers.a]\nseconds = { from = 1, to = 2, default = 3 }\nsizes = ["1x1"]\n'
    with pytest.raises(BadCatalogueError, match="3 s is not one of"):
        read_catalogue([offer])
    row = '[[models]]\nname = "m"\nowner = "o"\nabout = "a"\noffers = { gate = "nothing" }\n'
    with pytest.raises(BadCatalogueError, match="there is no offer nothing"):
        read_catalogue([row])


@pytest.mark.parametrize("code", sorted(WORDINGS))
def test_every_wording_can_be_said_in_both_languages_without_its_parameters(code: str) -> None:
    problem = Problem(code)
    assert problem.text("en") != problem.text("zh")
    assert 400 <= problem.wording.status < 600
    assert 1 <= problem.wording.exit_code <= 130


def test_a_verb_that_ends_with_busy_is_worth_repeating() -> None:
    assert set(WORDINGS) >= RETRYABLE
    assert {code for code, wording in WORDINGS.items() if wording.exit_code == 6} <= RETRYABLE
    never = {"already_ended", "cannot_cancel", "not_uncertain", "not_failed"}
    assert {WORDINGS[code].exit_code for code in never} == {2}
    assert not never & RETRYABLE


@pytest.mark.parametrize(
    ("reason", "en", "zh"),
    [
        (
            "Blocked by our safety system.",
            "Blocked by our safety system. Nothing",
            "Blocked by our safety system。未",
        ),
        ("a face", "a face. Nothing", "a face。未"),
        ("Really?", "Really? Nothing", "Really?未"),
        ("内容违规。", "内容违规. Nothing", "内容违规。未"),
        ("wait...", "wait. Nothing", "wait。未"),
    ],
)
def test_a_reason_that_is_a_sentence_of_its_own_ends_once(reason: str, en: str, zh: str) -> None:
    problem = Problem("content_refused", reason=reason)
    assert f"refused this request: {en} was charged." in problem.text("en")
    assert f"该请求：{zh}扣费。" in problem.text("zh")


def test_the_name_of_a_task_is_what_its_dialect_shows() -> None:
    assert task("task_1").name == "task_1"
