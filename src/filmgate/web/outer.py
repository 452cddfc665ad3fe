"""Around every request: its id, its measure, its line in the log."""

import re
from collections.abc import Callable
from typing import Final, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from filmgate.domain.clock import Clock

# Probes ask these all day: only a failure is worth a line.
_UNTOLD: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_FAILED: Final = 400
_TOO_MANY: Final = 429
# Where nobody knows better; clients that are told nothing ask again at once.
_LATER_S: Final = "30"
_OWN: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class OuterTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def answered(self, route: str, method: str, status: int, dialect: str, seconds: float) -> None: ...


class Outer:
    """ASGI middleware; a caller's own `x-request-id` is kept where it is one."""

    def __init__(
        self, app: ASGIApp, telemetry: OuterTelemetry, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _OWN.fullmatch(given) else self._new_id()
        scope["request_id"] = request_id
        started = self._clock.monotonic()
        said: dict[str, str | int] = {"status": 500, "dialect": ""}

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers.setdefault("x-filmgate-dialect", "gate")
                if message["status"] == _TOO_MANY and headers.get("x-should-retry") != "false":
                    headers.setdefault("retry-after", _LATER_S)
                said.update(status=message["status"], dialect=headers["x-filmgate-dialect"])
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        finally:
            self._tell(scope, str(said["dialect"]), int(said["status"]), self._clock.monotonic() - started)

    def _tell(self, scope: Scope, dialect: str, status: int, seconds: float) -> None:
        route = scope.get("route")
        template = str(getattr(route, "path", "unknown"))
        self._telemetry.answered(template, scope["method"], status, dialect, seconds)
        if template in _UNTOLD and status < _FAILED:
            return
        self._telemetry.event(
            "http.answered",
            route=template,
            method=scope["method"],
            status=status,
            dialect=dialect,
            request_id=scope["request_id"],
            duration_ms=round(seconds * 1000, 2),
        )
