"""The routes that people's browsers use: the page, its files, signing in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from filmgate.console.assets import Asset, read_assets
from filmgate.domain.limits import BODY_IDLE_SECONDS, MIB
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.web.session import Sessions

_PRIVATE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class OwnerOfKey(Protocol):
    """Finds whose key it is."""

    async def __call__(self, key: str, address: str) -> Owner | None:
        """Give None for an unknown key; raise Problem `too_many_failures` where an address guesses."""
        ...


def pages(sessions: Sessions, owner_of_key: OwnerOfKey) -> list[BaseRoute]:
    """Build the routes; problems are raised for the application's own handler."""
    assets = read_assets()
    return [
        Route("/", _file(assets, "page.html"), methods=["GET"]),
        Route("/console/{name}", _files(assets), methods=["GET"]),
        Route("/signin", _by_ticket(sessions), methods=["GET"]),
        Route("/signin", _by_key(sessions, owner_of_key), methods=["POST"]),
        Route("/signout", _out(sessions), methods=["POST"]),
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _file(assets: Mapping[str, Asset], name: str) -> Endpoint:
    async def serve(request: Request) -> Response:
        return assets[name].answer(request)

    return serve


def _files(assets: Mapping[str, Asset]) -> Endpoint:
    async def serve(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            raise Problem("not_found")
        return asset.answer(request)

    return serve


def _by_ticket(sessions: Sessions) -> Endpoint:
    async def redeem(request: Request) -> Response:
        cookie = sessions.redeem(request.query_params.get("ticket", ""))
        # Who opens the link a second time in the same browser is signed in already.
        known = cookie is not None or sessions.visitor(request) is not None
        answer = RedirectResponse("./" if known else "./?signin=spent", 303, headers=_PRIVATE)
        if cookie is not None:
            sessions.remember(request, answer, cookie)
        return answer

    return redeem


def _by_key(sessions: Sessions, owner_of_key: OwnerOfKey) -> Endpoint:
    async def sign_in(request: Request) -> Response:
        # Else a foreign page could sign its visitor in as somebody else and read what he then makes.
        if not sessions.from_own_page(request):
            raise Problem("missing_key")
        key = await _key(request)
        address = request.client.host if request.client else ""
        owner = await owner_of_key(key, address)
        if owner is None:
            raise Problem("invalid_key")
        if owner.operator:
            raise Problem("makes_no_films")
        answer = Response(status_code=204, headers=_PRIVATE)
        sessions.remember(request, answer, sessions.sign_in(owner))
        return answer

    return sign_in


def _out(sessions: Sessions) -> Endpoint:
    async def sign_out(request: Request) -> Response:
        if not sessions.from_own_page(request):
            raise Problem("missing_key")
        answer = Response(status_code=204, headers=_PRIVATE)
        sessions.forget(request, answer)
        return answer

    return sign_out


async def _key(request: Request) -> str:
    try:
        async with asyncio.timeout(BODY_IDLE_SECONDS):
            said = orjson.loads(await _body(request))
    except (TimeoutError, ClientDisconnect):
        raise Problem("body_too_slow") from None
    except orjson.JSONDecodeError as error:
        raise Problem("malformed_json", reason=str(error)) from None
    key = said.get("key") if isinstance(said, dict) else None
    if not isinstance(key, str) or not key.strip():
        raise Problem("missing_parameter", field="key")
    return key.strip()


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MIB:
            raise Problem("body_too_large", limit_mib=1)
    return body
