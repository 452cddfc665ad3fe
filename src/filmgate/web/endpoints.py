"""Webhook endpoints as the official clients of OpenAI keep them: `/v1/webhook_endpoints` and its kin."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from filmgate.dialects import openai
from filmgate.domain.contracts import Fields
from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json
from filmgate.domain.task import Owner
from filmgate.domain.webhook import ENDPOINT, named
from filmgate.engine.subscribe import EVENTS, Subscriptions
from filmgate.store.endpoints import Endpoint
from filmgate.web.answers import json_answer, language_asked
from filmgate.web.body import read_fields
from filmgate.web.mishaps import noticed
from filmgate.web.surroundings import Surroundings

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WRITES: Final = frozenset({"POST"})
# Secrets are among the answers.
_HEADERS: Final = {"x-filmgate-dialect": openai.NAME, "cache-control": "no-store"}
_DIGITS: Final = 4

Answer = Mapping[str, Json]
Act = Callable[[Subscriptions, Owner, Request, Fields], Awaitable[Answer]]


def endpoint_routes(around: Surroundings) -> list[Route]:
    """Build the routes in OpenAI's form; they come before those of the dialects, whose mount they share."""
    ways: dict[str, dict[str, Act]] = {
        "/webhook_endpoints": {"GET": _page, "POST": _create},
        "/webhook_endpoints/{id}": {"GET": _show, "POST": _update, "DELETE": _delete},
        "/webhook_endpoints/{id}/rotate_secret": {"POST": _rotate},
        "/webhook_endpoints/{id}/test": {"POST": _test},
        "/webhook_event_types": {"GET": _event_types},
    }
    return [
        _route(around, f"{mount}{path}", acts)
        for path, acts in ways.items()
        for mount in ("/v1", "/openai/v1", "/openai")
    ]


def endpoint_body(endpoint: Endpoint, secret: str | None = None) -> dict[str, Json]:
    """Write an endpoint as OpenAI's clients read it, with what this gate knows of its health beside that."""
    disabled, failing = endpoint.disabled_at, endpoint.failing_since
    body: dict[str, Json] = {
        "id": named(ENDPOINT, endpoint.id),
        "object": "webhook_endpoint",
        "created_at": int(endpoint.created_at.timestamp()),
        "updated_at": int(endpoint.updated_at.timestamp()),
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": list(endpoint.events),
        "signing_secret_hint": endpoint.hint,
        "failing_since": None if failing is None else int(failing.timestamp()),
        "disabled_at": None if disabled is None else int(disabled.timestamp()),
        "disabled_reason": endpoint.disabled_reason,
    }
    return body if secret is None else body | {"signing_secret": secret}


def _route(around: Surroundings, path: str, acts: Mapping[str, Act]) -> Route:
    async def serve(request: Request) -> Response:
        try:
            return json_answer(200, await _answer(around, request, acts), _HEADERS)
        except Exception as error:  # noqa: BLE001  # whatever it was, the client reads OpenAI's form
            return _error(around, request, error)

    return Route(path, serve, methods=list(_METHODS), include_in_schema=False)


async def _answer(around: Surroundings, request: Request, acts: Mapping[str, Act]) -> Answer:
    act = acts.get("GET" if request.method == "HEAD" else request.method)
    if act is None:
        problem = Problem("method_not_allowed", method=request.method[:20])
        raise problem.with_headers({"allow": ", ".join(sorted(acts))})
    find = around.doorman.writer if request.method == "POST" else around.doorman.owner
    owner = await find(request)
    fields: Fields = {}
    if request.method in _WRITES:
        fields, _ = await read_fields(request, around.bodies)
    return await act(around.subscriptions, owner, request, fields)


def _error(around: Surroundings, request: Request, error: Exception) -> Response:
    problem = noticed(error, request.scope.get("request_id", ""), around.telemetry)
    reply = openai.render_error(problem, strict=False, language=language_asked(request))
    return json_answer(reply.status, reply.body, {**reply.headers, **_HEADERS, **problem.headers})


async def _create(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    del request
    endpoint, secret = await subscriptions.create(
        owner, name=_text(fields, "name"), url=_text(fields, "url"), events=fields.get("event_types")
    )
    return endpoint_body(endpoint, secret)


async def _page(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    del fields
    after, limit = request.query_params.get("after"), request.query_params.get("limit", str(PAGE))
    if not (
        limit.isascii() and limit.isdigit() and len(limit) <= _DIGITS and 1 <= int(limit) <= PAGE_LONGEST
    ):
        reason, reason_zh = f"1 to {PAGE_LONGEST} is right.", f"应为 1 到 {PAGE_LONGEST}。"
        raise Problem("invalid_parameter", field="limit", reason=reason, reason_zh=reason_zh)
    endpoints, more = await subscriptions.page(owner, after=after, limit=int(limit))
    shown: list[Json] = [endpoint_body(endpoint) for endpoint in endpoints]
    names = [named(ENDPOINT, endpoint.id) for endpoint in endpoints]
    return {
        "object": "list",
        "data": shown,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
        "has_more": more,
    }


async def _show(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    del fields
    return endpoint_body(await subscriptions.find(owner, request.path_params["id"]))


async def _update(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    endpoint = await subscriptions.update(
        owner,
        request.path_params["id"],
        name=_text(fields, "name"),
        url=_text(fields, "url"),
        events=fields.get("event_types"),
    )
    return endpoint_body(endpoint)


async def _delete(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    del fields
    id_ = request.path_params["id"]
    await subscriptions.delete(owner, id_)
    return {"id": id_, "object": "webhook_endpoint.deleted", "deleted": True}


async def _rotate(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    keep = fields.get("keep_old_secret_active_for_24_hours", False)
    if not isinstance(keep, bool | None):
        reason, reason_zh = "true or false is right.", "应为 true 或 false。"
        raise Problem(
            "invalid_parameter",
            field="keep_old_secret_active_for_24_hours",
            reason=reason,
            reason_zh=reason_zh,
        )
    endpoint, secret = await subscriptions.rotate(owner, request.path_params["id"], keep_former=bool(keep))
    return endpoint_body(endpoint, secret)


async def _test(subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields) -> Answer:
    endpoint, event, status = await subscriptions.test(
        owner, request.path_params["id"], fields.get("event_type")
    )
    return {
        "object": "webhook_endpoint.test",
        "event_type": event,
        "status_code": status,
        "success": True,
        "webhook_endpoint_id": named(ENDPOINT, endpoint.id),
    }


async def _event_types(
    subscriptions: Subscriptions, owner: Owner, request: Request, fields: Fields
) -> Answer:
    del subscriptions, owner, request, fields
    return {"object": "list", "data": list(EVENTS)}


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Problem("invalid_parameter", field=name, reason="text is right.", reason_zh="应为文本。")
