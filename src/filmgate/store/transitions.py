"""The legal transitions of a task between two steps, one function each; what is not here is impossible.

The ends are in `store.ends`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.contracts_provider import Done, Ticket
from filmgate.domain.faults import Busy
from filmgate.domain.limits import STEP_LEASE, SUBMIT_LEASE
from filmgate.domain.plan import STATES, PlannedClip
from filmgate.domain.record import CancelAnswer, ProgressSource, RecordChange
from filmgate.domain.request import Json
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import StoredClip, StoredFile
from filmgate.store.moves import Move, Sending
from filmgate.store.notices import Notice, plain
from filmgate.store.work import Claim

NOW: Final = timedelta(0)


def preparing(claim: Claim, record: RecordChange) -> Move:
    """Prepare: say that pictures are being fetched or the prompt is being rewritten; the lease goes on."""
    state = State.PREPARING if claim.task.state is State.QUEUED else None
    return Move(claim=claim, step=None, due=STEP_LEASE, state=state, kept=True, record=record)


def taken_over(claim: Claim, clip: StoredClip, files: Sequence[StoredFile], kept_for: timedelta) -> Move:
    """Prepare: the first clip is another film's, copied; the lease goes on with the next."""
    return Move(claim=claim, step=None, due=STEP_LEASE, kept=True, clip=clip, files=files, kept_for=kept_for)


def waiting(claim: Claim, due: timedelta) -> Move:
    """Prepare: no slot was free, or the provider was busy; this is no attempt."""
    return Move(claim=claim, step=Step.PREPARE, due=due, rests=_not_begun(claim))


def sending(claim: Claim, sending: Sending) -> Move:
    """Prepare -> submit: the attempt and its key are written before the first byte leaves."""
    return Move(claim=claim, step=Step.SUBMIT, due=SUBMIT_LEASE, kept=True, sending=sending)


def accepted(
    claim: Claim,
    ticket: Ticket,
    pace: timedelta,
    clip: PlannedClip,
    progress: int,
    promise: RecordChange | None = None,
) -> Move:
    """Submit, reconcile -> poll: the vendor has the job; its credential stays for every later call."""
    change = _latest(claim, AttemptState.ACCEPTED) | {"ticket": dict(ticket.memory), "ref": ticket.ref}
    change["heard"] = True
    return Move(
        claim=claim,
        step=Step.POLL,
        due=ticket.ask_in or pace,
        pace=pace,
        state=STATES[clip.role],
        progress=progress,
        attempt=change,
        record={"clip": clip.no, "stage": None, **(promise or {})},
    )


def uncertain(claim: Claim, why: str, *, heard: bool = False, notice: Notice | None = None) -> Move:
    """Submit -> reconcile: the reply was lost, or the sender was; look before anything else.

    `heard` says that the vendor is to blame: it did not answer, or not so that it proves anything.
    """
    change = _latest(claim, AttemptState.UNCERTAIN) | {"error_class": "uncertain", "error_text": plain(why)}
    change["heard"] = heard
    return Move(claim=claim, step=Step.RECONCILE, due=NOW, attempt=change, notice=notice)


def not_created(
    claim: Claim,
    error: Exception,
    due: timedelta,
    record: RecordChange | None = None,
) -> Move:
    """Submit -> prepare: proof that nothing was created; another attempt may follow, elsewhere or later."""
    change = _latest(claim, AttemptState.FAILED)
    change |= {"error_class": type(error).__name__.lower(), "error_text": plain(str(error)), "heard": True}
    busy = isinstance(error, Busy)
    if isinstance(error, Busy):
        change["busy_s"] = error.retry_after.total_seconds()
    return Move(
        claim=claim,
        step=Step.PREPARE,
        due=due,
        attempt=change,
        record=record,
        rests=busy and _not_begun(claim),
    )


def unsent(claim: Claim) -> Move:
    """Submit -> prepare: its sender was held up until its lease was nearly over, and has sent nothing."""
    change = _latest(claim, AttemptState.FAILED)
    change |= {"error_class": "unsent", "error_text": "its sender was held up, and sent nothing"}
    return Move(claim=claim, step=Step.PREPARE, due=NOW, attempt=change)


def absent(claim: Claim, due: timedelta) -> Move:
    """Reconcile -> prepare: the look-up proved that there is no such job."""
    return Move(claim=claim, step=Step.PREPARE, due=due, attempt=_latest(claim, AttemptState.LOST))


def repeating(claim: Claim) -> Move:
    """Reconcile -> the same: it is about to be sent again under its key; the lease goes on."""
    change = _latest(claim, AttemptState.UNCERTAIN) | {"repeated": True}
    return Move(claim=claim, step=None, due=SUBMIT_LEASE, kept=True, attempt=change)


def unresolved(claim: Claim, due: timedelta) -> Move:
    """Reconcile -> reconcile: nothing could be learnt this time."""
    return Move(claim=claim, step=Step.RECONCILE, due=due, tried_as="look")


def progressed(
    claim: Claim, progress: int | None, pace: timedelta, record: RecordChange | None = None
) -> Move:
    """Poll -> poll: the vendor said something new."""
    return Move(claim=claim, step=Step.POLL, due=pace, pace=pace, progress=progress, record=record)


def cancel_answered(claim: Claim, answer: CancelAnswer, due: timedelta) -> Move:
    """Poll -> poll: the provider was asked to stop, and has not done it; polls will tell how it ends."""
    return Move(claim=claim, step=Step.POLL, due=due, record={"cancel": answer.value})


def postponed(claim: Claim, due: timedelta, why: str) -> Move:
    """Poll or collect -> the same: the question failed; no attempt is lost by that."""
    return Move(claim=claim, step=claim.step, due=due, tried_as=why)


BROKEN: Final = "broken"


def broken(claim: Claim, due: timedelta) -> Move:
    """Any step -> the same, whichever it is by now: it raised what nobody expected, and its engine lives."""
    return Move(claim=claim, step=None, due=due, tried_as=BROKEN)


def done(claim: Claim, done: Done, *, last: bool) -> Move:
    """Poll -> collect: the vendor has the clip; no later answer of it changes that."""
    change = _latest(claim, AttemptState.DONE) | {
        "result": dict(done.result),
        "cost_micros": done.cost_micros,
    }
    state = State.COLLECTING if last else None
    return Move(claim=claim, step=Step.COLLECT, due=NOW, state=state, attempt=change)


def stored(
    claim: Claim,
    clip: StoredClip,
    files: Sequence[StoredFile],
    kept_for: timedelta,
    *,
    step: Step,
    state: State | None,
    progress: int,
) -> Move:
    """Collect -> prepare or render: a clip is kept; what follows is the next clip, or our own work on them all."""
    return Move(
        claim=claim,
        step=step,
        due=NOW,
        state=state,
        progress=progress,
        clip=clip,
        files=files,
        kept_for=kept_for,
        record={"progress_source": ProgressSource.MEASURED.value}
        | ({"clip": clip.no + 1} if step is Step.PREPARE else {}),
    )


def rendering(
    claim: Claim,
    *,
    state: State | None = None,
    record: RecordChange | None = None,
    attempt: AttemptState = AttemptState.FAILED,
    error: tuple[str | None, str | None] = (None, None),
    notice: Notice | None = None,
) -> Move:
    """Any step -> render: all clips are kept that there will be; an attempt that is open ends as `attempt` says."""
    change: dict[str, Json] | None = None
    if claim.attempt is not None and claim.attempt.state.open:
        change = _latest(claim, attempt)
        change |= {"error_class": error[0], "error_text": None if error[1] is None else plain(error[1])}
    return Move(
        claim=claim, step=Step.RENDER, due=NOW, state=state, attempt=change, record=record, notice=notice
    )


def again(
    claim: Claim,
    error_text: str,
    due: timedelta,
    record: RecordChange,
    error_class: str = "failed",
    cost_micros: int | None = None,
) -> Move:
    """Poll -> prepare: the vendor's job failed and another attempt is left."""
    change = _latest(claim, AttemptState.FAILED) | {
        "error_class": error_class,
        "error_text": plain(error_text),
        "cost_micros": cost_micros,
    }
    return Move(claim=claim, step=Step.PREPARE, due=due, attempt=change, record=record)


def adopted(claim: Claim, folder: UUID) -> Move:
    """Poll, collect: the machine that drew the clip is silent, and this one draws it; the step goes on."""
    return Move(claim=claim, step=None, due=STEP_LEASE, kept=True, folder=folder)


def _not_begun(claim: Claim) -> bool:
    return not claim.clips and claim.task.state is State.QUEUED


def _latest(claim: Claim, state: AttemptState) -> dict[str, Json]:
    if claim.attempt is None:
        raise ValueError(claim.task_id)
    attempt = claim.attempt
    return {"task_id": str(claim.task_id), "clip": attempt.clip, "no": attempt.no, "state": state.value}
