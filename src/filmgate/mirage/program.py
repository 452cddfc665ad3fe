"""The vendor as a program: it serves one folder until it is told to stop."""

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from filmgate.mirage.books import Books
from filmgate.mirage.gallery import Gallery, tiny_film
from filmgate.mirage.log import Log
from filmgate.mirage.server import Server
from filmgate.mirage.terms import Terms
from filmgate.mirage.vendor import Vendor
from filmgate.world import new_loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it serves: port 0 is a free one, `folder` None a new one."""

    host: str = "127.0.0.1"
    port: int = 0
    folder: Path | None = None
    terms: Terms = field(default_factory=Terms)


def run(place: Place) -> None:
    """Serve until SIGTERM or SIGINT. Once it listens, say where as a line of JSON on stdout.

    Raise LogInUseError where another serves the folder, and OSError where it cannot listen or write.
    """
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(place))


async def _serve(place: Place) -> None:
    folder = place.folder or Path(tempfile.mkdtemp(prefix="mirage-"))
    films = folder / "films"
    films.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = (folder / "mirage.jsonl").absolute()
    with contextlib.closing(Log(path, time.time)) as log:
        gallery = Gallery(films, tiny_film(films) if place.terms.fast else None)
        server = Server(Vendor(Books(place.terms, log, gallery, time.time)))
        try:
            port = await server.open(place.host, place.port)
            told = _told_to_stop()
            _say({"base_url": f"http://{place.host}:{port}/v1", "log": str(path)})
            await told.wait()
        finally:
            await server.close()


def _say(line: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _told_to_stop() -> asyncio.Event:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows knows no such thing, and ends the program by itself.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, told.set)
    return told
