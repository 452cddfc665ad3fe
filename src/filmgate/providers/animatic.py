"""The animatic engine: films that the gate draws by itself, and the rehearsal of every end.

A submit is idempotent: its key names the drawing. The words in a prompt that ask for an end are cut out before
anything is drawn, and reach this provider as `rehearsal`.

| of the request      | in the spec of the drawing      |
|---------------------|---------------------------------|
| prompt, seed, sound | the same                        |
| size                | width, height                   |
| seconds             | seconds                         |
| frames              | pictures                        |
| extends             | prompt, extend, start; a last frame where another made that film |
| remixes             | keep, seed                      |
| upsamples           | nothing: the same drawing, larger |
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_provider import (
    Cancelled,
    ClipRequest,
    Done,
    Drawing,
    Failed,
    Frame,
    Pending,
    Polled,
    Power,
    Provider,
    ProviderConfig,
    Renderer,
    Stopped,
    Ticket,
    Tools,
)
from filmgate.domain.faults import Broken
from filmgate.domain.limits import CONTENT_CHUNK
from filmgate.domain.request import Json
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
    # A drawing of a key that was forgotten is drawn again, and costs nothing.
    replays: timedelta | None = timedelta.max
    cancels = True
    powers: frozenset[Power] = frozenset(Power)

    def __init__(self, renderer: Renderer, clock: Clock) -> None:
        self._renderer = renderer
        self._clock = clock

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        frames = _frames(request)
        spec: dict[str, Json] = {
            **_words(request),
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
            return Pending(None, ASK_IN)
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

    async def cancel(self, ticket: Ticket) -> Stopped:
        await self._renderer.forget(ticket.ref)
        return Cancelled()

    async def tidy(self, ticket: Ticket) -> None:
        await self._renderer.forget(ticket.ref)

    async def _drawing(self, key: str, spec: Mapping[str, Json]) -> Drawing:
        """Look, and draw what this machine does not know: the process that began it may have died."""
        drawing = self._renderer.look(key)
        if drawing is None:
            await self._renderer.start(key, spec, ())
            drawing = Drawing()
        return drawing


def _frames(request: ClipRequest) -> tuple[Frame, ...]:
    earlier = request.extends
    if earlier is None or earlier.last_frame is None:
        return request.frames
    return (earlier.last_frame,)


def _words(request: ClipRequest) -> dict[str, Json]:
    """Say what is drawn; an extension and a remix name the scene that they come from."""
    said: dict[str, Json] = {"prompt": request.prompt, "seed": request.seed}
    if request.extends is not None:
        own = request.prompt if request.prompt != request.extends.prompt else None
        said |= {"prompt": request.extends.prompt, "extend": own, "start": request.extends.seconds}
        said["seed"] = request.extends.seed
    if request.remixes is not None:
        seed = request.remixes.seed if request.seed is None else request.seed
        said |= {"keep": request.remixes.prompt, "seed": seed}
    return said


def _rehearsed(request: ClipRequest) -> str | None:
    rehearsal = request.rehearsal
    if rehearsal.fail:
        return "fail"
    if rehearsal.filtered and not request.softened:
        return "filtered"
    return "retry" if rehearsal.retry and request.attempt == 1 else None


def _polled(drawing: Drawing, ticket: Ticket) -> Polled:
    if drawing.path is not None:
        return Done({"key": ticket.ref, "spec": ticket.memory["spec"]})
    if drawing.error is None:
        return Pending(min(drawing.done * 100 // max(drawing.total, 1), 99), ASK_IN, measured=True)
    if drawing.bad_request:
        return Failed("request_refused", drawing.error)
    return Failed("provider_failed", "the drawing stopped", again=True, cause=drawing.error)
