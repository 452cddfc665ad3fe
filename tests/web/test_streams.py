"""One key cannot take every place for what stays open long."""

import asyncio

import pytest
from starlette.responses import Response
from starlette.types import Message

from filmgate.domain.limits import CONTENT_STREAMS_OF_KEY, EVENT_STREAMS_OF_KEY
from filmgate.domain.problems import Problem
from filmgate.web.streams import Held, Stream, Streams


class Endless(Response):
    """A response that ends when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = asyncio.Event()

    async def __call__(self, *_: object) -> None:
        await self.ends.wait()


async def _receive() -> Message:
    return {"type": "http.disconnect"}


async def _send(_: Message) -> None:
    return


@pytest.mark.parametrize(
    ("kind", "most"), [(Stream.CONTENT, CONTENT_STREAMS_OF_KEY), (Stream.EVENTS, EVENT_STREAMS_OF_KEY)]
)
async def test_a_key_has_so_many_places_and_gets_each_back(kind: Stream, most: int) -> None:
    streams = Streams()
    inner = [Endless() for _ in range(most)]
    running = [
        asyncio.create_task(Held(one, streams, kind, "key 1")({"type": "http"}, _receive, _send))
        for one in inner
    ]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        Held(Endless(), streams, kind, "key 1")
    problem = refused.value
    assert (problem.code, problem.wording.status, problem.headers["retry-after"]) == (
        "too_many_streams",
        429,
        "5",
    )
    Held(Endless(), streams, kind, "key 2")
    inner[0].ends.set()
    running[1].cancel()
    await asyncio.wait(running[:2])
    for _ in range(2):
        streams.demand(kind, "key 1")
    for task in running[2:]:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
