"""Failpoints: named places between two effects, where a test may kill, stall or fail the process."""

from collections.abc import Awaitable, Callable
from typing import Final

# Each stands in one place of the source.
POINTS: Final = (
    "accept.after_commit",
    "accept.before_commit",
    "accept.dropped_upload",
    "accept.stored_upload",
    "adopt.after_commit",
    "adopt.after_submit",
    "cancel.after_claim",
    "cancel.after_reply",
    "cancel.before_call_off",
    "cancel.before_claim",
    "cancel.before_question",
    "cancel.unanswered",
    "collect.after_fetch",
    "collect.after_store",
    "collect.failed",
    "collect.not_kept",
    "collect.stored",
    "collect.waiting",
    "deliver.after_commit",
    "deliver.after_post",
    "deliver.claimed",
    "end.after",
    "end.before",
    "end.dropped_upload",
    "end.tidied",
    "end.unscaled",
    "objects.before_parts",
    "objects.begin_again",
    "objects.begun",
    "objects.begun_again",
    "objects.completed",
    "objects.deliver",
    "objects.ended_by_another",
    "objects.part_sent",
    "objects.parts_sent",
    "poll.answered",
    "poll.before_done",
    "poll.unanswered",
    "prepare.after_frames",
    "prepare.after_input",
    "prepare.after_pictures",
    "prepare.after_takeover",
    "prepare.after_words",
    "prepare.before_picture",
    "prepare.before_words",
    "prepare.dropped_upload",
    "prepare.failed",
    "prepare.kept_input",
    "prepare.no_room",
    "prepare.taken_over",
    "prepare.worded",
    "prompts.softened",
    "reconcile.absent",
    "reconcile.after_reply",
    "reconcile.repeating",
    "reconcile.unresolved",
    "render.after_store",
    "render.after_work",
    "render.failed",
    "resolve.after_claim",
    "resolve.before_note",
    "resolve.gathered",
    "resolve.left_open",
    "ship.after_copy",
    "submit.after_failure",
    "submit.after_intent",
    "submit.after_late",
    "submit.after_reply",
    "submit.before_late",
    "submit.late_again",
    "submit.late_repeated_id",
    "submit.overtaken",
    "submit.refused",
    "submit.repeated_id",
    "submit.taken_back",
    "submit.too_late",
    "submit.unknown",
    "subscribe.began_test",
    "subscribe.tested",
    "surely.again",
    "sweep.before_alarm",
    "sweep.before_chore",
    "sweep.before_doubt",
    "sweep.before_file",
    "sweep.before_forgetting",
    "sweep.before_gone",
    "sweep.forgot",
    "sweep.partitioned",
    "sweep.removed_strays",
    "sweep.repaired",
    "tidy.after",
    "tidy.before",
    "worker.broken",
    "worker.claimed",
)

Arm = Callable[[str], Awaitable[None]]
_armed: list[Arm] = []


async def failpoint(name: str) -> None:
    """Do nothing, unless a test build has armed this process."""
    for act in _armed:
        await act(name)


def arm(act: Arm) -> None:
    """Call `act` with the name of each failpoint that is passed from now on."""
    _armed.append(act)


def disarm() -> None:
    _armed.clear()
