"""The buckets of a run: a real server of S3, which can be gone for a while and then knows of no upload any more."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kit.shelves import THEIR_SECRETS, bucket_settings, destination_table
from objects.servers import S3Server, start_server, stop_server

THEIRS: Final = "theirs"


class Shelf:
    """Where the films of a run lie, and one bucket of its customers."""

    def __init__(self, folder: Path) -> None:
        self._server: S3Server = start_server(folder / "root")
        self._there = True

    @property
    def environment(self) -> Mapping[str, str]:
        return {**bucket_settings(self._server.endpoint), **THEIR_SECRETS}

    @property
    def destination(self) -> str:
        return destination_table(THEIRS, self._server.endpoint)

    @property
    def films(self) -> Path:
        return self._server.root / "films" / "gate"

    @property
    def theirs(self) -> Path:
        return self._server.root / "theirs" / THEIRS

    async def leave(self) -> None:
        """Be gone, as a server that is killed: whatever was begun and not ended is forgotten."""
        if self._there:
            self._there = False
            await asyncio.to_thread(stop_server, self._server)

    async def come_back(self) -> None:
        if not self._there:
            self._server = await asyncio.to_thread(start_server, self._server.root, self._server.port)
            self._there = True

    def close(self) -> None:
        if self._there:
            self._there = False
            stop_server(self._server)
