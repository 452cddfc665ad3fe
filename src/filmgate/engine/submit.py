"""Submit: the one place that sends; whoever lost a reply looks before anything is sent again."""

import asyncio

from filmgate.domain.contracts_provider import ClipRequest
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Broken, Busy, Fault, Invalid, Misconfigured, Refused, Uncertain, Vanished
from filmgate.domain.limits import SUBMIT_SECONDS
from filmgate.domain.states import AttemptState
from filmgate.engine.another import may_follow
from filmgate.engine.backoff import after_attempt, after_busy
from filmgate.engine.end import fail
from filmgate.engine.lease import may_send
from filmgate.engine.parts import Parts
from filmgate.engine.prompts import retried, softer
from filmgate.engine.receive import keep_ticket
from filmgate.engine.route import Line
from filmgate.engine.surely import surely
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.work import Claim, OpenAttempt


async def submit(parts: Parts, claim: Claim, line: Line, clip: ClipRequest) -> None:
    """Send an attempt that is written as `sending`, once, and write what came of it."""
    attempt = claim.attempt
    if attempt is None:
        return
    if not may_send(parts, claim):
        # Another may already take this attempt for lost.
        await failpoint("submit.too_late")
        await _unsent(parts, claim, line)
        return
    started = parts.clock.monotonic()
    try:
        async with asyncio.timeout(SUBMIT_SECONDS):
            ticket = await line.provider.submit(clip, attempt.key)
    except Exception as error:  # noqa: BLE001  # any error that proves nothing is an uncertain submit
        outcome = _meaning(error)
        parts.telemetry.asked(line.provider_name, "submit", outcome, parts.clock.monotonic() - started)
        parts.telemetry.event(
            "attempt.failed", task=str(claim.task_id), provider=line.provider_name, reason=outcome
        )
        failure = error
        await failpoint("submit.after_failure")
        await surely(parts, claim, lambda: _not_accepted(parts, claim, attempt, failure))
        return
    parts.telemetry.asked(line.provider_name, "submit", "accepted", parts.clock.monotonic() - started)
    await failpoint("submit.after_reply")
    await keep_ticket(parts, claim, ticket)


async def _unsent(parts: Parts, claim: Claim, line: Line) -> None:
    """Let a task whose lease is too old be sent anew: its own sender knows that nothing was sent."""
    try:
        await parts.moves.make(transitions.unsent(claim))
    except StaleLease:
        if claim.attempt is None or line.provider.replays:
            # Whoever looks for it meanwhile may have sent it under its key, also by other settings than these.
            raise
        await failpoint("submit.overtaken")
        mine = await parts.decisions.unsent(claim.task_id, claim.attempt.key)
        if mine is None:
            raise
        await failpoint("submit.taken_back")
        await parts.moves.make(transitions.unsent(mine))
    parts.wake.set()


async def withdrawn(parts: Parts, claim: Claim) -> None:
    """Let a task be sent anew of which nothing was sent, whether its intent was written or not.

    Only under its fence: whoever has the task by now may have written an intent of the same key, and have sent it.
    """
    await surely(parts, claim, lambda: parts.moves.make(transitions.unsent(claim)))
    parts.wake.set()


def _meaning(error: Exception) -> str:
    return type(error).__name__.lower() if isinstance(error, Fault) else "uncertain"


async def _not_accepted(parts: Parts, claim: Claim, attempt: OpenAttempt, error: Exception) -> None:
    match error:
        case Refused() | Invalid():
            await refused(parts, claim, attempt, error)
        case Vanished():
            await fail(parts, claim, "source_gone", attempt=AttemptState.FAILED, error=error)
        case Busy():
            parts.telemetry.event("provider.busy", task=str(claim.task_id))
            # It waits until that credential opens again, or goes where there is room now.
            before = await parts.reader.times_busy(claim.task_id, attempt.clip, attempt.credential_id)
            await parts.moves.make(transitions.not_created(claim, error, after_busy(before)))
            parts.wake.set()
        case Misconfigured() | Broken():
            await _elsewhere(parts, claim, attempt, error)
        case Uncertain():
            await _unknown(parts, claim, str(error))
        case _:
            await _unknown(parts, claim, f"{type(error).__name__}: {error}")


async def _unknown(parts: Parts, claim: Claim, why: str) -> None:
    await parts.moves.make(transitions.uncertain(claim, why, heard=True))
    parts.wake.set()
    named = parts.maker(claim.attempt)
    await failpoint("submit.unknown")
    text = f"no usable reply to a submit, which it may bill all the same: {why}"
    await parts.notices.alarm("reply_lost", text, named[0] if named else "unknown")


async def refused(parts: Parts, claim: Claim, attempt: OpenAttempt, error: Refused | Invalid) -> None:
    """End a task whose vendor will not make it, or let it be sent with softer words, once, where its owner wants that."""
    await failpoint("submit.refused")
    change = await softer(parts, claim, attempt, str(error)) if isinstance(error, Refused) else None
    if change is not None:
        await parts.moves.make(transitions.not_created(claim, error, transitions.NOW, change))
        parts.wake.set()
        return
    code = "content_refused" if isinstance(error, Refused) else "request_refused"
    parameters = {"reason": str(error)}
    await fail(parts, claim, code, attempt=AttemptState.FAILED, error=error, parameters=parameters)


async def _elsewhere(parts: Parts, claim: Claim, attempt: OpenAttempt, error: Exception) -> None:
    spent = await parts.reader.attempts_spent(claim.task_id, attempt.clip)
    if not await may_follow(parts, claim, spent):
        await fail(
            parts,
            claim,
            "provider_failed",
            attempt=AttemptState.FAILED,
            error=error,
            parameters={"attempts": spent},
        )
        return
    # What the provider said is for operators; it stands with the attempt.
    change = retried(claim.task.record, "the provider did not take the request")
    await parts.moves.make(transitions.not_created(claim, error, after_attempt(spent), change))
