"""Bugs that are planted on purpose still are bugs: each puts something else in the place of what there is."""

import pytest

from simulation.mutants import MUTANTS, planted


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bug_replaces_what_there_is_and_is_taken_out_again(name: str) -> None:
    changes = MUTANTS[name].plant()
    right = [getattr(owner, attribute) for owner, attribute, _ in changes]
    assert all(one != wrong for one, (_, _, wrong) in zip(right, changes, strict=True))
    with planted(name):
        planted_now = [getattr(owner, attribute) for owner, attribute, _ in changes]
        assert all(now is not one for now, one in zip(planted_now, right, strict=True))
    assert [getattr(owner, attribute) for owner, attribute, _ in changes] == right
