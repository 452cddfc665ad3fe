"""Where providers call when a job of theirs has ended: a hint to ask at once, of which not a word is believed.

Whoever calls without having been asked to gets a job asked for a little earlier, and nothing else.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from filmgate.domain.limits import VENDOR_REF_CHARACTERS
from filmgate.web.body import json_object, read_body
from filmgate.web.surroundings import Surroundings

_TAKEN = 204


def callback_routes(around: Surroundings) -> list[Route]:
    """Build the routes: the job's id stands in the address, or in the body as OpenAI's events have it."""

    async def named(request: Request) -> Response:
        return await _hear(around, request, request.path_params["ref"])

    async def told(request: Request) -> Response:
        said = json_object(await read_body(request, around.bodies)).get("data")
        return await _hear(around, request, said.get("id") if isinstance(said, dict) else None)

    return [
        Route("/callbacks/{provider}/{ref}", named, methods=["POST"]),
        Route("/callbacks/{provider}", told, methods=["POST"]),
    ]


async def _hear(around: Surroundings, request: Request, ref: object) -> Response:
    """Answer alike whatever is true, so that nobody learns which jobs there are."""
    provider = request.path_params["provider"]
    if isinstance(ref, str) and len(ref) <= VENDOR_REF_CHARACTERS and "\0" not in ref + provider:
        await around.engine.claims.hasten(provider, ref)
        around.bell.set()
    return Response(status_code=_TAKEN)
