"""Bugs that are planted on purpose still are bugs: what they change stands where they look for it."""

import ast
from pathlib import Path

import pytest

from chaos.mutants import MUTANTS, planted
from filmgate.domain.failpoint import POINTS


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bug_can_be_planted_into_a_copy_that_is_python_and_another(tmp_path: Path, name: str) -> None:
    mutant = MUTANTS[name]
    copy = planted(name, tmp_path)
    for file, _, wrong in mutant.changes:
        text = (copy / "filmgate" / file).read_text()
        ast.parse(text)
        assert wrong in text
    assert set(mutant.points) <= set(POINTS)
