"""The ASGI application: dialects first, since they are hot, then our own API, links, health and metrics."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, ExceptionHandler

from filmgate import __version__
from filmgate.domain.contracts import Dialect
from filmgate.domain.problems import Problem
from filmgate.web.accounts import account_routes
from filmgate.web.admin import admin_routes
from filmgate.web.answers import file_answer, json_answer, language_of, problem_answer
from filmgate.web.books import book_routes
from filmgate.web.callbacks import callback_routes
from filmgate.web.decisions import decision_routes
from filmgate.web.deliveries import customer_deliveries, operator_deliveries
from filmgate.web.dialects import DialectRoutes
from filmgate.web.endpoints import endpoint_routes
from filmgate.web.events import event_routes, operator_events
from filmgate.web.links import file_id
from filmgate.web.mishaps import Events, noticed
from filmgate.web.models import model_routes
from filmgate.web.money import customer_money
from filmgate.web.opening import Smooth, open_route
from filmgate.web.outer import Outer, OuterTelemetry
from filmgate.web.prices import price_routes
from filmgate.web.providers import provider_routes
from filmgate.web.quotes import customer_quotes, operator_quotes
from filmgate.web.seen import seen_routes
from filmgate.web.shapes import ErrorAnswer
from filmgate.web.shipments import shipment_routes
from filmgate.web.storage import storage_routes
from filmgate.web.surroundings import Surroundings
from filmgate.web.tasks import task_routes
from filmgate.web.threshold import Threshold
from filmgate.web.trial import trial_routes
from filmgate.web.vitals import vitals_route
from filmgate.web.watch import watch_route
from filmgate.web.webhooks import customer_webhooks, operator_webhooks

_READY_WITHIN_S = 2.0
# While films cannot be stored, all nodes are alike, and tasks are still read, polled and waited for: a balancer that took
# them all out would stop that too.
_MISSED: Final = frozenset({"objects"})


class Health(Protocol):
    """What `/readyz` and `/metrics` ask."""

    async def ready(self) -> dict[str, str]:
        """Name each part that does not do its work, and why; empty when all do."""
        ...

    async def metrics(self) -> tuple[bytes, str]:
        """Give the metrics' text and its media type."""
        ...


def build_app(
    around: Surroundings,
    dialects: Sequence[Dialect],
    health: Health,
    pages: Sequence[BaseRoute],
    telemetry: OuterTelemetry,
    new_id: Callable[[], str],
) -> ASGIApp:
    """Build the application over parts that are open already."""
    own = own_api(around, frozenset(dialect.NAME for dialect in dialects), telemetry)
    readable = [*DialectRoutes(dialects, around).routes(), watch_route(around)]
    routes: list[BaseRoute] = [
        *endpoint_routes(around),
        *readable,
        open_route(around.signer, Starlette(routes=readable, exception_handlers=_handlers(telemetry))),
        Route("/files/{ticket}/{name}", _files(around), methods=["GET", "HEAD"]),
        *callback_routes(around),
        *_health(health),
        *pages,
        Mount("", Threshold(own, around.doorman, around.bodies, telemetry)),
    ]
    app = Starlette(routes=routes, exception_handlers=_handlers(telemetry))
    return Outer(Smooth(app), telemetry, around.clock, new_id)


def own_api(around: Surroundings, dialects: frozenset[str], telemetry: OuterTelemetry) -> FastAPI:
    """Build what stands in `/openapi.json`: `/gate/v1` and `/admin/v1`."""
    api = FastAPI(
        title="Filmgate",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses={"default": {"model": ErrorAnswer, "description": "What went wrong."}},
    )
    api.include_router(task_routes(around))
    api.include_router(model_routes(around))
    api.include_router(admin_routes(around, dialects))
    api.include_router(customer_money(around))
    api.include_router(account_routes(around))
    api.include_router(customer_quotes(around))
    api.include_router(operator_quotes(around))
    api.include_router(book_routes(around))
    api.include_router(price_routes(around))
    api.include_router(provider_routes(around))
    api.include_router(trial_routes(around))
    api.include_router(event_routes(around))
    api.include_router(operator_events(around))
    api.include_router(customer_webhooks(around))
    api.include_router(operator_webhooks(around))
    api.include_router(customer_deliveries(around))
    api.include_router(operator_deliveries(around))
    api.include_router(seen_routes(around))
    api.include_router(decision_routes(around))
    api.include_router(shipment_routes(around))
    api.include_router(storage_routes(around))
    api.include_router(vitals_route(around))
    for kind, handler in _handlers(telemetry).items():
        api.add_exception_handler(kind, handler)
    return api


def _handlers(telemetry: Events) -> dict[type[Exception], ExceptionHandler]:
    async def mishap(request: Request, error: Exception) -> Response:
        problem = noticed(error, request.scope.get("request_id", ""), telemetry)
        return problem_answer(problem, language_of(request))

    async def invalid(request: Request, error: Exception) -> Response:
        return problem_answer(_named(error), language_of(request))

    async def nowhere(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        problem = (
            Problem("method_not_allowed", method=request.method)
            if status == _METHOD
            else Problem("not_found")
        )
        return problem_answer(problem, language_of(request))

    return {Exception: mishap, Problem: mishap, RequestValidationError: invalid, HTTPException: nowhere}


_METHOD = 405


def _named(error: Exception) -> Problem:
    """Name the first field that a body of our own API has wrong."""
    first = (
        error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "type": "", "msg": ""}
    )
    field = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"})
    if first["type"] == "missing" and field:
        return Problem("missing_parameter", field=field)
    if first["type"] == "json_invalid":
        return Problem("malformed_json", reason=str(first["msg"]))
    return Problem(
        "invalid_parameter", field=field or "body", reason=str(first["msg"]), reason_zh=str(first["msg"])
    )


def _files(around: Surroundings) -> Callable[[Request], object]:
    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        left = around.signer.check(request.path_params["ticket"], f"/files/{name}")
        file = await around.reader.file(file_id(name))
        if file is None:
            raise Problem("link_invalid")
        return file_answer(request, around, file, {}, left)

    return serve


def _health(health: Health) -> list[BaseRoute]:
    async def alive(_: Request) -> Response:
        return json_answer(200, {"status": "ok"})

    async def ready(_: Request) -> Response:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                waiting = await health.ready()
        except TimeoutError:
            waiting = {"store": "does not answer"}
        away = waiting.keys() - _MISSED
        return json_answer(503 if away else 200, {"status": "waiting" if away else "ready", **waiting})

    async def metrics(_: Request) -> Response:
        text, media_type = await health.metrics()
        return Response(text, media_type=media_type)

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
