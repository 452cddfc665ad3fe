"""Real processes are killed wherever something may be half done; four logs that share no code agree afterwards."""

from pathlib import Path

import pytest

from chaos.hunt import hunt
from chaos.lost import Lost, lose
from chaos.mutants import MUTANTS
from chaos.run import Wanted, run
from chaos.site import Plan

pytestmark = pytest.mark.slow
KILLS = 100
HUNTS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_and_nothing_is_paid_twice_however_often_processes_die(
    tmp_path: Path, seed: int
) -> None:
    outcome = run(tmp_path / "site", Wanted(kills=KILLS, seed=seed, plan=Plan(seed=seed)))
    assert outcome.violations == []
    assert outcome.kills >= KILLS


def test_two_gates_and_two_workers_are_one(tmp_path: Path) -> None:
    """Each customer asks now the one, now the other, and what one accepted the other shows."""
    outcome = run(tmp_path / "site", Wanted(kills=40, seed=3, plan=Plan(servers=2, seed=3)))
    assert outcome.violations == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_bug_that_is_planted_is_found(tmp_path: Path, mutant: str) -> None:
    """When exactly processes die is not in the plan's hands, so that one hunt may come home with nothing."""
    outcomes = (hunt(tmp_path / str(seed), mutant, seed) for seed in HUNTS)
    broken = ({one.rule for one in outcome.violations} for outcome in outcomes)
    assert any(rules & MUTANTS[mutant].breaks for rules in broken)


@pytest.mark.parametrize("kind", ["asked", "replayed", "blind"])
def test_a_reply_that_is_lost_never_makes_a_second_film(tmp_path: Path, kind: str) -> None:
    found = lose(tmp_path / "site", Lost(kind=kind, films=100))
    assert found.violations == []
    assert found.drawn_twice == 0
    assert found.ends == found.right_ends
