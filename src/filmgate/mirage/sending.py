"""How an answer goes out: whole, or in the manner that it asks for."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.web_request import BaseRequest

from filmgate.mirage.calls import Answer, Manner

_PIECE: Final = bytes(64 * 1024)
_DRIPS_PER_SECOND: Final = 10


async def send(request: BaseRequest, answer: Answer) -> web.StreamResponse:
    if answer.wait_s:
        await asyncio.sleep(answer.wait_s)
    if answer.manner is Manner.WHOLE:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    transport = request.transport
    if transport is not None and not transport.is_closing():
        if answer.manner is Manner.UNANSWERED:
            transport.abort()
        else:
            await _send_by_hand(transport, answer)
    # The connection is closed by now, and nobody reads this.
    return web.Response()


async def _send_by_hand(transport: asyncio.Transport, answer: Answer) -> None:
    body = answer.body
    match answer.manner:
        case Manner.CUT_IN_HEAD:
            transport.write(_head(answer, len(body))[:30])
        case Manner.CUT_IN_BODY:
            transport.write(_head(answer, len(body)) + body[: len(body) // 2])
        case Manner.OVERSTATED:
            transport.write(_head(answer, 2 * len(body)) + body)
        case Manner.UNDERSTATED:
            transport.write(_head(answer, len(body) // 2) + body)
        case Manner.ENDLESS:
            transport.write(_head(answer, None) + body)
            await _pour(transport)
        case Manner.DRIPPING:
            await _drip(transport, answer)
        case Manner.STALLED:
            transport.write(_head(answer, len(body)) + body[: len(body) // 2])
            await _wait(transport, answer.lasts_s)
    transport.close()


def _head(answer: Answer, length: int | None) -> bytes:
    """Write the head; without a length the body goes on until the connection is closed."""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += ["connection: close"] if length is None else [f"content-length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


async def _pour(transport: asyncio.Transport) -> None:
    high = transport.get_write_buffer_limits()[1]
    while not transport.is_closing():
        # Nothing is added for a client that does not read.
        if transport.get_write_buffer_size() < high:
            transport.write(_PIECE)
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(0.001)


async def _drip(transport: asyncio.Transport, answer: Answer) -> None:
    transport.write(_head(answer, len(answer.body)))
    drops = max(1, min(round(answer.lasts_s * _DRIPS_PER_SECOND), len(answer.body)))
    sent = 0
    for drop in range(1, drops + 1):
        end = len(answer.body) * drop // drops
        transport.write(answer.body[sent:end])
        sent = end
        await asyncio.sleep(answer.lasts_s / drops)
        if transport.is_closing():
            return


async def _wait(transport: asyncio.Transport, seconds: float) -> None:
    slices = max(1, round(seconds * _DRIPS_PER_SECOND))
    for _ in range(slices):
        if transport.is_closing():
            return
        await asyncio.sleep(seconds / slices)
