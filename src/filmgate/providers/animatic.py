"""The animatic engine: films that the gate draws by itself, and the rehearsal of every end.

A submit is idempotent: its key names the drawing. The words in a prompt that ask for an end are cut out before
anything is drawn, and reach this provider as `rehearsal`.

| of the request      | in the spec of the drawing      |
|---------------------|---------------------------------|
| prompt, seed, sound | the same                        |
| size                | width, height                   |
| seconds             | seconds                         |
| frames              | pictures: the first frame alone |
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from filmgate.domain.clock import Clock
from filmgate.domain.contracts import (
    ClipRequest,
    Done,
    Drawing,
    Failed,
    Pending,
    Polled,
    Provider,
    ProviderConfig,
    Renderer,
    Ticket,
    Tools,
)
from filmgate.domain.faults import Broken
from filmgate.domain.limits import CONTENT_CHUNK
from filmgate.domain.request import Json, PictureRole
from filmgate.providers.options import demand_known

ASK_IN: Final = timedelta(seconds=0.25)
_ENDS: Final[Mapping[str, Failed]] = {
    "fail": Failed("provider_failed", "rehearsed by --sandbox=fail"),
    "filtered": Failed("content_refused", "rehearsed by --sandbox=filtered"),
    "retry": Failed("provider_failed", "rehearsed by --sandbox=retry", again=True),
}


def build(config: ProviderConfig, tools: Tools) -> Provider:
    demand_known(config, {})
    return Animatic(tools.renderer, tools.clock)


class Animatic:
    replays = True

    def __init__(self, renderer: Renderer, clock: Clock) -> None:
        self._renderer = renderer
        self._clock = clock

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        frames = [frame for frame in request.frames if frame.role is PictureRole.FIRST][:1]
        spec: dict[str, Json] = {
            "prompt": request.prompt,
            "seed": request.seed,
            "width": request.size.width,
            "height": request.size.height,
            "seconds": request.seconds,
            "sound": request.sound,
            "pictures": [{"role": frame.role.value} for frame in frames],
        }
        end = _rehearsed(request)
        if end is None:
            await self._renderer.start(key, spec, frames)
        slow = timedelta(seconds=request.rehearsal.slow_s)
        not_before = (self._clock.now() + slow).isoformat() if slow else None
        return Ticket(key, {"spec": spec, "end": end, "not_before": not_before}, ASK_IN)

    async def poll(self, ticket: Ticket) -> Polled:
        not_before = cast("str | None", ticket.memory["not_before"])
        if not_before is not None and self._clock.now() < datetime.fromisoformat(not_before):
            return Pending(0, ASK_IN)
        end = cast("str | None", ticket.memory["end"])
        if end is not None:
            return _ENDS[end]
        spec = cast("Mapping[str, Json]", ticket.memory["spec"])
        return _polled(await self._drawing(ticket.ref, spec), ticket)

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        drawing = await self._drawing(str(result["key"]), cast("Mapping[str, Json]", result["spec"]))
        if drawing.path is None:
            raise Broken(drawing.error or "the film is gone from this machine, and is being drawn again")
        try:
            file = await asyncio.to_thread(drawing.path.open, "rb")
        except OSError as error:
            raise Broken(f"the film cannot be read: {error.strerror}") from error
        with file:
            while chunk := await asyncio.to_thread(file.read, CONTENT_CHUNK):
                yield chunk

    async def tidy(self, ticket: Ticket) -> None:
        await self._renderer.forget(ticket.ref)

    async def _drawing(self, key: str, spec: Mapping[str, Json]) -> Drawing:
        """Look, and draw what this machine does not know: the process that began it may have died."""
        drawing = self._renderer.look(key)
        if drawing is None:
            await self._renderer.start(key, spec, ())
            drawing = Drawing()
        return drawing


def _rehearsed(request: ClipRequest) -> str | None:
    rehearsal = request.rehearsal
    if rehearsal.fail:
        return "fail"
    if rehearsal.filtered:
        return "filtered"
    return "retry" if rehearsal.retry and request.attempt == 1 else None


def _polled(drawing: Drawing, ticket: Ticket) -> Polled:
    if drawing.path is not None:
        return Done({"key": ticket.ref, "spec": ticket.memory["spec"]})
    if drawing.error is None:
        return Pending(min(drawing.done * 100 // max(drawing.total, 1), 99), ASK_IN)
    if drawing.bad_request:
        return Failed("request_refused", drawing.error)
    return Failed("provider_failed", drawing.error, again=True)
