"""A run over a source with a planted bug."""

from pathlib import Path

from chaos.mutants import MUTANTS, planted
from chaos.run import Outcome, Wanted, run
from chaos.site import Plan

KILLS = 6
FILMS = 40
LOST = 0.2


def hunt(folder: Path, name: str, seed: int = 1, kills: int = KILLS) -> Outcome:
    """Strike where the bug shows, in a copy of the source; give what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    mutant = MUTANTS[name]
    wanted = Wanted(
        kills=kills,
        films=FILMS,
        seed=seed,
        every_s=0,
        points=mutant.points,
        acts=mutant.acts,
        at_most_s=240,
        source=planted(name, folder),
        plan=Plan(seed=seed, lost=LOST, bucket=False),
    )
    return run(folder / "site", wanted)
