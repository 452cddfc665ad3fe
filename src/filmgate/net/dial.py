"""Requests to hosts that others named: only checked addresses are dialled, whatever is resolved later."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from errno import EPERM

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from filmgate.net.addresses import Address, read_answer
from filmgate.net.denied import Denied
from filmgate.net.exchange import Body, Tls, begin, new_session
from filmgate.net.guard import Checked, Guard

OnDial = Callable[[str, int], None]


class GuardedDial:
    """Opens one connection for one request; `on_dial` is told each address and port before it is dialled."""

    def __init__(self, guard: Guard, *, tls: Tls = None, on_dial: OnDial | None = None) -> None:
        self.guard = guard
        self._tls = tls
        self._on_dial = on_dial

    @asynccontextmanager
    async def request(
        self,
        method: str,
        checked: Checked,
        *,
        headers: Mapping[str, str],
        body: Body = None,
        within_s: float,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Resolve, connect, send, and wait `within_s` for the head. Raise Denied, NotSent or ReplyLost."""
        addresses = await self.guard.resolve(checked)
        url = _same_url(checked)
        connector = _PinnedConnector(checked.host, addresses, self._tls, self._on_dial)
        async with (
            new_session(connector) as session,
            await begin(session, method, url, headers=headers, body=body, within_s=within_s) as response,
        ):
            yield response


class _PinnedResolver(AbstractResolver):
    """Knows one host, by the addresses that were checked."""

    def __init__(self, host: str, addresses: tuple[Address, ...]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host != self._host:
            raise PermissionError(EPERM, f"{host} was not checked")
        return [
            ResolveResult(hostname=host, host=str(address), port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


class _PinnedConnector(aiohttp.TCPConnector):
    """Makes no socket for an address that was not checked, and no connection whose peer is another."""

    def __init__(self, host: str, addresses: tuple[Address, ...], tls: Tls, on_dial: OnDial | None) -> None:
        super().__init__(
            resolver=_PinnedResolver(host, addresses),
            use_dns_cache=False,
            force_close=True,
            ssl=True if tls is None else tls,
            socket_factory=self._make_socket,
        )
        self._checked = frozenset(addresses)
        self._on_dial = on_dial

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # the signature is aiohttp's
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        peer = None if connection.transport is None else connection.transport.get_extra_info("peername")
        if not peer or read_answer(str(peer[0])) not in self._checked:
            connection.close()
            raise PermissionError(EPERM, f"the peer {peer} was not checked")
        return connection

    def _make_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        # Literal hosts never reach the resolver: this is the door that every dial passes.
        if read_answer(str(address[0])) not in self._checked:
            raise PermissionError(EPERM, f"the address {address[0]} was not checked")
        if self._on_dial is not None:
            self._on_dial(str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)


def _same_url(checked: Checked) -> URL:
    url = URL(checked.url, encoded=True)
    # Two parsers that read one URL differently are how guards are passed by.
    if (url.scheme, url.raw_host, url.port) != (checked.scheme, checked.host, checked.port):
        raise Denied("G3", f"{checked.host} is read in two ways")
    return url
