"""Worlds of gates, vendors, receivers and customers, each played in an order of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulation.mutants import MUTANTS, planted
from simulation.run import Theatre

FEW = (2, 5)
MANY = range(40)


@pytest.fixture(scope="module")
def theatre(postgres: dict[str, Any]) -> Iterator[Theatre]:
    with Theatre.of_its_own(postgres, "simulation") as theatre:
        yield theatre


@pytest.mark.parametrize("seed", FEW)
def test_a_world_breaks_no_rule_and_is_played_again_in_the_same_way(theatre: Theatre, seed: int) -> None:
    once, again = theatre.play(seed), theatre.play(seed)
    assert (once.violations, again.violations, again.digest) == ([], [], once.digest)


def test_a_world_whose_vendors_want_to_be_asked_all_the_time_breaks_no_rule(theatre: Theatre) -> None:
    assert theatre.play(2, poll_after_ms=250).violations == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(theatre: Theatre, name: str) -> None:
    with planted(name):
        found = next((rules for seed in MANY if (rules := broken(theatre, seed))), set())
    assert found & MUTANTS[name].rules


def broken(theatre: Theatre, seed: int) -> set[str]:
    return {violation.rule for violation in theatre.play(seed).violations}
