"""A video vendor that is none: it speaks `/v1/videos`, draws test cards, lies on request, and logs it all.

It shares no code with the rest of the house, so that its log is a witness of its own.
"""

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiohttp import web

from filmgate.mirage.jobs import Jobs
from filmgate.mirage.lies import known
from filmgate.mirage.log import Log
from filmgate.mirage.server import Mirage


@dataclass(frozen=True, slots=True, kw_only=True)
class MirageSettings:
    """`lies` are told of every job, `lose_replies` is the share of jobs whose reply is lost, `data` None a new folder.

    Port 0 is a free one. With `idempotent`, an Idempotency-Key that was seen gives its job again. Raise ValueError
    for what cannot be meant.
    """

    host: str = "127.0.0.1"
    port: int = 0
    data: Path | None = None
    lies: frozenset[str] = frozenset()
    takes_s: float = 1.0
    lose_replies: float = 0.0
    seed: int = 0
    idempotent: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        for lie in self.lies:
            known(lie)
        if not 0 <= self.lose_replies <= 1:
            raise ValueError(f"the share of lost replies must be 0 to 1, not {self.lose_replies}")
        if self.takes_s < 0:
            raise ValueError(f"a job cannot take {self.takes_s} s")


def run(arguments: MirageSettings) -> None:
    """Serve until SIGTERM or SIGINT. Once it listens, say where as a line of JSON on stdout."""
    asyncio.run(_serve(arguments))


async def _serve(settings: MirageSettings) -> None:
    data = settings.data or Path(tempfile.mkdtemp(prefix="mirage-"))
    films = data / "films"
    films.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = (data / "mirage.jsonl").absolute()
    with contextlib.closing(Log(path, time.time)) as log:
        runner = web.AppRunner(_application(settings, log, films), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
            told = _told_to_stop()
            port = cast("tuple[str, int]", runner.addresses[0])[1]
            _say({"base_url": f"http://{settings.host}:{port}/v1", "log": str(path)})
            await told.wait()
        finally:
            await runner.cleanup()


def _application(settings: MirageSettings, log: Log, films: Path) -> web.Application:
    jobs = Jobs(
        seed=settings.seed, takes=settings.takes_s, lies=settings.lies, lose_replies=settings.lose_replies
    )
    jobs.rebuild(log.past)
    mirage = Mirage(jobs, log, films, time.time, idempotent=settings.idempotent, key=settings.key)
    return mirage.application()


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
