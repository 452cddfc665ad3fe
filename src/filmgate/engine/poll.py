"""Poll: ask once, and write only what changed."""

import asyncio

from filmgate.domain.contracts import Done, Failed, Pending, Polled
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault, Vanished
from filmgate.domain.limits import ATTEMPTS, LOST_ANSWERS, LOST_OVER, POLL_SECONDS, PROGRESS_STEP
from filmgate.domain.states import AttemptState
from filmgate.engine.backoff import after_attempt, after_question, between_polls
from filmgate.engine.end import fail, tidied
from filmgate.engine.parts import Parts
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.work import Claim

_SAME_PACE = 0.15


async def poll(parts: Parts, claim: Claim) -> None:
    attempt = claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    if attempt is None or named is None:
        parts.telemetry.event("provider.missing", task=str(claim.task_id))
        await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), "provider missing"))
        return
    name, provider = named
    started = parts.clock.monotonic()
    try:
        async with asyncio.timeout(POLL_SECONDS):
            answer = await provider.poll(ticket_of(attempt))
    except Exception as error:  # noqa: BLE001  # a failed question never ends a task
        outcome = type(error).__name__.lower()
        parts.telemetry.asked(name, "poll", outcome, parts.clock.monotonic() - started)
        await _unanswered(parts, claim, error)
        return
    parts.telemetry.asked(name, "poll", type(answer).__name__.lower(), parts.clock.monotonic() - started)
    await _answered(parts, claim, answer)


async def _unanswered(parts: Parts, claim: Claim, error: Exception) -> None:
    since = claim.tries_since or claim.claimed_at
    if (
        isinstance(error, Vanished)
        and claim.tries + 1 >= LOST_ANSWERS
        and claim.claimed_at - since >= LOST_OVER
    ):
        await fail(parts, claim, "lost_by_provider", attempt=AttemptState.LOST, error=error)
        return
    if not isinstance(error, Fault | TimeoutError):
        parts.telemetry.event(
            "poll.broken", task=str(claim.task_id), reason=f"{type(error).__name__}: {error}"
        )
    why = "vanished" if isinstance(error, Vanished) else "question"
    await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), why))


async def _answered(parts: Parts, claim: Claim, answer: Polled) -> None:
    match answer:
        case Pending():
            await _pending(parts, claim, answer)
        case Done():
            await failpoint("poll.before_done")
            await parts.moves.make(transitions.done(claim, answer))
            parts.wake.set()
        case Failed():
            await _failed(parts, claim, answer)


async def _pending(parts: Parts, claim: Claim, answer: Pending) -> None:
    progress = min(answer.progress or 0, 99)
    pace = between_polls(claim.pace, answer.ask_in, parts.chance)
    moved = progress >= claim.task.progress + PROGRESS_STEP
    # The claim itself has set the next poll: an unchanged answer writes nothing.
    if moved or claim.tries or abs(pace - claim.pace) > claim.pace * _SAME_PACE:
        await parts.moves.make(transitions.progressed(claim, progress, pace))


async def _failed(parts: Parts, claim: Claim, answer: Failed) -> None:
    attempt = claim.attempt
    if attempt is None:
        return
    if answer.again:
        spent = await parts.reader.attempts_spent(claim.task_id)
        if spent < ATTEMPTS:
            due = after_attempt(spent)
            move = transitions.again(claim, AttemptState.FAILED, "failed", answer.text, due)
            await parts.moves.make(move)
            await tidied(parts, claim)
            return
        await fail(
            parts,
            claim,
            "provider_failed",
            attempt=AttemptState.FAILED,
            error=answer.text,
            parameters={"attempts": spent},
        )
        return
    await fail(
        parts,
        claim,
        answer.code,
        attempt=AttemptState.FAILED,
        error=answer.text,
        parameters={"reason": answer.text, "attempts": attempt.no},
    )
