"""Cancel: what is not sent ends at once; what runs is stopped where its provider can, and never by a lie."""

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import Final

from filmgate.domain.contracts_provider import Cancelled, Cancels, NotStopped, Pending, Provider
from filmgate.domain.counted import NOBODY
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Vanished
from filmgate.domain.limits import CANCEL_SECONDS, QUESTION_FIRST
from filmgate.domain.plan import planned_by
from filmgate.domain.record import CancelAnswer
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Task
from filmgate.engine.end import end_all, finish
from filmgate.engine.lease import held
from filmgate.engine.parts import Parts
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.cancel import Choice
from filmgate.store.ends import End
from filmgate.store.moves import StaleLease
from filmgate.store.work import Claim, OpenAttempt

_SOON: Final = timedelta(seconds=1)
_UNANSWERED: Final = "cancel"


class Standing(StrEnum):
    """Where a wish to cancel stands."""

    CANCELLED = "cancelled"
    REQUESTED = "cancel_requested"
    CANNOT = "cannot_cancel"
    ENDED = "ended"
    """The task had ended otherwise."""


async def cancel(parts: Parts, task: Task) -> Standing:
    """Cancel a task for its owner, or an operator; asking again asks again, and changes nothing else."""
    while True:
        await failpoint("cancel.before_claim")
        considered = await parts.wishes.consider(task.id, lambda claim: _choice(parts, claim))
        if considered is None:
            return await _ended_as(parts, task)
        match considered.choice:
            case Choice.DECLINE:
                return Standing.CANNOT
            case Choice.NOTE:
                parts.wake.set()
                return Standing.REQUESTED
            case Choice.END:
                await failpoint("cancel.after_claim")
                try:
                    await cancelled(parts, considered.claim)
                except StaleLease:
                    # Another wish, or the sweep, was faster; what it wrote is read.
                    continue
                return Standing.CANCELLED


async def cancelled(parts: Parts, claim: Claim) -> None:
    """End a task as cancelled: nothing is charged, whatever was made."""
    await finish(
        parts,
        End(
            claim=claim,
            state=State.CANCELLED,
            kept=parts.retention,
            attempt=AttemptState.ABANDONED,
            error_class="cancelled",
            error_text="cancelled on request",
        ),
    )


def wanted(claim: Claim) -> bool:
    """Tell whether the provider is to be asked to stop; between two questions that failed the film is polled."""
    task = claim.task
    return (
        task.cancel_requested_at is not None and task.record.cancel is None and claim.tried_as != _UNANSWERED
    )


async def stop(parts: Parts, claim: Claim, provider: Provider) -> None:
    """Ask the provider of a running clip to stop it, and write what it answered; raise Vanished where it has none."""
    attempt, able = claim.attempt, canceller(provider)
    if attempt is None or able is None:
        await parts.moves.make(transitions.cancel_answered(claim, CancelAnswer.REFUSED, transitions.NOW))
        return
    await failpoint("cancel.before_question")
    started = parts.clock.monotonic()
    try:
        async with held(parts, claim), asyncio.timeout(CANCEL_SECONDS):
            answer = await able.cancel(ticket_of(attempt))
    except Exception as error:
        _count(parts, attempt, type(error).__name__.lower(), started)
        if isinstance(error, Vanished):
            raise
        # Any other failed question proves nothing, and is asked again.
        await failpoint("cancel.unanswered")
        parts.telemetry.event("cancel.failed", task=str(claim.task_id), reason=type(error).__name__)
        await parts.moves.make(transitions.postponed(claim, QUESTION_FIRST, _UNANSWERED))
        return
    _count(parts, attempt, type(answer).__name__.lower(), started)
    await failpoint("cancel.after_reply")
    match answer:
        case Cancelled():
            await cancelled(parts, claim)
        case Pending():
            due = _SOON if answer.ask_in is None else answer.ask_in
            await parts.moves.make(transitions.cancel_answered(claim, CancelAnswer.ASKED, due))
        case NotStopped(text):
            parts.telemetry.event("cancel.refused", task=str(claim.task_id), reason=text)
            await parts.moves.make(transitions.cancel_answered(claim, CancelAnswer.REFUSED, transitions.NOW))


def _count(parts: Parts, attempt: OpenAttempt, result: str, started: float) -> None:
    named = parts.maker(attempt)
    provider = NOBODY if named is None else named[0]
    parts.telemetry.asked(provider, "cancel", result, parts.clock.monotonic() - started)


async def call_off(parts: Parts, claim: Claim) -> None:
    """Let the provider stop what nobody waits for any more, where it can; what comes of it changes nothing."""
    attempt = claim.attempt
    named = parts.maker(attempt)
    able = None if named is None else canceller(named[1])
    if attempt is None or able is None or attempt.state is not AttemptState.ACCEPTED:
        return
    await failpoint("cancel.before_call_off")
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            await able.cancel(ticket_of(attempt))
    except Exception as error:  # noqa: BLE001  # the task has ended whatever the provider says
        parts.telemetry.event("cancel.failed", task=str(claim.task_id), reason=type(error).__name__)


async def sweep_cancelled(parts: Parts) -> None:
    """End tasks that are to be cancelled and came back to where nothing is sent."""
    await end_all(parts, parts.wishes.left, cancelled)


def canceller(provider: Provider) -> Cancels | None:
    """Give the provider as one that can stop what it makes; None where it cannot."""
    return provider if isinstance(provider, Cancels) and provider.cancels else None


def _choice(parts: Parts, claim: Claim) -> Choice:
    match claim.step:
        case Step.PREPARE:
            return Choice.END
        case Step.RECONCILE:
            # Whatever is found, nothing more is sent.
            return Choice.NOTE
        case Step.SUBMIT | Step.POLL:
            return Choice.NOTE if _stoppable(parts, claim) else Choice.DECLINE
        case Step.COLLECT:
            return Choice.NOTE if _more_to_send(parts, claim) else Choice.DECLINE
        case Step.RENDER:
            return Choice.DECLINE


def _stoppable(parts: Parts, claim: Claim) -> bool:
    named = parts.maker(claim.attempt)
    return named is not None and canceller(named[1]) is not None


def _more_to_send(parts: Parts, claim: Claim) -> bool:
    named = parts.maker(claim.attempt)
    return planned_by(claim.task.request, named and named[1]).at(claim.clip_no + 1) is not None


async def _ended_as(parts: Parts, task: Task) -> Standing:
    found = await parts.reader.find(str(task.id), task.account_id)
    cancelled_already = found is not None and found.state is State.CANCELLED
    return Standing.CANCELLED if cancelled_already else Standing.ENDED
