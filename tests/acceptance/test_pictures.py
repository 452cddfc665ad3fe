"""Pictures: every form that clients send them in, and what becomes of a task whose picture is none."""

import base64
import io
import json
import time
from typing import Any

import av
import pytest
from PIL import Image, ImageStat

from kit.gates import Answer, RealGate
from kit.pictures import SILENT_S
from kit.wires import File, Json, picture, post_form

UPLOADED = None
each = pytest.mark.parametrize("dialect", ["yishang", "openai", "newapi"])


def given(content: bytes | None = None) -> str:
    return f"data:image/png;base64,{base64.b64encode(content or picture(64, 64)).decode()}"


def pictures_of(gate: RealGate, answer: Answer) -> list[Any]:
    """Give the addresses of a task's pictures in order, None for what was sent itself."""
    assert answer.status == 200, answer.body
    path = f"/v1/video/query?id={answer.headers['x-filmgate-task']}"
    images = gate.ask("GET", path, key=gate.key).json["detail"]["images"]
    return [image.get("url") for image in images]


def json_of(gate: RealGate, path: str, **fields: Any) -> list[Any]:
    body = {"model": "animatic", "prompt": "from a picture --sandbox=fail", **fields}
    return pictures_of(gate, gate.ask("POST", path, json_body=body, key=gate.key))


def form_of(gate: RealGate, path: str, *parts: tuple[str, str | File]) -> list[Any]:
    named = [("model", "animatic"), ("prompt", "from a picture --sandbox=fail"), *parts]
    return pictures_of(gate, post_form(gate, path, named, gate.key))


@pytest.fixture(scope="module")
def nowhere(pictures: str) -> tuple[str, str]:
    """Two addresses; nothing is there, so that whatever begins with one of them ends at once."""
    return f"{pictures}/one.png", f"{pictures}/two.png"


@each
def test_input_reference_is_read_in_every_form_of_a_json_body(
    gate: RealGate, nowhere: tuple[str, str], dialect: str
) -> None:
    path, (one, two) = f"/{dialect}/v1/videos", nowhere
    forms: list[tuple[Any, list[Any]]] = [
        (one, [one]),
        (f" `{one}` ", [one]),
        ([one, two], [one, two]),
        (given(), [UPLOADED]),
        ({"image_url": one}, [one]),
        ({"image_url": {"url": one}}, [one]),
        ([{"image_url": one}, {"url": two}], [one, two]),
        (json.dumps([one, two]), [one, two]),
    ]
    assert [json_of(gate, path, input_reference=said) for said, _ in forms] == [wanted for _, wanted in forms]


@each
def test_input_reference_is_read_in_every_form_of_a_form(
    gate: RealGate, nowhere: tuple[str, str], dialect: str
) -> None:
    path, (one, two) = f"/{dialect}/v1/videos", nowhere
    name, bracket, file = "input_reference", "input_reference[]", File(picture(64, 64))
    forms: list[tuple[list[tuple[str, str | File]], list[Any]]] = [
        ([(name, file)], [UPLOADED]),
        ([(bracket, file), (bracket, one)], [UPLOADED, one]),
        ([(name, one), (name, given())], [one, UPLOADED]),
        # Some clients send a file's bytes and do not say that they are one.
        ([(name, File(picture(64, 64), None))], [UPLOADED]),
        ([(f"{name}[image_url]", one)], [one]),
        ([("image_url", one), ("images[0]", one), ("images[1]", two)], [one, two]),
    ]
    assert [form_of(gate, path, *parts) for parts, _ in forms] == [wanted for _, wanted in forms]


def test_each_dialect_reads_pictures_under_its_kins_names(gate: RealGate, nowhere: tuple[str, str]) -> None:
    one, two = nowhere
    for path in ("/v1/video/create", "/veo/v1/api/video/submit", "/newapi/v1/videos", "/yishang/v1/videos"):
        for fields, wanted in (
            ({"images": [one, two]}, [one, two]),
            ({"image": one, "images": [one]}, [one]),
            ({"first_frame_image": one, "last_frame_image": two}, [one, two]),
            ({"image": one, "metadata": {"image_end": two}}, [one, two]),
            ({"image_urls": [one]}, [one]),
        ):
            assert json_of(gate, path, **fields) == wanted, (path, fields)


def test_the_documents_second_field_of_the_name_seconds_is_a_picture(gate: RealGate) -> None:
    file = File(picture(64, 64))
    assert form_of(gate, "/yishang/v1/videos", ("seconds", "5"), ("seconds", file)) == [UPLOADED]


def test_a_film_begins_with_the_first_picture_and_ends_with_the_last(gate: RealGate, pictures: str) -> None:
    # A redirect is followed as far as each step may be.
    id_ = gate.make(image=f"{pictures}/moved.png", last_image=f"{pictures}/blue.png")
    film = gate.ask("GET", gate.ended(id_)["urls"]["video"]).body
    with av.open(io.BytesIO(film), mode="r") as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    for frame, name in ((frames[0], "red"), (frames[-1], "blue")):
        wanted = Image.open(io.BytesIO(gate.ask("GET", f"{pictures}/{name}.png").body))
        distance = [abs(a - b) for a, b in zip(_middle(frame), _middle(wanted), strict=True)]
        assert max(distance) < 12, (name, distance)


def _middle(image: Image.Image) -> list[float]:
    """Give the mean colour of an image's middle, where nothing is captioned."""
    width, height = image.size
    box = (width // 4, height // 4, width * 3 // 4, height * 3 // 4)
    return ImageStat.Stat(image.convert("RGB").crop(box)).mean


BAD = {
    "page.html": ("picture_unusable", "no picture"),
    "truncated.jpg": ("picture_unusable", "ends before"),
    "animation.gif": ("picture_unusable", "GIF"),
    "vast.png": ("picture_too_large", "6000x5000"),
    "bomb.png": ("picture_too_large", "pixels"),
    "large.png": ("picture_too_large", "20 MiB"),
    "nowhere.png": ("picture_unreachable", "404"),
    "inward.png": ("picture_denied", ""),
    "metadata.png": ("picture_denied", ""),
}
# Where each dialect's answer says why a task failed, and in what words the place of the picture.
REASONS = {
    "/v1/video/query?id={}": ("error",),
    "/veo/v1/api/video/status/{}": ("data", "error", "message"),
    "/newapi/v1/videos/{}": ("error",),
    "/v1/video/generations/{}": ("data", "fail_reason"),
    "/yishang/v1/videos/{}": ("error", "message"),
    "/openai/v1/videos/{}": ("error", "message"),
}


@pytest.fixture(scope="module")
def failed(gate: RealGate, pictures: str) -> dict[str, Json]:
    """Tasks whose second picture is none, each when it has ended."""
    made = {name: gate.make(image=f"{pictures}/red.png", last_image=f"{pictures}/{name}") for name in BAD}
    return {name: gate.ended(id_) for name, id_ in made.items()}


@pytest.mark.parametrize("name", BAD)
def test_what_only_fetching_shows_ends_the_task_free_and_names_the_picture(
    gate: RealGate, failed: dict[str, Json], name: str
) -> None:
    task, (code, reason) = failed[name], BAD[name]
    assert (task["state"], task["error"]["code"], task["attempts"]) == ("failed", code, [])
    assert (task["cost_micros"], task["film"]) == (0, None)
    assert "last_image" in task["error"]["message"]
    assert reason in task["error"]["message"]
    # Whoever names an inner address learns nothing of it.
    assert "127.0.0.1" not in task["error"]["message"]
    assert "169.254" not in task["error"]["message"]
    for path, keys in REASONS.items():
        answer = gate.ask("GET", path.format(task["id"]), key=gate.key)
        said: Any = answer.json
        for key in keys:
            said = said[key]
        assert answer.status == 200, path
        assert "last_image" in said, path
        assert answer.headers["x-filmgate-cost"].partition(";")[0] == "0"
    detail = gate.ask("GET", f"/v1/video/query?id={task['id']}", key=gate.key).json["detail"]
    assert [image["status"] for image in detail["images"]] == ["completed", "failed"]


@pytest.mark.parametrize("name", ["truncated.jpg", "vast.png", "bomb.png"])
def test_a_file_that_only_decoding_shows_to_be_unusable_ends_its_task_the_same_way(
    gate: RealGate, pictures: str, name: str
) -> None:
    file = File(gate.ask("GET", f"{pictures}/{name}").body, name)
    parts: list[tuple[str, str | File]] = [
        ("model", "sora-2"),
        ("prompt", "a boat"),
        ("input_reference", file),
    ]
    answer = post_form(gate, "/yishang/v1/videos", parts, gate.key)
    assert answer.status == 200, answer.body
    task = gate.ended(answer.headers["x-filmgate-task"])
    assert (task["state"], task["error"]["code"], task["cost_micros"]) == ("failed", BAD[name][0], 0)
    assert "input_reference" in task["error"]["message"]
    shown = gate.ask("GET", f"/v1/videos/{answer.json['task_id']}", key=gate.key).json
    assert (shown["status"], shown["error"]["message"]) == ("failed", shown["fail_reason"])


def test_a_file_over_the_limit_is_refused_at_once(gate: RealGate) -> None:
    file = File(picture(64, 64) + bytes(21 * 2**20))
    for dialect in ("yishang", "openai", "newapi"):
        answer = post_form(gate, f"/{dialect}/v1/videos", [("input_reference", file)], gate.key)
        assert answer.status in {400, 413}, answer.body
        assert answer.headers["x-filmgate-dialect"] == dialect


@pytest.mark.slow
def test_a_picture_that_does_not_begin_in_time_ends_its_task(gate: RealGate, pictures: str) -> None:
    began = time.monotonic()
    task = gate.ended(gate.make(image=f"{pictures}/silent.png"))
    assert time.monotonic() - began < SILENT_S
    assert (task["state"], task["error"]["code"], task["cost_micros"]) == ("failed", "picture_unreachable", 0)
