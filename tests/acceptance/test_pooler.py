"""A database behind a transaction pooler: what needs a session of its own goes past it, and nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kit.databases import own_database
from kit.gates import RealGate


class Way:
    """A way to PostgreSQL that keeps what clients say on it."""

    def __init__(self, target: str) -> None:
        self.said = bytearray()
        self._target = target
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._ends += [client, server]
            threading.Thread(target=self._carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, heard: bool) -> None:  # a thread's argument
        try:
            while content := source.recv(65_536):
                if heard:
                    self.said += content
                sink.sendall(content)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for end in (self._listener, *self._ends):
            end.close()


@pytest.fixture
def ways(postgres: dict[str, Any]) -> Iterator[tuple[Way, Way]]:
    target = f"{postgres['host']}/.s.PGSQL.{postgres['port']}"
    ways = Way(target), Way(target)
    yield ways
    for way in ways:
        way.close()


def test_listening_and_migrations_go_past_a_pooler_and_films_through_it(
    postgres: dict[str, Any], tmp_path: Path, ways: tuple[Way, Way]
) -> None:
    pooled, direct = ways
    with own_database(postgres) as dsn:
        address = f"postgresql://{postgres['user']}@127.0.0.1:{{}}{urlsplit(dsn).path}"
        gate = RealGate(
            tmp_path / "data",
            environment={
                "FILMGATE_DATABASE_URL": address.format(pooled.port),
                "FILMGATE_DATABASE_DIRECT_URL": address.format(direct.port),
            },
        )
        gate.start()
        try:
            assert gate.ended(gate.make())["state"] == "succeeded"
        finally:
            assert gate.stop() == 0
    through, past = bytes(pooled.said), bytes(direct.said)
    for needed in (b"create table film.tasks", b'LISTEN "', b"pg_try_advisory_lock"):
        assert needed in past
        assert needed not in through
    assert b"insert into tasks" in through
    assert b"insert into tasks" not in past
    # A pooler refuses to start a session with what it does not know, and keeps no statement for the next transaction.
    assert b"search_path" not in through
    assert b"__asyncpg_stmt" not in through


def test_a_way_past_a_pooler_without_the_pooler_is_refused(tmp_path: Path) -> None:
    gate = RealGate(
        tmp_path / "data", environment={"FILMGATE_DATABASE_DIRECT_URL": "postgresql://x@127.0.0.1/y"}
    )
    gate.start(wait=False)
    assert gate.process is not None
    assert gate.process.wait(60) == 2
    assert "FILMGATE_DATABASE_URL: set both" in gate.log.read_text()
