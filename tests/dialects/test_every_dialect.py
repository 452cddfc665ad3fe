"""What every dialect does: its golden pairs, typed from its documentation, and the promises that all of them make."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.dialects import DIALECTS
from filmgate.domain.contracts import (
    Accepted,
    Call,
    Converse,
    Create,
    Deleted,
    Dialect,
    Outcome,
    Page,
    Show,
    Status,
    TaskView,
    Told,
)
from filmgate.domain.problems import WORDINGS, Problem
from filmgate.domain.request import Draft, GivenPicture, NamedSource, PictureRole, SourceKind
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
    call = called(pair)
    if "problem" in pair:
        with pytest.raises(Problem) as caught:
            dialect.parse(call)
        assert (caught.value.code, caught.value.field) == (pair["problem"], pair["field"])
    elif "show" in pair:
        assert dialect.parse(call) == Show(pair["show"], pair.get("form", ""))
    else:
        action = dialect.parse(call)
        assert isinstance(action, Create | Converse)
        # Where its clients put pictures is the dialect's own knowledge, and in no call.
        action = replace(action, draft=replace(action.draft, picture_field=Draft().picture_field))
        wanted = drafted(pair["draft"])
        streamed = pair.get("streamed")
        assert action == (
            Create(wanted, pair.get("form", "")) if streamed is None else Converse(wanted, streamed)
        )


def called(pair: dict[str, Any]) -> Call:
    said = {
        name: pair[name]
        for name in ("verb", "fields", "params", "query", "headers", "strict")
        if name in pair
    }
    return Call(**said, form=pair.get("multipart", False))


def drafted(said: dict[str, Any]) -> Draft:
    wanted = dict(said)
    wanted["pictures"] = tuple(
        GivenPicture(
            picture["url"], PictureRole(picture["role"]) if "role" in picture else None, picture["field"]
        )
        for picture in wanted.get("pictures", [])
    )
    if "source" in wanted:
        wanted["source"] = NamedSource(**{**wanted["source"], "kind": SourceKind(wanted["source"]["kind"])})
    return Draft(**wanted)


@pytest.mark.parametrize(("dialect", "pair"), golden("replies"))
def test_a_task_is_shown_as_the_document_shows_it(dialect: Dialect, pair: dict[str, Any]) -> None:
    view = shown(pair["name"], pair["state"], pair)
    reply = dialect.render(outcome(pair["outcome"], view, pair.get("form", "")), strict=pair["strict"])
    assert (reply.status, reply.body) == (pair["status"], pair["body"])


@pytest.mark.parametrize(("dialect", "pair"), golden("errors"))
def test_an_error_has_the_documents_form(dialect: Dialect, pair: dict[str, Any]) -> None:
    reply = dialect.render_error(Problem(pair["code"], **pair.get("parameters", {})), strict=pair["strict"])
    assert (reply.status, reply.body) == (pair["status"], pair["body"])


def outcome(word: str, view: TaskView, form: str = "") -> Outcome:
    match word:
        case "accepted":
            return Accepted(view, form)
        case "deleted":
            return Deleted(view)
        case "told":
            return Told(view, "zh")
        case "page":
            return Page([view], has_more=False)
        case _:
            return Status(view, form)


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
    body = json.dumps(dialect.render(Status(shown("id-1", state, said)), strict=strict).body)
    bare = strict and dialect.NAME == "openai"
    assert (".mp4" in body) == (state is State.SUCCEEDED and not bare)
    assert dialect.NAME != "openai" or '"url"' not in body
    assert ("fail" in body) == (state.ended and state is not State.SUCCEEDED) or dialect.NAME == "newapi"


@every_dialect
@pytest.mark.parametrize("code", sorted(WORDINGS))
def test_every_problem_has_an_error_in_every_dialect(dialect: Dialect, code: str) -> None:
    for verb in {route.verb for route in dialect.ROUTES}:
        reply = dialect.render_error(Problem(code, field="prompt"), strict=False, verb=verb)
        assert 400 <= reply.status < 600
        assert reply.body
        assert not any("{" in text for text in texts(reply.body))


def texts(value: object) -> list[str]:
    """Give every text in a body."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for one in value.values() for text in texts(one)]
        case list():
            return [text for one in value for text in texts(one)]
        case _:
            return []


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
    assert (blamed(dialect, call) or field).partition("[")[0] == field


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
    # Which model is the usual one, and where pictures stand, is the dialect's own knowledge.
    assert said - {"model", "picture_field", "any_model"} == {"prompt"}
