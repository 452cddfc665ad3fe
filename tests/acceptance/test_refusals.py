"""What no dialect accepts: refused at once in its own form, the field named, nothing stored."""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from kit.gates import Answer, RealGate
from kit.wires import File, Json, picture, post_form

pytestmark = pytest.mark.usefixtures("nothing_is_stored")


@dataclass(frozen=True, slots=True)
class Wire:
    """How a dialect is spoken to and how it refuses: the keys of its error, and its codes."""

    path: str
    model: str
    limit: int
    """The longest prompt, in characters."""
    most: int
    """The most pictures that the model takes."""
    codes: Json = field(default_factory=dict)
    """Where its code is not the one that most have."""

    def refusal(self, answer: Answer) -> tuple[str, str]:
        """Give code and message; the body has the dialect's keys and no others."""
        body = answer.json
        match self.path.split("/")[1]:
            case "laozhang":
                assert set(body) == {"success", "message", "error_code", "details"}
                assert body["success"] is False
                assert {"field", "reason"} <= set(body["details"])
                return body["error_code"], f"{body['message']} {body['details']['field']}"
            case "unified" | "newapi":
                assert set(body) == {"code", "message", "data"}
                assert body["data"] is None
                return body["code"], body["message"]
            case dialect:
                assert set(body) == {"error"}
                assert set(body["error"]) == {"message", "type", "code"} | (
                    {"param"} if dialect == "openai" else set()
                )
                assert body["error"]["type"] == "invalid_request_error"
                return body["error"]["code"], body["error"]["message"]


PICTURE = "INVALID_IMAGE_URL"
INVALID = dict.fromkeys(
    ("missing_parameter", "invalid_parameter", "prompt_too_long", "duration_unsupported", "pictures_unsupported",
     "picture_denied", "picture_unusable"),
    "invalid_request",
)  # fmt: skip
WIRES = {
    "laozhang": Wire("/laozhang/veo/v1/api/video/submit", "veo3", 2_000, 5, {
        "missing_parameter": "INVALID_PROMPT", "prompt_too_long": "INVALID_PROMPT", "model_not_found": "INVALID_MODEL",
        "pictures_unsupported": PICTURE, "picture_denied": PICTURE, "picture_unusable": PICTURE,
    }),
    "unified": Wire("/unified/v1/video/create", "veo2", 32_000, 1, INVALID),
    "newapi": Wire("/newapi/v1/videos", "veo_3_1-fast", 32_000, 3, INVALID),
    "yishang": Wire("/yishang/v1/videos", "sora-2", 2_000, 1, {
        "model_not_found": "model_not_supported", "picture_denied": "invalid_image_url",
        "picture_unusable": "invalid_image_format",
    }),
    "openai": Wire("/openai/v1/videos", "sora-2", 32_000, 1),
}  # fmt: skip
each = pytest.mark.parametrize("dialect", WIRES)


def refused(gate: RealGate, dialect: str, code: str, *, names: str, **changed: Any) -> None:
    wire = WIRES[dialect]
    body = {"model": wire.model, "prompt": "a boat", **changed}
    answer = gate.ask("POST", wire.path, json_body=body, key=gate.key)
    assert_refused(wire, answer, dialect, code, names)


def assert_refused(wire: Wire, answer: Answer, dialect: str, code: str, names: str) -> None:
    assert answer.status == 400, answer.body
    assert answer.headers["x-filmgate-dialect"] == dialect
    said, message = wire.refusal(answer)
    assert said == wire.codes.get(code, code)
    assert names in message


@each
def test_a_prompt_of_one_character_too_many(gate: RealGate, dialect: str) -> None:
    limit = WIRES[dialect].limit
    refused(gate, dialect, "prompt_too_long", names=str(limit), prompt="长" * (limit + 1))


@each
@pytest.mark.parametrize("prompt", [None, "", " \n\t"])
def test_no_prompt(gate: RealGate, dialect: str, prompt: str | None) -> None:
    refused(gate, dialect, "missing_parameter", names="prompt", prompt=prompt)


@each
@pytest.mark.parametrize("other", WIRES)
def test_a_model_of_another_dialect(gate: RealGate, dialect: str, other: str) -> None:
    alien = {
        "laozhang": "veo3-pro-frames",
        "unified": "veo2-pro-components",
        "newapi": "veo_3_1-hd-remix",
        "yishang": "sora-2-hd",
        "openai": "sora-2-2025-10-06",
    }[other]
    if other == dialect or (other, dialect) == ("laozhang", "unified"):
        alien = "sora-9"
    refused(gate, dialect, "model_not_found", names=alien, model=alien)


@each
def test_more_pictures_than_the_model_takes(gate: RealGate, dialect: str) -> None:
    most = WIRES[dialect].most
    images = [f"https://images.example.com/{no}.png" for no in range(most + 1)]
    refused(gate, dialect, "pictures_unsupported", names=str(most), images=images)


@pytest.mark.parametrize(
    ("dialect", "model"),
    [
        ("unified", "veo2-fast-components"),
        ("unified", "veo3-pro-frames"),
        ("newapi", "veo_3_1-fast-fl"),
        ("newapi", "veo_3_1-components"),
    ],
)
def test_no_picture_where_one_is_needed(gate: RealGate, dialect: str, model: str) -> None:
    refused(gate, dialect, "pictures_unsupported", names=model, model=model)


@each
@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/a.png",
        "https://localhost/a.png",
        "https://user@images.example.com/a.png",
        "ftp://images.example.com/a.png",
        "file:///etc/passwd",
        "images.example.com/a.png",
        "https://images.example.com:22/a.png",
    ],
)
def test_an_address_that_is_denied_without_a_look(gate: RealGate, dialect: str, address: str) -> None:
    refused(gate, dialect, "picture_denied", names="images[0]", images=[address])


def test_a_picture_by_plain_http_where_the_document_asks_for_https(gate: RealGate) -> None:
    images = ["http://images.example.com/a.png"]
    refused(gate, "laozhang", "picture_denied", names="images[0]", images=images)


@each
@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_a_file_that_its_first_bytes_show_to_be_none_of_the_kinds(
    gate: RealGate, dialect: str, kind: str
) -> None:
    given = f"data:image/png;base64,{base64.b64encode(picture(64, 64, kind)).decode()}"
    refused(gate, dialect, "picture_unusable", names="images[0]", images=[given])


@each
def test_a_page_sent_as_a_file(gate: RealGate, dialect: str) -> None:
    wire = WIRES[dialect]
    page = File(b"<html>no picture</html>", "picture.png")
    parts: list[tuple[str, str | File]] = [
        ("model", wire.model),
        ("prompt", "a boat"),
        ("input_reference", page),
    ]
    answer = post_form(gate, wire.path, parts, gate.key)
    assert_refused(wire, answer, dialect, "picture_unusable", "input_reference")


@each
@pytest.mark.parametrize(
    "value", ["data:image/png;base64,", "data:image/png;base64,!!", "data:,x", {"a": 1}, 7]
)
def test_a_picture_that_is_neither_a_file_nor_an_address(gate: RealGate, dialect: str, value: Any) -> None:
    wire = WIRES[dialect]
    body = {"model": wire.model, "prompt": "a boat", "images": [value]}
    answer = gate.ask("POST", wire.path, json_body=body, key=gate.key)
    assert answer.status == 400
    said, message = wire.refusal(answer)
    assert said in {"invalid_parameter", "invalid_request", PICTURE}
    assert "images[0]" in message


def test_a_strict_key_reads_the_documented_keys_of_an_error_alone(gate: RealGate, strict_key: str) -> None:
    body = {"model": "veo9", "prompt": "a boat"}
    answer = gate.ask("POST", "/veo/v1/api/video/submit", json_body=body, key=strict_key)
    assert answer.status == 400
    assert set(answer.json) == {"success", "message", "error_code", "details"}
    assert set(answer.json["details"]) == {"field", "reason"}
    assert (answer.json["error_code"], answer.json["details"]["field"]) == ("INVALID_MODEL", "model")


@pytest.mark.parametrize("more", [[], [("prompt_extend", "  ")]])
def test_a_film_of_two_clips_without_its_second_prompt(
    gate: RealGate, strict_key: str, more: list[tuple[str, str | File]]
) -> None:
    parts: list[tuple[str, str | File]] = [("model", "veo_3_1-fast-remix"), ("prompt", "a boat"), *more]
    answer = post_form(gate, "/v1/videos", parts, strict_key)
    assert_refused(WIRES["newapi"], answer, "newapi", "missing_parameter", "prompt_extend")


@pytest.mark.parametrize("field", ["prompt", "prompt_extend"])
def test_a_second_prompt_that_is_too_long_is_named_apart(gate: RealGate, strict_key: str, field: str) -> None:
    said = {"prompt": "a boat", "prompt_extend": "it sails on", field: "x" * 32_001}
    answer = post_form(gate, "/v1/videos", [("model", "veo_3_1-fast-remix"), *said.items()], strict_key)
    assert_refused(WIRES["newapi"], answer, "newapi", "prompt_too_long", f"`{field}`")


def test_json_for_a_film_of_two_clips_by_a_strict_key(gate: RealGate, strict_key: str) -> None:
    for kind in ("application/json", ""):
        answer = gate.ask(
            "POST",
            "/v1/videos",
            json_body={"model": "veo_3_1-fast-remix", "prompt": "a boat", "prompt_extend": "it sails on"},
            headers={"Content-Type": kind} if kind else {},
            key=strict_key,
        )
        assert_refused(WIRES["newapi"], answer, "newapi", "invalid_parameter", "multipart/form-data")


@each
@pytest.mark.parametrize("key", [None, "sk-nobody"])
def test_no_key_or_an_unknown_one(gate: RealGate, dialect: str, key: str | None) -> None:
    wire = WIRES[dialect]
    answer = gate.ask("POST", wire.path, json_body={"model": wire.model, "prompt": "a boat"}, key=key)
    assert answer.status == 401
    body = answer.json
    if dialect == "laozhang":
        assert (body["success"], body["error_code"]) == (False, "INVALID_API_KEY")
    else:
        kind = "new_api_error" if dialect in {"unified", "newapi"} else "authentication_error"
        assert (body["error"]["type"], body["error"]["code"]) == (kind, "invalid_api_key")


# The laozhang document has no such field, and further keys are ignored.
@pytest.mark.parametrize("dialect", [dialect for dialect in WIRES if dialect != "laozhang"])
def test_a_length_that_the_model_does_not_have(gate: RealGate, dialect: str) -> None:
    for name in ("seconds",) if dialect == "openai" else ("seconds", "duration"):
        refused(gate, dialect, "duration_unsupported", names=name, **{name: "99"})


def test_a_query_without_an_id_names_it(gate: RealGate) -> None:
    for path in ("/v1/video/query", "/veo/v1/video/query", "/v1/video/query?id="):
        answer = gate.ask("GET", path, key=gate.key)
        assert answer.status == 400
        assert "`id`" in WIRES["unified"].refusal(answer)[1]
