"""What a film is asked for, where somebody asks only for its price: any body that a submit may have, read as there.

`dialect` names who reads it, and `path` the call, where several calls of a dialect take bodies alike.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.routing import compile_path

from filmgate.dialects import DIALECTS
from filmgate.dialects.reading import wrong
from filmgate.domain.catalogue import GATE
from filmgate.domain.contracts import Call, Converse, Create, Dialect, Route
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.domain.task import Owner
from filmgate.web.again import Again, wish_again
from filmgate.web.found import own_task
from filmgate.web.shapes import NewFilm
from filmgate.web.surroundings import Surroundings
from filmgate.web.tasks import draft_of

_OWN: Final = (Route("POST", "/gate/v1/tasks", "create"), Route("POST", "/gate/v1/tasks/{id}/retry", "retry"))
_V1: Final = "/v1"


class Wish(BaseModel):
    """The body of a submit, as it would be sent, with these beside it."""

    model_config = ConfigDict(extra="allow")

    dialect: str | None = Field(
        None, description="Who reads the body; the gate itself, where it is not named."
    )
    path: str | None = Field(
        None, description="Where it would be sent to, such as `/v1/videos/{id}/remix`; else the body tells."
    )


async def asked_film(around: Surroundings, wish: Wish, owner: Owner) -> tuple[str, Draft]:
    """Read whose words a wish has, and what it asks for; raise the Problem that the submit would meet."""
    body: Mapping[str, Any] = wish.model_extra or {}
    if wish.dialect in {None, GATE}:
        return await _own(around, wish.path, body, owner)
    spoken = next((dialect for dialect in DIALECTS if wish.dialect == dialect.NAME), None)
    if spoken is None:
        names = ", ".join([GATE, *(dialect.NAME for dialect in DIALECTS)])
        raise wrong("dialect", f"one of {names}", f"{names} 之一")
    verb, params = _told(spoken, body) if wish.path is None else _called(spoken, wish.path)
    action = spoken.parse(Call(verb=verb, params=params, fields=body))
    if not isinstance(action, Create | Converse):
        raise _nowhere(spoken.NAME)
    return spoken.NAME, action.draft


async def _own(
    around: Surroundings, path: str | None, body: Mapping[str, Any], owner: Owner
) -> tuple[str, Draft]:
    found = ("create", {}) if path is None else _matching(_OWN, path)
    if found is None:
        raise _nowhere(GATE)
    verb, params = found
    try:
        if verb == "create":
            return GATE, draft_of(NewFilm.model_validate(body))
        changes = Again.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    task = await own_task(around, owner.account_id, params["id"])
    return task.dialect, await wish_again(around, task, changes)


def _told(dialect: Dialect, body: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """Know a call by what its bodies alone have; any other is the dialect's plain submit."""
    marked = (route.verb for route in dialect.ROUTES if any(body.get(name) for name in route.marks))
    return next(marked, "create"), {}


def _called(dialect: Dialect, path: str) -> tuple[str, Mapping[str, str]]:
    mount = f"/{dialect.NAME}"
    given = path.removeprefix(mount) if path.startswith(f"{mount}/") else path
    found = _matching(dialect.ROUTES, given) or _matching(dialect.ROUTES, _V1 + given)
    if found is None:
        raise _nowhere(dialect.NAME)
    return found


def _matching(routes: Sequence[Route], path: str) -> tuple[str, Mapping[str, str]] | None:
    """Find what a POST to a path is, with the parameters in it; one without parameters comes first."""
    plain = path.partition("?")[0].rstrip("/")
    for route in sorted(routes, key=lambda route: route.path.count("{")):
        if route.method == "POST" and (found := compile_path(route.path)[0].match(plain)):
            return route.verb, found.groupdict()
    return None


def _nowhere(name: str) -> Problem:
    return wrong("path", f"a path at which {name} is asked for films", f"{name} 的提交路径")
