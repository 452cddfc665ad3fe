"""Signed paths, `/s/...`: what a dialect promises to be open is read without a key, as its owner would read it."""

import re
from typing import Final

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from filmgate.domain.problems import Problem
from filmgate.web.links import LinkSigner
from filmgate.web.turn import opened

_DOUBLED: Final = re.compile(r"(?<!:)/{2,}")


def open_route(signer: LinkSigner, inner: ASGIApp) -> Route:
    """Build the route that hands a checked path to `inner`."""
    return Route("/s/{ticket}/{path:path}", _Opening(signer, inner), include_in_schema=False)


class _Opening:
    """An ASGI endpoint: for an instance of a class Starlette lets every method through."""

    def __init__(self, signer: LinkSigner, inner: ASGIApp) -> None:
        self._signer = signer
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in {"GET", "HEAD"}:
            problem = Problem("method_not_allowed", method=request.method[:20])
            raise problem.with_headers({"allow": "GET, HEAD"})
        path = f"/{request.path_params['path']}"
        left = self._signer.check(request.path_params["ticket"], f"/s{path}")
        await self._inner(opened(scope, path, left), receive, send)


class Smooth:
    """ASGI middleware: a doubled slash, or one at the end, is a slip of a base URL and no other address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = _DOUBLED.sub("/", scope["path"])
            path = path.rstrip("/") or "/"
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
