"""A scripted gate, and the program, for every test of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.scripted import Program, ScriptedGate, serving


@pytest.fixture
def gate() -> Iterator[ScriptedGate]:
    scripted = ScriptedGate()
    with serving(scripted):
        yield scripted


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)
