"""Posting to what customers named by URL: webhooks, which follow no redirect."""

import asyncio
import io
from collections.abc import Mapping

import aiohttp

from filmgate.domain.contracts_http import HttpReply
from filmgate.net.dial import GuardedDial
from filmgate.net.exchange import opening, whole


class GuardedPost:
    def __init__(self, dial: GuardedDial) -> None:
        self._dial = dial

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float, most_bytes: int
    ) -> HttpReply:
        """Post once and read how the answer begins, of any status. Raise Denied, NotSent or ReplyLost."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        checked = self._dial.guard.check(url)
        payload = aiohttp.payload.BytesIOPayload(io.BytesIO(body))
        async with self._dial.request(
            "POST", checked, headers=headers, body=payload, within_s=timeout_s
        ) as response:
            return whole(response, await opening(response, most_bytes, deadline - loop.time()))
