"""One real gate for the tests that do not harm it."""

from collections.abc import Iterator
from typing import Any

import pytest

from kit.databases import own_database
from kit.gates import RealGate, free_port
from kit.pictures import served

PICTURE_PORT = free_port()


@pytest.fixture(scope="session")
def pictures() -> Iterator[str]:
    """Serve pictures on this machine; give the address."""
    with served(PICTURE_PORT) as address:
        yield address


@pytest.fixture
def dsn(postgres: dict[str, Any]) -> Iterator[str]:
    """Give the address of a database for a gate that one test starts: sooner there than one of the gate's own."""
    with own_database(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory, pictures: str) -> Iterator[RealGate]:
    allowed = pictures.removeprefix("http://")
    data = tmp_path_factory.mktemp("acceptance") / "data"
    gate = RealGate(data, environment={"FILMGATE_GUARD_ALLOW": allowed})
    gate.start()
    yield gate
    assert gate.stop() == 0


@pytest.fixture(scope="session")
def film_id(gate: RealGate) -> str:
    """One short film, which most tests share."""
    id_ = gate.make(prompt="a paper boat on a calm lake at dusk, fireflies", seconds=2)
    task = gate.ended(id_)
    assert task["state"] == "succeeded", task
    return id_


@pytest.fixture(scope="session")
def strict_key(gate: RealGate) -> str:
    """A key whose answers have exactly the documented keys; its account is `strict`."""
    return gate.new_key("strict", account="strict", strict=True)


@pytest.fixture(scope="session")
def plain_key(gate: RealGate, strict_key: str) -> str:
    """Another key of the same account, to which the same tasks are shown with what harms nobody besides."""
    return gate.new_key("plain", account="strict")


@pytest.fixture
def nothing_is_stored(gate: RealGate, strict_key: str) -> Iterator[None]:
    """Hold that a test leaves no task in any of its accounts."""
    keys = (gate.key, strict_key)
    before = [_latest(gate, key) for key in keys]
    yield
    assert [_latest(gate, key) for key in keys] == before


def _latest(gate: RealGate, key: str) -> list[str]:
    page = gate.ask("GET", "/gate/v1/tasks?limit=5", key=key).json["data"]
    return [task["id"] for task in page]
