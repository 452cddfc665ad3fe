from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filmgate.cli.demo.film import Phase, Seen
from filmgate.cli.demo.orders import DUSK_URL, NIGHT_URL, ORDERS
from filmgate.cli.errors import EXIT_TEXTS, WORDINGS, Exit
from filmgate.cli.measures import age, clip_lengths, clock_time, expiry, file_size, money, seconds_of
from filmgate.cli.models import pictures, spans
from filmgate.cli.naming import film_name, put_in_place
from filmgate.cli.text import STATES, Text, folded, printable
from filmgate.dialects import DIALECTS
from filmgate.domain.states import ENDS, State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A paper boat", "a-paper-boat.mp4"),
        ("雨巷里的纸船", "雨巷里的纸船.mp4"),
        ("a paper boat on a rainy street / 雨巷里的纸船", "a-paper-boat-on-a-rainy-street-雨巷里的纸船.mp4"),
        ("a cat --sandbox=fail", "a-cat.mp4"),
        ("../../etc/passwd", "etc-passwd.mp4"),
        ("  ?! ", "film.mp4"),
        ("NUL", "film-nul.mp4"),
        ("one two " * 20, "one-two-one-two-one-two-one-two-one-two-one-two.mp4"),
        ("雨" * 80, "雨" * 48 + ".mp4"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full-width.mp4"),
    ],
)
def test_a_film_is_named_after_its_prompt(prompt: str, name: str) -> None:
    assert film_name(prompt) == name


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").write_text("mine")
    for number in (2, 3):
        part = tmp_path / "part"
        part.write_text("new")
        assert put_in_place(part, tmp_path / "boat.mp4") == tmp_path / f"boat-{number}.mp4"
    assert (tmp_path / "boat.mp4").read_text() == "mine"


@pytest.mark.parametrize(
    ("given", "said"), [(0.2, "0:00"), (5, "0:05"), (59.7, "1:00"), (118, "1:58"), (3727, "1:02:07")]
)
def test_a_time_is_said_as_a_clock(given: float, said: str) -> None:
    assert clock_time(given) == said


@pytest.mark.parametrize(
    ("size", "said"), [(812, "812 B"), (1_100_000, "1.1 MB"), (24_000_000, "24 MB"), (999, "999 B")]
)
def test_a_size_is_said_in_two_digits(size: int, said: str) -> None:
    assert file_size(size) == said


@pytest.mark.parametrize(
    ("micros", "said"),
    [
        (0, "$0.00"),
        (400_000, "$0.40"),
        (805_000, "$0.805"),
        (399_999, "$0.399999"),
        (1_230, "$0.00123"),
        (5_000, "$0.0050"),
        (5, "$0.000005"),
        (-1_000_001, "-$1.000001"),
        (10**12, "$1000000.00"),
    ],
)
def test_money_is_said_exactly_to_the_cent_or_as_far_as_it_goes(micros: int, said: str) -> None:
    assert money(micros) == said


def test_a_reason_that_is_a_sentence_ends_once() -> None:
    bug = Text("A bug: {reason}. Run it again.", "错误：{reason}。请重试。")
    assert bug.said("en", reason="it broke.") == "A bug: it broke. Run it again."
    assert bug.filled(reason="it broke!").en == "A bug: it broke! Run it again."


@pytest.mark.parametrize(
    ("before", "said"), [(5, "5s"), (720, "12m"), (10_800, "3h"), (200_000, "2d"), (-3, "0s")]
)
def test_an_age_is_coarse(before: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=before), NOW) == said


@pytest.mark.parametrize(
    ("written", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("2 h", 7200), ("1.5d", 129600)]
)
def test_a_duration_is_read_in_any_unit(written: str, seconds: float) -> None:
    assert seconds_of(written) == seconds


def test_an_expiry_is_a_duration_or_a_date() -> None:
    assert expiry("30d", NOW) == NOW + timedelta(days=30)
    assert expiry("2030-01-02T03:04:05Z", NOW) == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert expiry("2030-01-02", NOW).tzinfo is not None
    with pytest.raises(ValueError, match="2026-12-31"):
        expiry("next week", NOW)


def test_lengths_are_said_as_a_span_or_a_list() -> None:
    assert (spans([4, 5, 6]), spans([4, 8]), spans([8])) == ("4-6", "4, 8", "8")


def test_what_would_move_the_cursor_becomes_a_space() -> None:
    assert printable("a\x1b[2J\tb\nc\x9b雨") == "a [2J b c 雨"


def test_every_state_of_the_gate_has_a_word_in_both_languages() -> None:
    assert set(STATES) == set(State)
    assert all(word.en and word.zh for word in STATES.values())
    assert {state for state in STATES if State(state).ended} == ENDS


def test_every_end_is_said_in_both_languages() -> None:
    assert set(EXIT_TEXTS) == set(Exit)
    texts = [*EXIT_TEXTS.values(), *(wording.text for wording in WORDINGS.values())]
    assert all(text.en and text.zh for text in texts)


def test_the_demo_asks_in_the_words_of_the_dialects_own_documents() -> None:
    urls = {DUSK_URL: "http://127.0.0.1:1/dusk.png", NIGHT_URL: "http://127.0.0.1:1/night.png"}
    asked = {order.tongue.name: order.filled(urls) for order in ORDERS if not order.form}
    del asked["openai"]
    assert asked == {
        "laozhang": {
            "prompt": "一只猫咪在雨夜散步,准备抓一只老鼠",
            "model": "veo3",
            "images": ["http://127.0.0.1:1/night.png"],
            "enhance_prompt": True,
        },
        "unified": {
            "model": "veo3.1-fast",
            "images": ["http://127.0.0.1:1/dusk.png"],
            "prompt": "make animate",
            "aspect_ratio": "16:9",
            "enhance_prompt": True,
            "enable_upsample": True,
        },
        "yishang": {
            "model": "sora-2",
            "prompt": "A cat playing piano in the garden",
            "size": "720x1280",
            "seconds": "5",
            "input_reference": ["http://127.0.0.1:1/dusk.png"],
        },
    }


def test_the_demo_speaks_every_dialect_of_the_gate() -> None:
    assert {order.tongue.name for order in ORDERS} == {dialect.NAME for dialect in DIALECTS}


def test_what_was_seen_of_a_film_is_told_in_one_line() -> None:
    phases = [
        Phase("queued", [0]),
        Phase("processing", [12, 40, 87]),
        Phase("upsampling", [90, 90]),
        Phase("completed", [100]),
    ]
    said = "queued → processing 12-87 % → upsampling 90 % → completed"
    assert (Seen(ORDERS[0], "0", phases=phases).story, Seen(ORDERS[0], "0").story) == (said, "")


def test_the_clips_of_a_film_are_added_up() -> None:
    assert (clip_lengths([8]), clip_lengths([8, 7])) == ("8 s", "8 + 7 s")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, []),
        ({"first": 1}, ["1 frame"]),
        ({"first": 1, "last": 1, "reference": 3}, ["2 frames", "3 refs"]),
        ({"reference": 3}, ["3 refs"]),
    ],
)
def test_the_pictures_that_a_model_takes_are_frames_or_references(
    counts: dict[str, int], said: list[str]
) -> None:
    assert [text.en for text in pictures(counts)] == said


@pytest.mark.parametrize(
    ("text", "width", "said"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 7, "one two\nthree"),
        ("Back: `filmgate tasks watch ID` · Stop", 20, "Back:\n`filmgate tasks watch ID`\n· Stop"),
        ("first\n  second", 20, "first\nsecond"),
        ("该视频需付费，请充值后重试。", 10, "该视频需付费，请充值后重试。"),
        ("", 10, ""),
    ],
)
def test_a_line_is_broken_between_words_and_never_within_a_command(text: str, width: int, said: str) -> None:
    assert folded(text, width, len) == said
