"""Which dialect speaks where several share a path, and that a task answers to all its names on every path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from kit.gates import Answer, RealGate
from kit.wires import Json

SDK = {"X-Stainless-Lang": "python"}
AGENT = {"User-Agent": "OpenAI/Python 3.54.0"}
# Nothing is drawn for these.
BODY: Json = {"model": "animatic", "prompt": "a boat --sandbox=fail"}
SHARING = ["newapi", "yishang", "openai"]


@dataclass(frozen=True, slots=True)
class Case:
    """A submit to `/v1/videos`, with what each rule has to go by, and who has to answer."""

    speaks: str
    mount: str = ""
    key: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


NEWAPI_MODEL = {"model": "veo_3_1-fast"}
YISHANG_MODEL = {"model": "sora-2-hd"}
OPENAI_MODEL = {"model": "sora-2-2025-10-06"}
SECOND_PROMPT = {"prompt_extend": "it sails on"}

CASES = {
    # Each rule alone.
    "a mount": [Case(name, mount=f"/{name}") for name in SHARING],
    "the key's own dialect": [Case(name, key=name) for name in SHARING],
    "a model that one dialect has": [
        Case("newapi", body=NEWAPI_MODEL),
        Case("newapi", body={"model": "veo_3_1-fast-remix", **SECOND_PROMPT}),
        Case("yishang", body=YISHANG_MODEL),
        Case("openai", body=OPENAI_MODEL),
    ],
    "a second prompt": [Case("newapi", body=SECOND_PROMPT)],
    "a second prompt that is none": [
        Case("yishang", body={"prompt_extend": value}) for value in (True, False, "true", "", "  ", None)
    ],
    "the mark of an official client": [Case("openai", headers=SDK), Case("openai", headers=AGENT)],
    "nothing": [Case("yishang"), Case("yishang", headers={"User-Agent": "python-requests/2.32"})],
    # Each rule before each of those below it.
    "a mount before a key": [
        Case(mount, mount=f"/{mount}", key=key) for mount in SHARING for key in SHARING if mount != key
    ],
    "a mount before a model": [
        Case("yishang", mount="/yishang", body={**SECOND_PROMPT}),
        Case("openai", mount="/openai", body={**SECOND_PROMPT}),
    ],
    "a mount before an official client": [
        Case("yishang", mount="/yishang", headers=SDK),
        Case("newapi", mount="/newapi", headers=SDK),
    ],
    "a key before a second prompt": [
        Case("yishang", key="yishang", body=SECOND_PROMPT),
        Case("openai", key="openai", body=SECOND_PROMPT),
    ],
    "a key before an official client": [
        Case("yishang", key="yishang", headers=SDK),
        Case("newapi", key="newapi", headers=SDK),
    ],
    "a key of another path decides nothing here": [
        Case("yishang", key="laozhang"),
        Case("openai", key="unified", headers=SDK),
    ],
    "a model before an official client": [
        Case("newapi", body=NEWAPI_MODEL, headers=SDK),
        Case("yishang", body=YISHANG_MODEL, headers=SDK),
    ],
    "a second prompt before an official client": [Case("newapi", body=SECOND_PROMPT, headers=AGENT)],
}


@pytest.fixture(scope="module")
def keys(gate: RealGate) -> dict[str | None, str]:
    spoken = [*SHARING, "unified", "laozhang"]
    return {None: gate.key} | {name: gate.new_key(f"speaks-{name}", dialect=name) for name in spoken}


@pytest.mark.parametrize("rule", CASES)
def test_the_first_rule_that_applies_decides_who_speaks(
    gate: RealGate, keys: dict[str | None, str], rule: str
) -> None:
    for case in CASES[rule]:
        answer = gate.ask(
            "POST",
            f"{case.mount}/v1/videos",
            json_body={**BODY, **case.body},
            headers=case.headers,
            key=keys[case.key],
        )
        assert answer.status == 200, (case, answer.body)
        assert answer.headers["x-filmgate-dialect"] == case.speaks, case
        assert spoken_by(answer.json) == case.speaks, case


def spoken_by(body: Json) -> str:
    """Tell by the keys of a submit's answer which dialect it is in."""
    if "platform" in body or {"id", "size", "task_id"} <= set(body):
        return "newapi"
    return "openai" if "remixed_from_video_id" in body else "yishang"


def test_an_error_speaks_as_its_success_would(gate: RealGate, keys: dict[str | None, str]) -> None:
    wrong: Json = {"model": "animatic", "prompt": ""}
    for case, form in (
        (Case("newapi", body=SECOND_PROMPT), {"code", "message", "data"}),
        (Case("newapi", key="newapi"), {"code", "message", "data"}),
        (Case("newapi", mount="/newapi"), {"code", "message", "data"}),
        (Case("openai", headers=SDK), {"message", "type", "param", "code"}),
        (Case("yishang"), {"message", "type", "code"}),
    ):
        body = {**wrong, **case.body}
        answer = gate.ask(
            "POST", f"{case.mount}/v1/videos", json_body=body, headers=case.headers, key=keys[case.key]
        )
        assert (answer.status, answer.headers["x-filmgate-dialect"]) == (400, case.speaks)
        assert set(answer.json.get("error", answer.json)) == form
        # Without a key nobody's body is read: mount and mark decide alone.
        unknown = gate.ask("POST", f"{case.mount}/v1/videos", json_body=body, headers=case.headers)
        assert unknown.status == 401
        if case.mount or case.headers:
            assert unknown.headers["x-filmgate-dialect"] == case.speaks


def test_who_speaks_refuses_what_only_another_knows(gate: RealGate, keys: dict[str | None, str]) -> None:
    for case, code in (
        (Case("yishang", key="yishang", body=NEWAPI_MODEL), "model_not_supported"),
        (Case("openai", key="openai", body=YISHANG_MODEL), "model_not_found"),
        (Case("newapi", key="newapi", body=OPENAI_MODEL), "model_not_found"),
        (Case("yishang", mount="/yishang", body=OPENAI_MODEL, headers=SDK), "model_not_supported"),
        (Case("openai", mount="/openai", body=NEWAPI_MODEL), "model_not_found"),
        (Case("newapi", mount="/newapi", body=YISHANG_MODEL), "model_not_found"),
    ):
        answer = gate.ask(
            "POST",
            f"{case.mount}/v1/videos",
            json_body={**BODY, **case.body},
            headers=case.headers,
            key=keys[case.key],
        )
        assert (answer.status, answer.headers["x-filmgate-dialect"]) == (400, case.speaks)
        assert answer.json.get("error", answer.json)["code"] == code


SUBMITS: dict[str, tuple[str, Json]] = {
    "laozhang": ("/veo/v1/api/video/submit", {**BODY, "model": "veo3"}),
    "unified": ("/v1/video/create", BODY),
    "newapi": ("/newapi/v1/videos", {**BODY, **SECOND_PROMPT}),
    "yishang": ("/yishang/v1/videos", BODY),
    "openai": ("/openai/v1/videos", BODY),
    "gate": ("/gate/v1/tasks", BODY),
}
# Every path on which a task is read: who speaks there; None is whoever it was submitted with.
READS: dict[str, str | None] = {
    "/v1/videos/{}": None,
    "/videos/{}": None,
    "/v1/videos/{}/content": None,
    "/openai/v1/videos/{}": "openai",
    "/openai/videos/{}": "openai",
    "/yishang/v1/videos/{}": "yishang",
    "/newapi/v1/videos/{}": "newapi",
    "/newapi/v1/videos/{}/content": "newapi",
    "/v1/video/generations/{}": "newapi",
    "/newapi/v1/video/generations/{}": "newapi",
    "/v1/video/query?id={}": "unified",
    "/v1/video/query?task_id={}": "unified",
    "/v1/video/query/{}": "unified",
    "/veo/v1/video/query?id={}": "unified",
    "/veo/v1/video/query/{}": "unified",
    "/unified/v1/video/query?id={}": "unified",
    "/veo/v1/api/video/status/{}": "laozhang",
    "/laozhang/veo/v1/api/video/status/{}": "laozhang",
    "/source/{}": "laozhang",
}


@dataclass(frozen=True, slots=True)
class Made:
    dialect: str
    names: tuple[str, ...]

    def spellings(self) -> Iterator[str]:
        for name in self.names:
            yield name
            if ":" in name:
                yield name.replace(":", "%3A")


@pytest.fixture(scope="module")
def made(gate: RealGate) -> list[Made]:
    """One task of each dialect, with all the names that its answers show."""
    tasks = []
    for dialect, (path, body) in SUBMITS.items():
        answer = gate.ask("POST", path, json_body=body, key=gate.key)
        assert answer.status in {200, 201}, answer.body
        id_ = answer.headers["x-filmgate-task"]
        gate.ended(id_)
        envelope = gate.ask("GET", f"/v1/video/generations/{id_}", key=gate.key).json["data"]
        inner = envelope["data"]
        names = [id_, envelope["task_id"], str(envelope["id"]), inner["id"], inner.get("remix_id")]
        tasks.append(Made(dialect, tuple(dict.fromkeys(name for name in names if name))))
    assert [len(task.names) for task in tasks] == [3, 3, 5, 3, 3, 3]
    return tasks


def test_every_name_of_a_task_answers_on_every_path(gate: RealGate, made: list[Made]) -> None:
    for path, speaks in READS.items():
        for task in made:
            answers = [gate.ask("GET", path.format(name), key=gate.key) for name in task.spellings()]
            # These have failed: there is no content, which is known of a task that was found.
            absent = path.endswith("/content")
            assert {answer.status for answer in answers} == {404 if absent else 200}, path
            assert {answer.headers["x-filmgate-task"] for answer in answers} == {task.names[0]}, path
            assert len({answer.body for answer in answers}) == 1, path
            said = {answer.headers["x-filmgate-dialect"] for answer in answers}
            fallback = "yishang" if task.dialect not in SHARING else task.dialect
            assert said == {speaks or fallback}, (path, task.dialect)


def test_our_own_api_and_the_page_know_every_name_too(gate: RealGate, made: list[Made]) -> None:
    for task in made:
        for name in task.spellings():
            shown = gate.ask("GET", f"/gate/v1/tasks/{name}", key=gate.key)
            assert (shown.status, shown.json["dialect"]) == (200, task.dialect)
            assert gate.ask("GET", f"/watch/{name}", key=gate.key).status == 200


def test_a_stranger_is_answered_as_if_the_task_were_not(gate: RealGate, made: list[Made]) -> None:
    stranger = gate.new_key("stranger")
    unknown = "task_00000000000000000000000000000000"
    for path, speaks in READS.items():
        nothing = gate.ask("GET", path.format(unknown), key=stranger)
        assert nothing.status == 404
        assert nothing.headers["x-filmgate-dialect"] == speaks or speaks is None
        assert "x-filmgate-task" not in nothing.headers
        assert_no_task(nothing)
        for task in made:
            for name in task.spellings():
                answer = gate.ask("GET", path.format(name), key=stranger)
                assert (answer.status, answer.body) == (404, nothing.body), (path, name)
                assert set(answer.headers) == set(nothing.headers)


def assert_no_task(answer: Answer) -> None:
    """Hold that a 404 has the form and the code of the dialect that it is in."""
    body, dialect = answer.json, answer.headers["x-filmgate-dialect"]
    match dialect:
        case "laozhang":
            assert (body["success"], body["error_code"]) == (False, "TASK_NOT_FOUND")
        case "unified" | "newapi":
            assert (body["code"], body["data"]) == ("task_not_exist", None)
        case _:
            error = body["error"]
            assert (error["type"], error["code"]) == ("not_found_error", "task_not_found")
            assert set(error) == {"message", "type", "code"} | ({"param"} if dialect == "openai" else set())
