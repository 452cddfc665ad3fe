"""A database of the operator's own, by its address."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.databases import own_database, sql
from kit.gates import RealGate


def test_a_gate_on_a_given_database_starts_none_of_its_own(postgres: dict[str, Any], tmp_path: Path) -> None:
    with own_database(postgres) as dsn:
        gate = RealGate(tmp_path / "data", environment={"FILMGATE_DATABASE_URL": dsn})
        gate.start()
        try:
            assert gate.ended(gate.make())["state"] == "succeeded"
            assert not (gate.data / "postgres").exists()
        finally:
            assert gate.stop() == 0


def test_a_database_that_could_lose_what_it_accepted_is_refused(
    postgres: dict[str, Any], tmp_path: Path
) -> None:
    with own_database(postgres) as dsn:
        sql(dsn, f"alter database {urlsplit(dsn).path[1:]} set synchronous_commit = off")
        gate = RealGate(tmp_path / "data", environment={"FILMGATE_DATABASE_URL": dsn})
        gate.start(wait=False)
        assert gate.process is not None
        assert gate.process.wait(30) == 2
        assert "synchronous_commit off" in gate.log.read_text()
