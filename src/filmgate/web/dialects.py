"""Serving: any dialect's routes, from its own table; what is common to all of them happens here, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from filmgate.domain.catalogue import Model
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Call,
    Content,
    Create,
    Delete,
    Deleted,
    Dialect,
    Fields,
    ListModels,
    ListTasks,
    ModelCard,
    ModelPage,
    Outcome,
    Page,
    Route,
    Show,
    Status,
    TaskView,
)
from filmgate.domain.limits import IDEMPOTENCY_KEY_BYTES, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner, Task
from filmgate.engine.accept import Repeat
from filmgate.web.answers import film_answer, json_answer
from filmgate.web.body import read_fields
from filmgate.web.mishaps import as_problem
from filmgate.web.select import select
from filmgate.web.surroundings import Surroundings


@dataclass(slots=True)
class _Turn:
    """One request on its way: who asks, in which dialect, and about which task."""

    dialect: Dialect
    owner: Owner | None = None
    task: Task | None = None
    replayed: bool = False

    @property
    def strict(self) -> bool:
        return self.owner is not None and self.owner.strict

    def headers(self) -> dict[str, str]:
        said = {"x-filmgate-dialect": self.dialect.NAME}
        if self.task is not None:
            said |= task_headers(self.task)
        if self.replayed:
            said["idempotent-replayed"] = "true"
        return said


def task_headers(task: Task) -> dict[str, str]:
    """Say what no dialect's body can: our id of the task, and its money."""
    match task.cost_micros:
        case None:
            cost = f"{task.hold_micros};state=held"
        case 0 if task.hold_micros:
            cost = "0;state=returned"
        case charged:
            cost = f"{charged};state=charged"
    return {"x-filmgate-task": str(task.id), "x-filmgate-cost": cost}


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
        return [route for path, spoken in ways.items() for route in self._on_path(path, spoken)]

    def _on_path(self, path: str, spoken: Sequence[tuple[Dialect, Route]]) -> list[WebRoute]:
        # Clients that forget `/v1` in their base URL are meant too.
        shared = [path, *([path.removeprefix("/v1")] if path.startswith("/v1/videos") else [])]
        routes = [self._route(way, spoken, None) for way in shared]
        for name in dict.fromkeys(dialect.NAME for dialect, _ in spoken):
            own = [(dialect, route) for dialect, route in spoken if name == dialect.NAME]
            routes += [self._route(f"/{name}{way}", own, name) for way in shared]
        return routes

    def _route(self, path: str, spoken: Sequence[tuple[Dialect, Route]], mount: str | None) -> WebRoute:
        async def serve(request: Request) -> Response:
            return await self._serve(request, spoken, mount)

        # Every method comes here, so that also a wrong one is answered in the dialect's form.
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
        return WebRoute(path, serve, methods=methods, include_in_schema=False)

    async def _serve(
        self, request: Request, spoken: Sequence[tuple[Dialect, Route]], mount: str | None
    ) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        fitting = [(dialect, route) for dialect, route in spoken if route.method == method]
        candidates = [dialect for dialect, _ in fitting or spoken]
        verbs = {dialect.NAME: route.verb for dialect, route in fitting}
        turn = _Turn(select(candidates, _call(request, "", {}), None, self._around.catalogue, mount))
        try:
            if not fitting:
                raise _not_spoken(request, spoken)  # noqa: TRY301  # answered in the dialect's form
            turn.owner = await self._around.doorman.owner(request)
            fields, form = await read_fields(request) if method == "POST" else ({}, False)
            call = _call(request, "", fields, form=form)
            turn.dialect = select(candidates, call, turn.owner, self._around.catalogue, mount)
            await self._let_task_choose(request, turn, candidates, mount)
            call = _call(request, verbs[turn.dialect.NAME], fields, form=form, strict=turn.strict)
            return await self._act(request, turn, turn.dialect.parse(call), call)
        except Exception as error:  # noqa: BLE001  # whatever it was, the client reads its dialect's own form
            problem = as_problem(error, request.scope.get("request_id", ""))
            if problem.code == "internal_error":
                self._around.telemetry.event(
                    "http.broken", error=error, request_id=request.scope.get("request_id")
                )
            reply = turn.dialect.render_error(problem, strict=turn.strict)
            return json_answer(
                reply.status, reply.body, {**reply.headers, **turn.headers(), **problem.headers}
            )

    async def _let_task_choose(
        self, request: Request, turn: _Turn, candidates: Sequence[Dialect], mount: str | None
    ) -> None:
        """On a read of a shared path, the task speaks the dialect that it was submitted in."""
        name = request.path_params.get("id")
        if name is None or turn.owner is None:
            return
        turn.task = await self._around.reader.find(name, turn.owner.account_id)
        if turn.task is not None and mount is None:
            own = turn.task.dialect
            turn.dialect = next((dialect for dialect in candidates if own == dialect.NAME), turn.dialect)

    async def _act(self, request: Request, turn: _Turn, action: Action, call: Call) -> Response:
        outcome: Outcome
        match action:
            case Create():
                outcome = Accepted(await self._create(request, turn, action, call))
            case Content(_, role):
                return await film_answer(request, self._around, _known(turn), role, turn.headers())
            case Show():
                outcome = Status(self._view(request, _known(turn)))
            case Delete():
                outcome = Deleted(await self._delete(request, turn))
            case ListTasks():
                outcome = await self._list(request, turn, action)
            case ListModels(name):
                outcome = self._models(turn, name)
        reply = turn.dialect.render(outcome, strict=turn.strict)
        return json_answer(reply.status, reply.body, {**reply.headers, **turn.headers()})

    async def _create(self, request: Request, turn: _Turn, action: Create, call: Call) -> TaskView:
        if turn.owner is None:
            raise Problem("missing_key")
        turn.task, turn.replayed = await self._around.acceptance.accept(
            action.draft,
            owner=turn.owner,
            dialect=turn.dialect.NAME,
            names=turn.dialect.NAMES,
            repeat=repeat_of(call.headers),
        )
        self._around.bell.set()
        self._around.telemetry.accepted(turn.dialect.NAME, turn.task.request.model)
        return self._view(request, turn.task)

    async def _delete(self, request: Request, turn: _Turn) -> TaskView:
        task = _known(turn)
        if not await self._around.files.delete_task(task.id, task.account_id):
            raise Problem("task_running" if not task.state.ended else "task_not_found")
        return self._view(request, task)

    async def _list(self, request: Request, turn: _Turn, action: ListTasks) -> Page:
        account_id = turn.owner.account_id if turn.owner else 0
        after = None
        if action.after is not None:
            after = await self._around.reader.place(action.after, account_id)
            if after is None:
                reason, reason_zh = "an id of this list is right.", "应为本列表中的编号。"
                raise Problem("invalid_parameter", field="after", reason=reason, reason_zh=reason_zh)
        tasks, more = await self._around.reader.page(
            account_id, after=after, limit=min(action.limit, PAGE_LONGEST), newest_first=action.newest_first
        )
        return Page([self._view(request, task) for task in tasks], more)

    def _models(self, turn: _Turn, name: str | None) -> ModelPage:
        if name is not None:
            models = [model for model in self._offered(turn) if model.name == name]
            if not models:
                raise Problem("not_found")
            return ModelPage([ModelCard(name, models[0].owner, models[0].created)], single=True)
        models = self._offered(turn)
        return ModelPage([ModelCard(model.name, model.owner, model.created) for model in models])

    def _offered(self, turn: _Turn) -> list[Model]:
        return [model for model in self._around.catalogue.models if turn.dialect.NAME in model.offers]

    def _view(self, request: Request, task: Task) -> TaskView:
        return TaskView(task, self._around.links(task, request))


def _known(turn: _Turn) -> Task:
    if turn.task is None:
        raise Problem("task_not_found")
    return turn.task


def _not_spoken(request: Request, spoken: Sequence[tuple[Dialect, Route]]) -> Problem:
    allowed = ", ".join(sorted({route.method for _, route in spoken}))
    return Problem("method_not_allowed", method=request.method[:20]).with_headers({"allow": allowed})


def _call(request: Request, verb: str, fields: Fields, *, form: bool = False, strict: bool = False) -> Call:
    return Call(
        verb=verb,
        params=cast("Mapping[str, str]", request.path_params),
        query=dict(request.query_params),
        headers=request.headers,
        fields=fields,
        form=form,
        strict=strict,
    )


def repeat_of(headers: Mapping[str, str]) -> Repeat:
    """Read by what a repeated submit can be known."""
    key = headers.get("idempotency-key")
    if key is not None and not 0 < len(key.encode()) <= IDEMPOTENCY_KEY_BYTES:
        reason, reason_zh = (
            f"1 to {IDEMPOTENCY_KEY_BYTES} bytes are right.",
            f"应为 1 到 {IDEMPOTENCY_KEY_BYTES} 字节。",
        )
        raise Problem("invalid_parameter", field="Idempotency-Key", reason=reason, reason_zh=reason_zh)
    retries = headers.get("x-stainless-retry-count", "")
    return Repeat(key=key, retries=int(retries[:4]) if retries.isascii() and retries.isdigit() else None)
