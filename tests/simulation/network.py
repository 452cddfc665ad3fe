"""The network between the gate and everybody else: it delays, loses what is sent, and loses the answers to it.

Whatever was sent arrives, or not, without its sender: a process that dies meanwhile changes nothing any more.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

from filmgate.domain.contracts_http import NO_HEADERS, FormFile, HttpReply, HttpStatus, NotSent, ReplyLost
from kit.logs import Received, ReceiverLog
from simulation.loop import Process, SimulatedLoop
from simulation.vendor import NO_REPLY, Vendor

Reply = TypeVar("Reply")
_OK: Final = 200
HANGS: Final = 0
"""What a receiver answers that answers nothing."""


@dataclass
class Network:
    loop: SimulatedLoop
    outside: Process
    dice: random.Random
    down: float = 0.0
    """How often no connection can be made."""
    lost: float = 0.0
    """How often what was sent does not arrive, or its answer."""
    slow_s: float = 0.2
    vendors: dict[str, Vendor] = field(default_factory=dict)

    async def ask(self, what: str, act: Callable[[], Reply | None], timeout_s: float) -> Reply:
        """Let somebody outside act on a request; raise NotSent or ReplyLost as a client would see it."""
        self.loop.note(what)
        if self.dice.random() < self.down:
            raise NotSent("connection refused")
        future: asyncio.Future[Reply] = self.loop.create_future()
        self.loop.spawn(self.outside, self._carry(what, act, future))
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise ReplyLost("no answer came in time") from None

    async def _carry(
        self, what: str, act: Callable[[], Reply | None], future: "asyncio.Future[Reply]"
    ) -> None:
        await asyncio.sleep(self.delay_s())
        if self.dice.random() < self.lost:
            return
        reply = act()
        self.loop.note(f"{what} arrived")
        await asyncio.sleep(self.delay_s())
        if reply is not None and self.dice.random() >= self.lost and not future.done():
            future.set_result(reply)

    def delay_s(self) -> float:
        return self.slow_s * self.dice.random() ** 3


@dataclass
class SimulatedHttp:
    """The gate's one way out, as one of its processes has it."""

    network: Network

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        json: object = None,
        form: Sequence[tuple[str, str | FormFile]] | None = None,
        timeout_s: float,
        limit_bytes: int,
        fresh: bool = False,
    ) -> HttpReply:
        parts = urlsplit(url)
        vendor = self.network.vendors[parts.netloc]
        path = parts.path.removeprefix("/v1")

        def act() -> HttpReply | None:
            reply = vendor.answer(method, path, headers, parts.query)
            return None if reply is NO_REPLY else reply

        return await self.network.ask(f"{method} {parts.netloc}{path}?{parts.query}", act, timeout_s)

    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float,
        idle_s: float,
        limit_bytes: int,
    ) -> AsyncIterator[bytes]:
        parts = urlsplit(url)
        vendor = self.network.vendors[parts.netloc]
        path = parts.path.removeprefix("/v1")
        status, content, whole = await self.network.ask(
            f"FETCH {parts.netloc}{path}", lambda: vendor.film(path, headers), idle_s
        )
        if status != _OK:
            raise HttpStatus(status, content)
        half = len(content) // 2
        for piece in (content[:half], content[half:]):
            if piece:
                yield piece
                await asyncio.sleep(0)
        if not whole:
            raise ReplyLost("the connection was cut")


@dataclass
class Receivers:
    """Who is told of films: each address answers by dice, and all that came is kept."""

    dice: random.Random
    now: Callable[[], datetime]
    verified: Callable[[str, Mapping[str, str], bytes], bool]
    owners: dict[str, int] = field(default_factory=dict)
    moody: float = 0.0
    gone: float = 0.0
    received: list[Received] = field(default_factory=list)

    def log(self) -> ReceiverLog:
        return ReceiverLog(self.received, self.owners)

    def take(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpReply | None:
        status = _OK
        if self.dice.random() < self.moody:
            status = self.dice.choice((500, 503, 302, 404, HANGS, 429))
        elif self.dice.random() < self.gone:
            status = 410
        self.received.append(
            Received(
                url=url,
                id=headers["webhook-id"],
                body=body,
                verified=self.verified(url, headers, body),
                at=self.now(),
                status=status or None,
            )
        )
        if status == HANGS:
            return None
        asked = {"retry-after": "40"} if status in {429, 503} else {}
        return HttpReply(status, asked, b"thanks" if status == _OK else b"no")


@dataclass
class SimulatedPost:
    network: Network
    receivers: Receivers

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float, most_bytes: int
    ) -> HttpReply:
        return await self.network.ask(
            f"POST {url} {headers['webhook-id']}",
            lambda: self.receivers.take(url, headers, body),
            timeout_s,
        )
