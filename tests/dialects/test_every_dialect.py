"""What every dialect does: its golden pairs, typed from its documentation, and the promises that all of them make."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from filmgate.dialects import DIALECTS
from filmgate.domain.contracts import (
    Accepted,
    Call,
    Create,
    Deleted,
    Dialect,
    Outcome,
    Page,
    Show,
    Status,
    TaskView,
)
from filmgate.domain.problems import WORDINGS, Problem
from filmgate.domain.request import Draft, Picture, PictureRole
from filmgate.domain.states import State
from kit.films import shown

HERE = Path(__file__).parent
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.NAME)


def golden(part: str) -> list[Any]:
    return [
        pytest.param(
            dialect, pair, id=f"{dialect.NAME}-{no}-{pair.get('code') or pair.get('state') or pair['verb']}"
        )
        for dialect in DIALECTS
        for path in sorted((HERE / dialect.NAME).glob("*.json"))
        for no, pair in enumerate(json.loads(path.read_text("utf-8")).get(part, []))
    ]


@pytest.mark.parametrize(("dialect", "pair"), golden("calls"))
def test_a_call_means_what_the_document_says(dialect: Dialect, pair: dict[str, Any]) -> None:
    call = Call(verb=pair["verb"], fields=pair.get("fields", {}), params=pair.get("params", {}))
    if "show" in pair:
        assert dialect.parse(call) == Show(pair["show"])
        return
    wanted = dict(pair["draft"])
    wanted["pictures"] = tuple(
        Picture(PictureRole(picture["role"]), url=picture["url"]) for picture in wanted.get("pictures", [])
    )
    assert dialect.parse(call) == Create(Draft(**wanted))


@pytest.mark.parametrize(("dialect", "pair"), golden("replies"))
def test_a_task_is_shown_as_the_document_shows_it(dialect: Dialect, pair: dict[str, Any]) -> None:
    reply = dialect.render(
        outcome(pair["outcome"], shown(pair["name"], pair["state"], pair)), strict=pair["strict"]
    )
    assert (reply.status, reply.body) == (pair["status"], pair["body"])


@pytest.mark.parametrize(("dialect", "pair"), golden("errors"))
def test_an_error_has_the_documents_form(dialect: Dialect, pair: dict[str, Any]) -> None:
    reply = dialect.render_error(Problem(pair["code"], **pair.get("parameters", {})), strict=pair["strict"])
    assert (reply.status, reply.body) == (pair["status"], pair["body"])


def outcome(word: str, view: TaskView) -> Outcome:
    match word:
        case "accepted":
            return Accepted(view)
        case "deleted":
            return Deleted(view)
        case "page":
            return Page([view], has_more=False)
        case _:
            return Status(view)


@every_dialect
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("strict", [True, False])
def test_every_state_is_shown_and_no_film_before_its_end(
    dialect: Dialect, state: State, strict: bool
) -> None:
    said: dict[str, Any] = {"progress": 0}
    if state is State.SUCCEEDED:
        said |= {"video": "https://g.example/1.mp4", "seconds": 5.0, "width": 2, "height": 2, "size_bytes": 1}
    if state in {State.FAILED, State.EXPIRED}:
        said["failure"] = "provider_failed"
    body = dialect.render(Status(shown("id-1", state, said)), strict=strict).body
    assert json.dumps(body)
    assert ("video_url" in body) == (state is State.SUCCEEDED and not (strict and dialect.NAME == "openai"))
    assert body.get("url") is None or dialect.NAME != "openai"
    if state.ended and state is not State.SUCCEEDED:
        assert body["error"]
        assert strict or body["fail_reason"]


@every_dialect
@pytest.mark.parametrize("code", sorted(WORDINGS))
def test_every_problem_has_an_error_in_every_dialect(dialect: Dialect, code: str) -> None:
    reply = dialect.render_error(Problem(code, field="prompt"), strict=False)
    assert 400 <= reply.status < 600
    assert "{" not in json.dumps(reply.body["error"]).removeprefix("{")


@every_dialect
def test_a_create_without_anything_is_read_and_left_to_the_catalogue(dialect: Dialect) -> None:
    action = dialect.parse(Call(verb="create"))
    assert isinstance(action, Create)
    assert action.draft.prompt is None


@every_dialect
@pytest.mark.parametrize("field", ["prompt", "model", "size", "seconds", "input_reference"])
@pytest.mark.parametrize("value", [[1], {"a": 1}, True, 7.5, 10**12], ids=str)
def test_a_value_of_the_wrong_kind_is_named_by_its_field_or_read_as_text(
    dialect: Dialect, field: str, value: object
) -> None:
    call = Call(verb="create", fields={"prompt": "x", "model": "sora-2", field: value})  # type: ignore[dict-item]  # wrong on purpose
    assert blamed(dialect, call) in {None, field}


def blamed(dialect: Dialect, call: Call) -> str | None:
    """Name the field that the dialect calls wrong; None where it could read them all."""
    try:
        dialect.parse(call)
    except Problem as problem:
        return problem.field
    return None


@every_dialect
def test_a_draft_says_nothing_that_the_client_did_not_say(dialect: Dialect) -> None:
    action = dialect.parse(Call(verb="create", fields={"prompt": "x", "unknown": 1}))
    assert isinstance(action, Create)
    said = {
        field.name
        for field in fields(Draft)
        if getattr(action.draft, field.name) != getattr(Draft(), field.name)
    }
    assert said - {"model"} == {"prompt"}
