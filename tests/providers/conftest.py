import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import Tools
from filmgate.media.child import ChildLimits
from filmgate.media.renderers import Renderers
from filmgate.mirage.film import draw
from filmgate.net.http import open_http

LIMITS = ChildLimits(wall_s=20, cpu_s=10, memory_bytes=4 * 1024**3, file_bytes=1024**2)
# A program with the animatic's manners, whose every film is the one that lies beside it.
PROGRAM = """
import json, shutil, sys
from pathlib import Path

spec = json.load(sys.stdin)
say = lambda **line: print(json.dumps(line), flush=True)
if spec["seconds"] > 25:
    say(event="failed", code="bad_spec", message="seconds must be from 0.5 to 25.")
    sys.exit(2)
if spec["prompt"] == "crash":
    sys.exit(1)
for picture in spec["pictures"]:
    Path(picture["path"]).read_bytes()
say(event="progress", done=12, total=24)
shutil.copy(Path(__file__).with_name("film.mp4"), spec["out"])
say(event="finished", path=spec["out"], frames=24, seconds=1.0, seed=1)
"""


@dataclass
class StandingClock:
    """A clock that moves when it is told to."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()


@dataclass
class Vendor:
    """A mirage that runs as a process, and its log."""

    base_url: str
    log: Path

    def events(self, *names):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if row["event"] in names]


@asynccontextmanager
async def running_mirage(*arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "filmgate.mirage", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        yield Vendor(line["base_url"], Path(line["log"]))
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 20)


@pytest.fixture(scope="session")
async def mirage(tmp_path_factory):
    """A vendor whose jobs take a tenth of a second, and which forgets its keys."""
    folder = tmp_path_factory.mktemp("mirage")
    async with running_mirage("--data", str(folder), "--takes", "0.1", "--key", "sk-vendor") as vendor:
        yield vendor


@pytest.fixture(scope="session")
async def replaying_mirage(tmp_path_factory):
    """A vendor that gives a job again for its Idempotency-Key."""
    folder = tmp_path_factory.mktemp("mirage")
    async with running_mirage("--data", str(folder), "--takes", "0.1", "--idempotent") as vendor:
        yield vendor


@pytest.fixture
async def http():
    async with open_http() as http:
        yield http


@pytest.fixture
def clock():
    return StandingClock()


@pytest.fixture
async def renderers(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.mkdir()
    (program / "stand_in_animatic.py").write_text(PROGRAM)
    draw(program / "film.mp4", width=128, height=96, seconds=1, shade=b"shade")
    monkeypatch.setenv("PYTHONPATH", str(program))
    renderers = Renderers(tmp_path / "films", 2, program="stand_in_animatic", limits=LIMITS)
    yield renderers
    await renderers.close()


@pytest.fixture
def tools(http, renderers, clock):
    return Tools(http=http, renderer=renderers, clock=clock)


@pytest.fixture(scope="session")
def pause():
    return asyncio.sleep
