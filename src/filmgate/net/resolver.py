"""How names become addresses."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

_LOOKUPS_AT_ONCE: Final = 16


class Resolver(Protocol):
    async def __call__(self, host: str) -> Sequence[str]:
        """Give every address of a name, IPv4 and IPv6; raise OSError where there is none."""
        ...


class SystemResolver:
    """The machine's own resolver, on threads of its own: names that never answer hold up only other names."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="resolver")

    async def __call__(self, host: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[str]:
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
