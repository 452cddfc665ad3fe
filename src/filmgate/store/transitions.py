"""The legal transitions of a task between two steps, one function each; what is not here is impossible.

The ends are in `store.ends`.
"""

from datetime import timedelta
from typing import Final

from filmgate.domain.contracts import Done, Ticket
from filmgate.domain.limits import LOG_TEXT_BYTES, STEP_LEASE, SUBMIT_LEASE
from filmgate.domain.request import Json
from filmgate.domain.states import AttemptState, State, Step
from filmgate.store.moves import Move, Sending
from filmgate.store.work import Claim

NOW: Final = timedelta(0)


def preparing(claim: Claim) -> Move:
    """Prepare: say that pictures are being fetched or the prompt is being rewritten; the lease goes on."""
    return Move(claim=claim, step=None, due=STEP_LEASE, state=State.PREPARING, kept=True)


def waiting(claim: Claim, due: timedelta, credential_id: int | None = None) -> Move:
    """Prepare: no slot was free, or the provider was busy; this is no attempt."""
    return Move(claim=claim, step=Step.PREPARE, due=due, credential_id=credential_id)


def sending(claim: Claim, sending: Sending) -> Move:
    """Prepare -> submit: the attempt and its key are written before the first byte leaves."""
    return Move(claim=claim, step=Step.SUBMIT, due=SUBMIT_LEASE, kept=True, sending=sending)


def accepted(claim: Claim, ticket: Ticket, pace: timedelta) -> Move:
    """Submit, reconcile -> poll: the vendor has the job; its credential stays for every later call."""
    change = _latest(claim, AttemptState.ACCEPTED) | {"ticket": dict(ticket.memory), "ref": ticket.ref}
    state = State.GENERATING if change["clip"] == 1 else State.EXTENDING
    return Move(
        claim=claim, step=Step.POLL, due=ticket.ask_in or pace, pace=pace, state=state, attempt=change
    )


def uncertain(claim: Claim, why: str) -> Move:
    """Submit -> reconcile: the reply was lost, or the sender was; look before anything else."""
    change = _latest(claim, AttemptState.UNCERTAIN) | {"error_class": "uncertain", "error_text": plain(why)}
    return Move(claim=claim, step=Step.RECONCILE, due=NOW, attempt=change)


def not_created(claim: Claim, error: Exception, due: timedelta, credential_id: int | None) -> Move:
    """Submit -> prepare: proof that nothing was created; another attempt may follow, elsewhere or later."""
    change = _latest(claim, AttemptState.FAILED)
    change |= {"error_class": type(error).__name__.lower(), "error_text": plain(str(error))}
    return Move(claim=claim, step=Step.PREPARE, due=due, attempt=change, credential_id=credential_id)


def absent(claim: Claim, due: timedelta) -> Move:
    """Reconcile -> prepare: the look-up proved that there is no such job."""
    return Move(claim=claim, step=Step.PREPARE, due=due, attempt=_latest(claim, AttemptState.LOST))


def unresolved(claim: Claim, due: timedelta) -> Move:
    """Reconcile -> reconcile: nothing could be learnt this time."""
    return Move(claim=claim, step=Step.RECONCILE, due=due, tried_as="look")


def progressed(claim: Claim, progress: int | None, pace: timedelta) -> Move:
    """Poll -> poll: the vendor said something new."""
    return Move(claim=claim, step=Step.POLL, due=pace, pace=pace, state=claim.task.state, progress=progress)


def postponed(claim: Claim, due: timedelta, why: str) -> Move:
    """Poll or collect -> the same: the question failed; no attempt is lost by that."""
    return Move(claim=claim, step=claim.step, due=due, tried_as=why)


def done(claim: Claim, done: Done) -> Move:
    """Poll -> collect: the vendor has the film; no later answer of it changes that."""
    change = _latest(claim, AttemptState.DONE) | {"result": dict(done.result)}
    return Move(claim=claim, step=Step.COLLECT, due=NOW, state=State.COLLECTING, attempt=change)


def again(claim: Claim, state: AttemptState, error_class: str, error_text: str, due: timedelta) -> Move:
    """Poll -> prepare: the vendor's job failed and another attempt is left."""
    change = _latest(claim, state) | {"error_class": error_class, "error_text": plain(error_text)}
    return Move(claim=claim, step=Step.PREPARE, due=due, attempt=change)


def plain(text: str) -> str:
    """Give text of others as the database can hold it: without NUL, and with an end."""
    return text.replace("\0", "")[:LOG_TEXT_BYTES]


def _latest(claim: Claim, state: AttemptState) -> dict[str, Json]:
    if claim.attempt is None:
        raise ValueError(claim.task_id)
    attempt = claim.attempt
    return {"task_id": str(claim.task_id), "clip": attempt.clip, "no": attempt.no, "state": state.value}
