"""`python -m chaos`: kill the processes of a gate at every failpoint and at random, and see what is left."""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from chaos.hunt import hunt
from chaos.leads import LEADS
from chaos.mutants import MUTANTS
from chaos.run import Outcome, Wanted, run
from chaos.site import Plan
from filmgate.domain.failpoint import POINTS


def main() -> int:
    """Give 1 where a rule was broken."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="go on until so many processes were killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between blows at random")
    parser.add_argument(
        "--rare", action="store_true", help="strike at those failpoints alone that are led up to"
    )
    parser.add_argument("--at-once", type=int, default=16, help="films that are wanted at a time")
    parser.add_argument("--minutes", type=float, default=60.0, help="at most")
    parser.add_argument("--folder", type=Path, help="keep everything there")
    parser.add_argument("--report", type=Path, help="write a JSON report there")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="plant a bug into a copy of the source")
    given = parser.parse_args()
    # Whoever ends a run ends its gates with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    planted = given.mutant
    outcome = hunt(folder, planted, given.seed, given.kills) if planted else run(folder, wanted(given))
    if given.report is not None:
        given.report.write_text(json.dumps(outcome.as_json(), indent=1, default=str))
    print(table(outcome))
    return 1 if outcome.violations else 0


def wanted(given: argparse.Namespace) -> Wanted:
    return Wanted(
        kills=given.kills,
        seed=given.seed,
        every_s=given.every,
        points=tuple(LEADS) if given.rare else POINTS,
        at_once=given.at_once,
        at_most_s=given.minutes * 60,
        plan=Plan(servers=given.servers, workers=given.workers, seed=given.seed),
    )


def table(outcome: Outcome) -> str:
    """Say what happened: kills by failpoint, ends, and what was broken."""
    lines = [f"{'failpoint':28}{'kill':>6}{'other':>7}"]
    for point, acts in sorted(outcome.by_point.items()):
        others = sum(count for act, count in acts.items() if act != "kill")
        lines.append(f"{point:28}{acts.get('kill', 0):>6}{others:>7}")
    lines += ["", "at random: " + _said(outcome.at_random), "restarts:  " + _said(outcome.restarts)]
    lines.append("ends:      " + _said(outcome.ends))
    lines.append("vendors:   " + _said(outcome.jobs))
    lines.append("led up to: " + _said(outcome.led))
    lines.append("never hit: " + (", ".join(outcome.missed) or "none"))
    lines.append(
        f"{outcome.kills} kills, {outcome.tasks} tasks, {outcome.webhooks} webhooks came, "
        f"{outcome.seconds} s with {outcome.calm_seconds} s of calm, seed {outcome.seed}"
    )
    lines += [f"VIOLATION {one.rule}: {one.text}" for one in outcome.violations[:40]]
    lines.append(f"{len(outcome.violations)} violations")
    return "\n".join(lines)


def _said(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
