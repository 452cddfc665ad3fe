"""Conversations: a film that is told when it is there, or word by word while it is made."""

from collections.abc import AsyncIterator
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from filmgate.domain.contracts import Talks, TaskView, Told
from filmgate.domain.limits import LOOK_AGAIN
from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.web.answers import json_answer
from filmgate.web.streams import Held, Stream
from filmgate.web.turn import Turn

# Proxies cut a stream that says nothing for half a minute.
_AWAKE_EVERY_S: Final = 15
_UNBUFFERED: Final = {"x-accel-buffering": "no", "cache-control": "no-store"}


async def conversation(turn: Turn, task: Task, *, streamed: bool) -> Response:
    """Answer when the film is there, or at once and then on and on; who hangs up loses nothing."""
    language = turn.asked or turn.dialect.LANGUAGE
    if streamed and isinstance(turn.dialect, Talks):
        pieces = _pieces(turn, turn.dialect, task, language)
        answer = EventSourceResponse(
            pieces,
            ping=_AWAKE_EVERY_S,
            ping_message_factory=lambda: ServerSentEvent(comment="still at work"),
            sep="\n",
            headers={**_UNBUFFERED, **turn.headers()},
        )
        return Held(answer, turn.around.streams, Stream.EVENTS, f"key {turn.mine.key_id}")
    view = turn.view(task)
    async for now in _views(turn, task):
        view = now
    turn.task = view.task
    if not view.task.state.ended:
        raise Problem("shutting_down").with_headers({"retry-after": "5"})
    reply = turn.dialect.render(Told(view, language), strict=turn.strict)
    return json_answer(reply.status, reply.body, {**reply.headers, **turn.headers()})


async def _pieces(turn: Turn, dialect: Talks, task: Task, language: str) -> AsyncIterator[dict[str, str]]:
    before: TaskView | None = None
    async for now in _views(turn, task):
        for chunk in dialect.chunks(before, now, language):
            yield {"data": orjson.dumps(chunk).decode()}
        before = now
    if before is not None and before.task.state.ended:
        yield {"data": "[DONE]"}


async def _views(turn: Turn, task: Task) -> AsyncIterator[TaskView]:
    """Give a task as it is, and each time that it changed, until it has ended or this process stops."""
    shown = 0
    with turn.around.listener.task(task.id) as watch:
        while True:
            if task.version != shown:
                yield turn.view(task)
                shown = task.version
            if task.state.ended or turn.around.draining.is_set():
                return
            await watch.changed(LOOK_AGAIN.total_seconds())
            found = await turn.around.reader.find(str(task.id), task.account_id)
            if found is None:
                # Its owner deleted it meanwhile: there is nothing more to tell.
                return
            task = found
