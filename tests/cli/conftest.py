"""A scripted gate, a real one, and the program, for every test of the command line."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.scripted import Program, Ran, ScriptedGate, serving
from filmgate.cli.program import run
from kit.databases import own_database
from kit.gates import RealGate


@pytest.fixture
def gate() -> Iterator[ScriptedGate]:
    scripted = ScriptedGate()
    with serving(scripted):
        yield scripted


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


Ask = Callable[..., Ran]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the program in this process, in a folder of its own; what is named in capitals is its environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FILMGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FILMGATE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def asked(*words: str, **environment: str) -> Ran:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(words)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return asked


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, postgres: dict[str, Any]) -> Iterator[RealGate]:
    """Give a gate of the module's own."""
    with own_database(postgres) as dsn:
        gate = RealGate(tmp_path_factory.mktemp("verbs") / "data", environment={"FILMGATE_DATABASE_URL": dsn})
        gate.start()
        yield gate
        assert gate.stop() == 0


@pytest.fixture
def on(ask: Ask, real: RealGate, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask on the machine of the real gate, where neither its address nor a key needs to be said."""
    monkeypatch.setenv("FILMGATE_DATA", str(real.data))
    return ask
