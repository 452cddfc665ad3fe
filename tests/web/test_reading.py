"""What the web reads before any dialect: forms, links, keys, settings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.dialects import DIALECTS
from filmgate.domain.catalogue import read_catalogue
from filmgate.domain.contracts import Call
from filmgate.domain.problems import Problem
from filmgate.domain.request import Upload
from filmgate.domain.task import Owner
from filmgate.secrets import derive, is_operator_token, operator_token
from filmgate.settings import BadSettingsError, Settings
from filmgate.telemetry import redact
from filmgate.web.forms import FormReader, fold
from filmgate.web.links import LinkSigner, file_id
from filmgate.web.select import select

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


class Stopped:
    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return 0.0


def test_brackets_fold_into_objects_and_lists() -> None:
    parts = [
        ("prompt", "x"),
        ("metadata[a]", "1"),
        ("metadata[n][]", "2"),
        ("metadata[n][]", "3"),
        ("input_reference[]", "u1"),
        ("input_reference[]", "u2"),
        ("images", "a"),
        ("images", "b"),
    ]
    assert fold(parts) == {
        "prompt": "x",
        "metadata": {"a": "1", "n": ["2", "3"]},
        "input_reference": ["u1", "u2"],
        "images": ["a", "b"],
    }
    assert fold([("input_reference[image_url]", "u")]) == {"input_reference": [{"image_url": "u"}]}


@pytest.mark.parametrize(
    ("parts", "folded"),
    [
        ([("images[0]", "a"), ("images[1]", "b")], ["a", "b"]),
        ([("images[0][url]", "a")], [{"url": "a"}]),
        ([("images[][url]", "a"), ("images[][url]", "b")], [{"url": "a"}, {"url": "b"}]),
        ([("images[image_url]", "a"), ("images[file_id]", "f")], [{"image_url": "a", "file_id": "f"}]),
    ],
)
def test_pictures_in_brackets_are_a_list(parts: list[tuple[str, str]], folded: list[Any]) -> None:
    assert fold(parts) == {"images": folded}


def test_a_picture_that_does_not_say_it_is_a_file_is_one_by_its_bytes() -> None:
    reader = FormReader("multipart/form-data; boundary=b")
    reader.feed(
        b'--b\r\nContent-Disposition: form-data; name="input_reference"\r\n\r\n\xff\xd8\xff\x00\xfe\r\n--b--\r\n'
    )
    assert reader.fields() == {"input_reference": Upload(b"\xff\xd8\xff\x00\xfe")}


@pytest.mark.parametrize(
    "names", [["prompt", "prompt"], ["a", "a[b]"], ["[x]"], ["a]b"], ["a" + "[b]" * 9], [""]], ids=str
)  # fmt: skip
def test_a_form_that_contradicts_itself_is_refused(names: list[str]) -> None:
    with pytest.raises(Problem) as raised:
        fold([(name, "x") for name in names])
    assert raised.value.code == "malformed_form"


BODY = (
    b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="input_reference"; filename="/tmp/x/../ref.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x00--b\r\n--b--\r\n"
)


@given(st.lists(st.integers(1, len(BODY) - 1), max_size=6).map(sorted))
def test_a_form_is_read_alike_however_it_is_cut(cuts: list[int]) -> None:
    reader = FormReader("multipart/form-data; boundary=b")
    for start, end in zip([0, *cuts], [*cuts, len(BODY)], strict=True):
        reader.feed(BODY[start:end])
    assert reader.fields() == {
        "prompt": "a cat",
        "input_reference": Upload(b"\x89PNG\r\n\x00--b", "ref.png"),
    }


@given(st.binary(max_size=400))
def test_no_bytes_make_the_form_reader_fail_otherwise_than_by_saying_so(noise: bytes) -> None:
    assert complaint(b"--b\r\n" + noise) in {None, "malformed_form", "body_too_large"}


def complaint(body: bytes) -> str | None:
    reader = FormReader("multipart/form-data; boundary=b")
    try:
        reader.feed(body)
        reader.fields()
    except Problem as problem:
        return problem.code
    return None


def test_a_form_has_an_end() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="x%d"\r\n\r\n1\r\n'
    reader = FormReader("multipart/form-data; boundary=b")
    with pytest.raises(Problem, match="malformed_form"):
        reader.feed(b"".join(part % number for number in range(65)))
    reader = FormReader("multipart/form-data; boundary=b")
    with pytest.raises(Problem, match="malformed_form"):
        reader.feed(b"--b\r\nX: " + b"x" * 9000)
    reader = FormReader("multipart/form-data; boundary=b")
    with pytest.raises(Problem, match="body_too_large"):
        reader.feed(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 300_000)


NAME = f"{UUID(int=5).hex}.mp4"
PATH = f"/files/{NAME}"


def test_a_link_holds_for_its_file_and_its_time() -> None:
    signer = LinkSigner([b"new", b"old"], Stopped())
    ticket = signer.sign(NAME).split("/")[2]
    signer.check(ticket, PATH)
    assert file_id(NAME) == UUID(int=5)
    assert signer.sign(NAME) == signer.sign(NAME)
    with pytest.raises(Problem, match="link_invalid"):
        signer.check(ticket, PATH.replace("5", "6"))
    with pytest.raises(Problem, match="link_expired"):
        LinkSigner([b"new"], Stopped(NOW + timedelta(hours=26))).check(ticket, PATH)
    with pytest.raises(Problem, match="link_invalid"):
        LinkSigner([b"other"], Stopped()).check(ticket, PATH)


def test_a_path_that_is_open_is_no_file_and_no_other_path() -> None:
    signer = LinkSigner([b"key"], Stopped())
    _, _, ticket, *path = signer.open("/source/veo3:1").split("/")
    assert path == ["source", "veo3:1"]
    signer.check(ticket, "/s/source/veo3:1")
    for other in ("/s/source/veo3:2", "/files/source/veo3:1", "/source/veo3:1"):
        with pytest.raises(Problem, match="link_invalid"):
            signer.check(ticket, other)


def test_a_link_of_the_old_secret_holds_while_the_secret_is_rotated() -> None:
    ticket = LinkSigner([b"old"], Stopped()).sign(NAME).split("/")[2]
    LinkSigner([b"new", b"old"], Stopped()).check(ticket, PATH)


@given(st.text(max_size=60))
def test_no_text_passes_for_a_link(ticket: str) -> None:
    with pytest.raises(Problem):
        LinkSigner([b"new"], Stopped()).check(ticket, PATH)


def test_the_operator_of_the_machine_is_known_for_ten_minutes() -> None:
    token = operator_token(b"secret", NOW)
    assert is_operator_token(b"secret", token, NOW + timedelta(minutes=9))
    assert not is_operator_token(b"secret", token, NOW + timedelta(minutes=11))
    assert not is_operator_token(b"other", token, NOW)
    assert not is_operator_token(b"secret", "op-9999999999-00", NOW)
    assert derive(b"secret", "links") != derive(b"secret", "pepper")


CATALOGUE = read_catalogue(
    [
        """
        [offers.o]
        seconds = { one_of = [4], default = 4 }
        sizes = ["720x1280"]
        [[models]]
        name = "only-openai"
        owner = "o"
        about = "a"
        offers = { gate = "o", openai = "o" }
        """
    ]
)


@pytest.mark.parametrize(
    ("mount", "key", "fields", "headers", "name"),
    [
        (None, None, {}, {}, "yishang"),
        ("openai", "yishang", {}, {}, "openai"),
        (None, "openai", {}, {}, "openai"),
        (None, "yishang", {}, {"x-stainless-lang": "python"}, "yishang"),
        (None, None, {}, {"x-stainless-lang": "python"}, "openai"),
        (None, None, {}, {"user-agent": "OpenAI/Python 3.54.0"}, "openai"),
        (None, None, {"model": "only-openai"}, {}, "openai"),
        (None, None, {"model": 7}, {}, "yishang"),
    ],
)
def test_the_first_rule_that_applies_chooses_the_dialect(
    mount: str | None, key: str | None, fields: dict[str, Any], headers: dict[str, str], name: str
) -> None:
    call = Call(verb="create", fields=fields, headers=headers)
    assert name == select(DIALECTS, call, Owner(1, 1, dialect=key), CATALOGUE, mount).NAME


def test_logs_let_only_known_fields_through_and_no_secret() -> None:
    said = redact(
        None,
        "info",
        {
            "event": "x",
            "prompt_text": "a canary",
            "reason": "key sk-abcdefghijklmnop failed at /files/179.abc_DEF/1.mp4",
            "headers": {"authorization": "Bearer sk-secret"},
            "url": "https://a.example/?key=secretsecret",
        },
    )
    assert said == {
        "event": "x",
        "reason": "key [redacted] failed at [redacted]/1.mp4",
        "url": "https://a.example/[redacted]",
    }


def test_settings_are_refused_with_their_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FILMGATE_ADMIN_KEY", "FILMGATE_DATA"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "filmgate.toml"
    for text, fault in (
        ("prot = 1", "there is no setting `prot`"),
        ("port = 'x'", "port: Input should be a valid integer"),
        ("port = 99999", "less than or equal to 65535"),
        ("[[providers]]\nname = 'a'\nkind = 'openai'\ncredentials = 'sk-1'", "write `env:NAME`"),
        ("[[routes]]\nmodel = 'x'\nvia = [{ provider = 'b' }]", "goes via `b`, which is no provider"),
        ("x = ", "Invalid value"),
    ):
        file.write_text(text)
        with pytest.raises(BadSettingsError, match=fault.replace("(", r"\(")):
            Settings.load({}, file)


def test_flags_stand_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "filmgate.toml"
    file.write_text("port = 1\nhost = 'h'\nretention_days = 3\n")
    monkeypatch.setenv("FILMGATE_PORT", "2")
    monkeypatch.setenv("FILMGATE_GUARD_ALLOW", "a:1, b:2")
    settings = Settings.load({"host": "flag"}, file)
    assert (settings.port, settings.host, settings.retention_days) == (2, "flag", 3)
    assert settings.guard_allow == {"a:1", "b:2"}
