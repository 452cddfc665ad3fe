import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator

import pytest

from filmgate.objects.store import ObjectStore, open_store
from objects.crossing import Crossing, crossing_to
from objects.servers import HASTY, KEY, SECRET, S3Server, start_server, stop_server


@pytest.fixture(scope="session")
def one_server(tmp_path_factory) -> Iterator[S3Server]:
    server = start_server(tmp_path_factory.mktemp("s3") / "root")
    yield server
    stop_server(server)


@pytest.fixture
def server(one_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, and an environment that names it; each test has a prefix of its own to work under."""
    for name in [name for name in os.environ if re.match("AWS_|GOOGLE_|AZURE_", name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", one_server.endpoint)
    return one_server


@pytest.fixture
def place(tmp_path) -> str:
    return f"s3://films/{re.sub('[^a-z0-9]', '', tmp_path.name.lower())}"


@pytest.fixture
async def bucket(server, place) -> AsyncIterator[ObjectStore]:
    store = open_store(place, patience=HASTY)
    yield store
    await store.close()


@pytest.fixture
async def crossing(server, monkeypatch) -> AsyncIterator[Crossing]:
    async with crossing_to(server.port) as crossing:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{crossing.port}")
        yield crossing


@pytest.fixture
async def crossed(crossing, place) -> AsyncIterator[ObjectStore]:
    """A store whose bucket lies across the crossing."""
    store = open_store(place, patience=HASTY)
    yield store
    await store.close()
    await asyncio.sleep(0)
