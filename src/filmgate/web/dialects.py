"""Serving: any dialect's routes, from its own table; what is common to all of them happens here, once."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from filmgate.domain.contracts import Dialect, Route
from filmgate.domain.problems import Problem
from filmgate.web.acts import act
from filmgate.web.answers import json_answer
from filmgate.web.body import read_fields
from filmgate.web.mishaps import noticed
from filmgate.web.select import select
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import Turn

Ways = Sequence[tuple[Dialect, Route]]

# Every method comes here, so that also a wrong one is answered in the dialect's form.
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class DialectRoutes:
    """Builds the routes of all dialects: on their shared paths, and under each one's own mount."""

    def __init__(self, dialects: Sequence[Dialect], around: Surroundings) -> None:
        self._dialects = dialects
        self._around = around

    def routes(self) -> list[WebRoute]:
        ways: dict[str, list[tuple[Dialect, Route]]] = {}
        for dialect in self._dialects:
            for route in dialect.ROUTES:
                ways.setdefault(route.path, []).append((dialect, route))
        # A path without parameters is never taken for a value of one with them.
        ordered = sorted(ways.items(), key=lambda way: way[0].count("{"))
        known = [route for path, spoken in ordered for route in self._on_path(path, spoken)]
        return [*known, *(self._nowhere(dialect) for dialect in self._dialects)]

    def _on_path(self, path: str, spoken: Ways) -> list[WebRoute]:
        # Clients that forget `/v1` in their base URL are meant too.
        shared = [path, *([path.removeprefix("/v1")] if path.startswith("/v1/videos") else [])]
        routes = [self._route(way, spoken, None) for way in shared]
        for name in dict.fromkeys(dialect.NAME for dialect, _ in spoken):
            own = [(dialect, route) for dialect, route in spoken if name == dialect.NAME]
            routes += [self._route(f"/{name}{way}", own, name) for way in shared]
        return routes

    def _nowhere(self, dialect: Dialect) -> WebRoute:
        """Answer in a dialect's own form under its mount, also where it has no such path."""

        async def serve(request: Request) -> Response:
            return _error(Turn(request, self._around, dialect), Problem("not_found"))

        path = f"/{dialect.NAME}/{{rest:path}}"
        return WebRoute(path, serve, methods=list(_METHODS), include_in_schema=False)

    def _route(self, path: str, spoken: Ways, mount: str | None) -> WebRoute:
        async def serve(request: Request) -> Response:
            return await self._serve(request, spoken, mount)

        return WebRoute(path, serve, methods=list(_METHODS), include_in_schema=False)

    async def _serve(self, request: Request, spoken: Ways, mount: str | None) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        fitting = [(dialect, route) for dialect, route in spoken if route.method == method]
        candidates = [dialect for dialect, _ in fitting or spoken]
        verbs = {dialect.NAME: route.verb for dialect, route in fitting or spoken}
        turn = Turn(request, self._around, candidates[-1])
        turn.dialect = select(candidates, turn.call(), None, self._around.catalogue, mount)
        turn.verb = verbs.get(turn.dialect.NAME, "")
        try:
            if not fitting:
                raise _not_spoken(request, spoken)  # noqa: TRY301  # answered in the dialect's form
            await turn.find_owner()
            if method == "POST":
                turn.fields, turn.form = await read_fields(request, self._around.bodies)
            turn.dialect = select(candidates, turn.call(), turn.owner, self._around.catalogue, mount)
            await _let_task_choose(turn, candidates, mount)
            turn.verb = verbs[turn.dialect.NAME]
            return await act(turn, turn.dialect.parse(turn.call()))
        except Exception as error:  # noqa: BLE001  # whatever it was, the client reads its dialect's own form
            return _error(turn, error)


async def _let_task_choose(turn: Turn, candidates: Sequence[Dialect], mount: str | None) -> None:
    """On a read of a shared path, the task speaks the dialect that it was submitted in."""
    name = turn.request.path_params.get("id")
    if name is None or turn.owner is None:
        return
    await turn.find_task(name)
    if turn.task is not None and mount is None:
        own = turn.task.dialect
        turn.dialect = next((dialect for dialect in candidates if own == dialect.NAME), turn.dialect)


def _error(turn: Turn, error: Exception) -> Response:
    problem = noticed(error, turn.request.scope.get("request_id", ""), turn.around.telemetry)
    reply = turn.dialect.render_error(problem, strict=turn.strict, verb=turn.verb, language=turn.language)
    return json_answer(reply.status, reply.body, {**reply.headers, **turn.headers(), **problem.headers})


def _not_spoken(request: Request, spoken: Ways) -> Problem:
    allowed = ", ".join(sorted({route.method for _, route in spoken}))
    return Problem("method_not_allowed", method=request.method[:20]).with_headers({"allow": allowed})
