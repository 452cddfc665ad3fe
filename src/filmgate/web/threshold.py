"""The threshold of our own API: who asks, and how much, before any body is parsed."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from filmgate.web.answers import language_of, problem_answer
from filmgate.web.body import Bodies, read_body
from filmgate.web.keys import Doorman
from filmgate.web.mishaps import Events, noticed

_BODIES = frozenset({"POST", "PUT", "PATCH"})


class Threshold:
    """ASGI middleware: without a key no body is read, and a body that is read was checked."""

    def __init__(self, app: ASGIApp, doorman: Doorman, bodies: Bodies, telemetry: Events) -> None:
        self._app = app
        self._telemetry = telemetry
        self._bodies = bodies
        self._doorman = doorman

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _BODIES:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._doorman.owner(request)
            body = await read_body(request, self._bodies)
        except Exception as error:  # noqa: BLE001  # whatever it was, the client reads our own form
            problem = noticed(error, scope.get("request_id", ""), self._telemetry)
            await problem_answer(problem, language_of(request))(scope, receive, send)
            return
        await self._app(_as_json(scope), _replaying(body, receive), send)


def _as_json(scope: Scope) -> Scope:
    """Say that the body is JSON, as it was checked to be, also where the client forgot to."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
    return {**scope, "headers": [*headers, (b"content-type", b"application/json")]}


def _replaying(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
