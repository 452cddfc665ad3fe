"""`python -m simulation --from 0 --seeds 1000`: play seeds, each in an order of its own, and say what was violated.

A seed is played again with its whole story by `--from N --seeds 1 --story`.
"""

import argparse
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.lock import FolderLock
from kit.invariants import Violation
from simulation.mutants import MUTANTS, planted
from simulation.run import Outcome, Theatre

_TWICE_EVERY: Final = 100
_TOLD_EVERY: Final = 100
TWO_WAYS: Final = Violation("D", "played twice, it went two ways")


def main() -> int:
    # The order of sets of texts is drawn anew by each start of Python, unless it is told not to.
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "simulation", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606  # it is this very program
    said = _arguments()
    began = time.monotonic()
    with _postgres() as target:
        if said.jobs == 1:
            found = _played(target, said, 0)
        else:
            with multiprocessing.get_context("spawn").Pool(said.jobs) as pool:
                parts = [pool.apply_async(_played, (target, said, number)) for number in range(said.jobs)]
                found = [outcome for part in parts for outcome in part.get()]
    took = time.monotonic() - began
    states = sum((Counter(outcome.states) for outcome in found), Counter[str]())
    wrong = [outcome for outcome in found if outcome.violations]
    print(
        f"{len(found)} seeds in {took:.0f} s ({len(found) / took:.1f}/s), {sum(o.calls for o in found)} database calls"
    )
    print(f"{sum(states.values())} tasks: {dict(sorted(states.items()))}")
    print(f"{len(wrong)} seeds with violations: {[outcome.seed for outcome in wrong][:50]}")
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1, help="how many processes play at once")
    parser.add_argument("--story", action="store_true", help="print all that happens")
    parser.add_argument("--pace", action="store_true", help="print how long each seed takes")
    parser.add_argument("--stop", action="store_true", help="stop at the first violation")
    parser.add_argument(
        "--poll-after", type=int, metavar="MS", help="what all vendors say of when to ask again"
    )
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="plant a bug")
    return parser.parse_args()


def _played(target: dict[str, Any], said: argparse.Namespace, number: int) -> list[Outcome]:
    found: list[Outcome] = []
    # Whoever wonders where it hangs may ask.
    faulthandler.register(signal.SIGUSR1)
    with planted(said.mutant), Theatre.of_its_own(target, f"simulation_{os.getpid()}") as theatre:
        for seed in range(said.first + number, said.first + said.seeds, said.jobs):
            began = time.monotonic()
            play = partial(theatre.play, seed, poll_after_ms=said.poll_after)
            outcome = play(keep=said.story)
            if said.pace:
                print(
                    f"seed {seed}: {time.monotonic() - began:.2f} s, {outcome.calls} calls", file=sys.stderr
                )
            if seed % _TWICE_EVERY == 0 and play().digest != outcome.digest:
                outcome = replace(outcome, violations=[*outcome.violations, TWO_WAYS])
            found.append(replace(outcome, lines=()))
            _tell(outcome, said)
            if len(found) % _TOLD_EVERY == 0:
                print(f"{len(found)} played, the last was {seed}", file=sys.stderr, flush=True)
            if outcome.violations and said.stop:
                break
    return found


def _tell(outcome: Outcome, said: argparse.Namespace) -> None:
    if said.story:
        sys.stdout.writelines(outcome.lines)
        print(
            f"seed {outcome.seed}: {outcome.digest}, {outcome.calls} calls, {outcome.seconds:.0f} s, {outcome.states}"
        )
    if outcome.violations or said.story:
        for violation in outcome.violations:
            print(f"seed {outcome.seed}: {violation.rule} {violation.text}")
        for note in outcome.notes[:5]:
            print(f"seed {outcome.seed}: {note}")
        if outcome.violations:
            pace = f" POLL_AFTER={said.poll_after}" if said.poll_after is not None else ""
            print(f"  make simulate FROM={outcome.seed} SEEDS=1 STORY=1{pace}", flush=True)


@contextmanager
def _postgres() -> Iterator[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory(prefix="simulation.") as folder,
        FolderLock.acquire(Path(folder) / "data", started=datetime.now(UTC)) as lock,
    ):
        keeper = PostgresKeeper(lock, find_programs(None, os.environ["PATH"]), tell=lambda _: None)
        address = keeper.start()
        try:
            yield dict(address.connect_arguments)
        finally:
            keeper.stop()
