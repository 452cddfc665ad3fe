"""A database of the operator's own, by its address."""

from pathlib import Path
from typing import Any

import asyncpg

from kit.gates import RealGate


async def test_a_gate_on_a_given_database_starts_none_of_its_own(
    postgres: dict[str, Any], tmp_path: Path
) -> None:
    root = await asyncpg.connect(**postgres)
    await root.execute("create database own_film")
    await root.close()
    address = f"postgresql://{postgres['user']}@/own_film?host={postgres['host']}&port={postgres['port']}"
    gate = RealGate(tmp_path / "data", environment={"FILMGATE_DATABASE_URL": address})
    gate.start()
    try:
        assert gate.ended(gate.make())["state"] == "succeeded"
        assert not (gate.data / "postgres").exists()
    finally:
        assert gate.stop() == 0


async def test_a_database_that_could_lose_what_it_accepted_is_refused(
    postgres: dict[str, Any], tmp_path: Path
) -> None:
    root = await asyncpg.connect(**postgres)
    await root.execute("create database unsafe_film")
    await root.execute("alter database unsafe_film set synchronous_commit = off")
    await root.close()
    address = f"postgresql://{postgres['user']}@/unsafe_film?host={postgres['host']}&port={postgres['port']}"
    gate = RealGate(tmp_path / "data", environment={"FILMGATE_DATABASE_URL": address})
    gate.start(wait=False)
    assert gate.process is not None
    assert gate.process.wait(30) == 2
    assert "synchronous_commit off" in gate.log.read_text()
