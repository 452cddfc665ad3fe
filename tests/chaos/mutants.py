"""Bugs to plant into a copy of the source: a runner that finds none of them proves nothing."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos.site import SOURCE

_ENDS: Final = "store/ends.py"
_TELL_LATER: Final = """        if not await self._lane.put(end):
            raise StaleLease(str(end.claim.task_id))
        from filmgate.domain.failpoint import failpoint
        await failpoint("end.after")
        async with self._pool.acquire() as connection:
            await announce(connection, [(end.claim.task, end.state)])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`changes` are texts of files of the package, and what stands there instead; `breaks` are the rules it may break.

    Processes are struck at `points` alone, so that it shows soon.
    """

    says: str
    breaks: frozenset[str]
    points: Sequence[str]
    acts: Sequence[str] = ("kill",)
    changes: Sequence[tuple[str, str, str]]


MUTANTS: Final[Mapping[str, Mutant]] = {
    "resend": Mutant(
        says="a submit whose reply was lost is sent again to a vendor that replays nothing",
        breaks=frozenset({"I2", "I3"}),
        points=("submit.after_reply", "reconcile.unresolved"),
        changes=[
            (
                "engine/reconcile.py",
                "    if life is None or unwanted:\n        return False\n",
                "    if life is None or unwanted:\n        return True\n",
            )
        ],
    ),
    "forget-sender": Mutant(
        says="a worker that died while it sent is taken for one that never sent",
        breaks=frozenset({"I3"}),
        points=("submit.after_reply",),
        changes=[
            (
                "engine/reconcile.py",
                'transitions.uncertain(claim, "the sender was lost before it wrote a reply")',
                "transitions.absent(claim, transitions.NOW)",
            )
        ],
    ),
    "tell-later": Mutant(
        says="webhooks are written after the transaction that ends a task",
        breaks=frozenset({"I9"}),
        points=("end.after",),
        changes=[
            (_ENDS, "            await announce(connection, [(end.claim.task, end.state) for end in ends])\n", ""),
            (
                _ENDS,
                "        if not await self._lane.put(end):\n            raise StaleLease(str(end.claim.task_id))\n",
                _TELL_LATER,
            ),
        ],
    ),
    "keep-hold": Mutant(
        says="the hold of a cancelled film is not closed",
        breaks=frozenset({"I4"}),
        # Struck before, or at its end, a film is made rather than cancelled, and nothing shows.
        points=("cancel.after_claim",),
        changes=[
            (_ENDS, "t.hold_micros, t.cost_micros\n)", "t.hold_micros, t.cost_micros, t.state\n)"),
            (_ENDS, "less from task\n", "less from task where state <> 'cancelled'\n"),
        ],
    ),
    "forget-key": Mutant(
        says="an Idempotency-Key is not remembered",
        breaks=frozenset({"I1"}),
        points=("accept.after_commit",),
        changes=[
            (
                "store/accept.py",
                "earlier = await remember(connection, entries, [memory for _, memory in keyed])",
                "earlier: Earlier = {}",
            )
        ],
    ),
    "believe-at-once": Mutant(
        says="a vendor's empty list is believed before a film would stand in it",
        breaks=frozenset({"I3"}),
        points=("reconcile.after_reply", "reconcile.absent"),
        changes=[
            (
                "engine/reconcile.py",
                "    if ticket is None and failure is None and _visible_by(parts, claim, provider):\n",
                "    if ticket is None:\n",
            )
        ],
    ),
}  # fmt: skip


def planted(name: str, folder: Path) -> Path:
    """Copy the source, plant a bug there, give the copy."""
    copy = folder / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file, right, wrong in MUTANTS[name].changes:
        path = copy / "filmgate" / file
        text = path.read_text()
        assert text.count(right) == 1, f"{file} does not say {right!r} once"
        path.write_text(text.replace(right, wrong))
    return copy
