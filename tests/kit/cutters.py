"""A way to PostgreSQL that can be cut at the moment of a commit, on either side of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

_COMMIT = b"COMMIT;"


class Cut(Enum):
    BEFORE = "before the commit reaches the server"
    AFTER = "after it is made, before its answer comes"


@dataclass
class Cutter:
    """Cuts the next connections that commit, as many as are said."""

    cut: Cut = Cut.AFTER
    left: int = 0
    made: int = 0


@asynccontextmanager
async def cutting(database: dict[str, Any], folder: Path) -> AsyncIterator[tuple[Cutter, dict[str, Any]]]:
    """Stand between a client and a server; give the cutter, and asyncpg's arguments for the way through it."""
    cutter = Cutter()
    real = f"{database['host']}/.s.PGSQL.{database['port']}"
    ways: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(real)
        answers = asyncio.create_task(_pump(there, writer))
        ways.add(answers)
        try:
            while data := await reader.read(65536):
                if _COMMIT in data and cutter.left:
                    cutter.left -= 1
                    cutter.made += 1
                    if cutter.cut is Cut.AFTER:
                        answers.cancel()
                        await asyncio.gather(answers, return_exceptions=True)
                        back.write(data)
                        # Its answer is what tells that it was made; nobody hears of it.
                        await there.read(1)
                    return
                back.write(data)
                await back.drain()
        except ConnectionError:
            return
        finally:
            answers.cancel()
            for side in (writer, back):
                side.close()

    server = await asyncio.start_unix_server(serve, folder / f".s.PGSQL.{database['port']}")
    try:
        yield cutter, {**database, "host": str(folder)}
    finally:
        server.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
