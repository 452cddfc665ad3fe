"""The 28 model names of the four documents: each is accepted where its document says, and makes the film it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from kit.gates import RealGate
from kit.wires import File, Json, Measure, opened, picture, post_form

PICTURE = "{picture}"
HD, FULL_HD, PORTRAIT = (1280, 720), (1920, 1080), (720, 1280)


@dataclass(frozen=True, slots=True)
class Asked:
    """One name of a document, with what is sent beside it and the film that this promises."""

    dialect: str
    model: str
    seconds: float
    size: tuple[int, int]
    pictures: int = 0
    more: Sequence[tuple[str, Any]] = ()

    @property
    def promised(self) -> Measure:
        return Measure(*self.size, self.seconds)


LAOZHANG = [
    Asked("laozhang", "veo3", 8.0, HD),
    Asked("laozhang", "veo3-fast", 8.0, HD, 1),
    Asked("laozhang", "veo3-pro", 8.0, HD, 3),
    Asked("laozhang", "veo3-pro-frames", 8.0, HD, 2),
]
UNIFIED = [
    Asked("unified", "veo2", 8.0, HD),
    Asked("unified", "veo2-fast", 8.0, HD, 1),
    Asked("unified", "veo2-fast-frames", 8.0, HD, 2),
    Asked("unified", "veo2-fast-components", 8.0, HD, 3),
    Asked("unified", "veo2-pro", 8.0, HD),
    Asked("unified", "veo3", 8.0, PORTRAIT, more=[("aspect_ratio", "9:16")]),
    Asked("unified", "veo3-fast", 8.0, HD, 2),
    Asked("unified", "veo3-pro", 8.0, FULL_HD, more=[("enable_upsample", True)]),
    Asked("unified", "veo3-pro-frames", 8.0, HD, 1),
]
SECOND = ("prompt_extend", "it sails on into the night")
NEWAPI = [
    Asked("newapi", "veo_3_1-fast-remix", 15.0, HD, 3, [SECOND, ("size", "1280x720")]),
    Asked("newapi", "veo_3_1-fast-fl-remix", 15.0, HD, 2, [SECOND]),
    Asked("newapi", "veo_3_1-fast-hd-remix", 15.0, FULL_HD, 0, [SECOND]),
    Asked("newapi", "veo_3_1-fast-fl-hd-remix", 15.0, FULL_HD, 1, [SECOND, ("size", "1920x1080")]),
    Asked("newapi", "veo_3_1-hd-remix", 15.0, (1080, 1920), 1, [SECOND, ("size", "720x1280")]),
    Asked("newapi", "veo_3_1-hd-fl-remix", 15.0, FULL_HD, 2, [SECOND]),
    Asked("newapi", "veo_3_1-remix", 15.0, PORTRAIT, 0, [SECOND, ("size", "720x1280")]),
    Asked("newapi", "veo_3_1-fl-remix", 15.0, HD, 1, [SECOND]),
]
YISHANG = [
    Asked("yishang", "sora-2", 5.0, PORTRAIT, 1, [("seconds", "5"), ("size", "720x1280")]),
    Asked("yishang", "sora-2-hd", 10.0, HD, 0, [("seconds", "10"), ("size", "1280x720")]),
    Asked("yishang", "sora-2-pro", 15.0, PORTRAIT, 0, [("seconds", "15")]),
    Asked("yishang", "veo3", 8.0, HD, 0, [("size", "1280x720")]),
    Asked("yishang", "veo3-pro", 8.0, PORTRAIT, 1),
    Asked("yishang", "veo3.1", 8.0, HD, 2, [("size", "1280x720")]),
    Asked("yishang", "veo3.1-pro", 8.0, PORTRAIT),
]
SEEDS = [*LAOZHANG, *UNIFIED, *NEWAPI, *YISHANG]
PATHS = {
    "laozhang": "/veo/v1/api/video/submit",
    "unified": "/v1/video/create",
    "newapi": "/v1/videos",
    "yishang": "/v1/videos",
}
FIELDS = {"yishang": "input_reference", "newapi": "input_reference[]"}


def submit(gate: RealGate, key: str, asked: Asked, address: str, words: str = "") -> str:
    """Send a model's request as its document has it; give the task's id."""
    prompt = f"a paper boat on a lake, fireflies{words}"
    path, field = PATHS[asked.dialect], FIELDS.get(asked.dialect, "images")
    if asked.dialect == "newapi":
        files = [(field, File(picture(640, 360, colour=colour))) for colour in COLOURS[: asked.pictures]]
        parts = [("model", asked.model), ("prompt", prompt), *asked.more, *files]
        answer = post_form(gate, path, parts, key)
    else:
        body: Json = {"model": asked.model, "prompt": prompt, **dict(asked.more)}
        if asked.pictures:
            body[field] = [f"{address}/{name}" for name in ADDRESSES[: asked.pictures]]
        answer = gate.ask("POST", path, json_body=body, key=key)
    assert answer.status == 200, (asked, answer.body)
    assert answer.headers["x-filmgate-dialect"] == asked.dialect
    return answer.headers["x-filmgate-task"]


COLOURS = ["#c03020", "#2040c0", "#20a040"]
ADDRESSES = ["red.png", "blue.png", "wide.webp"]


def test_the_documents_name_twenty_eight_models() -> None:
    assert [len(seed) for seed in (LAOZHANG, UNIFIED, NEWAPI, YISHANG)] == [4, 9, 8, 7]
    assert len({(asked.dialect, asked.model) for asked in SEEDS}) == 28


def test_each_name_is_accepted_with_the_length_and_size_that_it_promises(
    gate: RealGate, strict_key: str, pictures: str
) -> None:
    for asked in SEEDS:
        id_ = submit(gate, strict_key, asked, pictures, words=" --sandbox=fail")
        task = gate.ask("GET", f"/gate/v1/tasks/{id_}", key=strict_key).json
        assert (task["model"], task["seconds"]) == (asked.model, asked.seconds)
        scaled_up = ("enable_upsample", True) in asked.more
        assert scaled_up or task["size"] == "x".join(map(str, asked.size))


@pytest.mark.slow
def test_each_name_makes_the_film_that_it_promises(gate: RealGate, strict_key: str, pictures: str) -> None:
    """Print the table: asked, accepted, and the film as a second reader measured it."""
    print("\n| document | model | pictures | asked | accepted | measured |\n|---|---|---|---|---|---|")
    wrong = []
    for asked in SEEDS:
        id_ = submit(gate, strict_key, asked, pictures)
        task = gate.ended(id_, key=strict_key, within_s=240)
        film = opened(gate, task["urls"]["video"])
        more = ", ".join(f"{name} {value}" for name, value in asked.more if name != "prompt_extend")
        promised = f"{asked.seconds:g} s {asked.size[0]}x{asked.size[1]}"
        print(
            f"| {asked.dialect} | {asked.model} | {asked.pictures} | {more or '-'} → {promised} "
            f"| 200, {task['seconds']} s {task['size']} | {film.seconds:.3f} s {film.width}x{film.height} |"
        )
        wrong += [] if film == asked.promised else [(asked, film)]
    assert wrong == []
