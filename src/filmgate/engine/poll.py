"""Poll: ask once, and write only what changed."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from filmgate.domain.contracts_provider import (
    Cancelled,
    Done,
    Failed,
    Pending,
    Polled,
    Provider,
    Ticket,
)
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault, Vanished
from filmgate.domain.limits import ATTEMPTS, LOST_ANSWERS, LOST_OVER, POLL_SECONDS, PROGRESS_STEP
from filmgate.domain.plan import Plan, planned_by
from filmgate.domain.record import RecordChange
from filmgate.domain.states import AttemptState
from filmgate.engine.adopt import adopt
from filmgate.engine.another import may_follow
from filmgate.engine.backoff import after_attempt, after_question, between_polls
from filmgate.engine.cancel import cancelled, stop, wanted
from filmgate.engine.end import fail, tidied
from filmgate.engine.lease import Hold, held
from filmgate.engine.parts import Parts
from filmgate.engine.progress import Seen, change, seen
from filmgate.engine.prompts import retried, softer
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.work import Claim

_SAME_PACE = 0.15
_VANISHED: Final = "vanished"


async def poll(parts: Parts, claim: Claim) -> None:
    attempt = claim.attempt
    named = parts.maker(attempt)
    if attempt is None or named is None:
        parts.telemetry.event("provider.missing", task=str(claim.task_id))
        await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), "provider missing"))
        return
    name, provider = named
    parts.telemetry.polled_late(name, claim.late.total_seconds())
    if wanted(claim):
        # Where there seems to be no such job, the film itself is asked for: perhaps nothing can be stopped there.
        with suppress(Vanished):
            await stop(parts, claim, provider)
            return
    started = parts.clock.monotonic()
    async with held(parts, claim) as hold:
        answer = await _asked(parts, claim, provider, ticket_of(attempt), hold)
    parts.telemetry.asked(name, "poll", type(answer).__name__.lower(), parts.clock.monotonic() - started)
    if isinstance(answer, Exception):
        await _unanswered(parts, claim, answer)
    else:
        await _answered(parts, claim, named, answer, moved=hold.taken)


async def _asked(
    parts: Parts, claim: Claim, provider: Provider, ticket: Ticket, hold: Hold
) -> Polled | Exception:
    try:
        if await adopt(parts, claim, provider):
            hold.taken = True
            return Pending(ask_in=claim.pace)
        async with asyncio.timeout(POLL_SECONDS):
            return await provider.poll(ticket)
    except Exception as error:  # noqa: BLE001  # a failed question never ends a task
        return error


async def _unanswered(parts: Parts, claim: Claim, error: Exception) -> None:
    await failpoint("poll.unanswered")
    # Questions that failed otherwise prove nothing of the job.
    gone = claim.times(_VANISHED)
    since = (claim.tries_since if gone else None) or claim.claimed_at
    if isinstance(error, Vanished) and gone + 1 >= LOST_ANSWERS and claim.claimed_at - since >= LOST_OVER:
        await fail(parts, claim, "lost_by_provider", attempt=AttemptState.LOST, error=error)
        return
    if not isinstance(error, Fault | TimeoutError):
        parts.telemetry.event(
            "poll.broken", task=str(claim.task_id), reason=f"{type(error).__name__}: {error}"
        )
    why = _VANISHED if isinstance(error, Vanished) else "question"
    await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), why))


async def _answered(
    parts: Parts, claim: Claim, named: tuple[str, Provider], answer: Polled, *, moved: bool
) -> None:
    await failpoint("poll.answered")
    name, provider = named
    planned = planned_by(claim.task.request, provider)
    match answer:
        case Pending():
            await _pending(parts, claim, await seen(parts, claim, planned, name, answer), answer, moved=moved)
        case Done():
            await failpoint("poll.before_done")
            last = planned.at(claim.clip_no + 1) is None
            await parts.moves.make(
                transitions.done(claim, answer, last=last and not _scaled_here(claim, planned))
            )
            parts.wake.set()
        case Failed():
            await _failed(parts, claim, answer)
        case Cancelled():
            if claim.task.cancel_requested_at is not None:
                await cancelled(parts, claim)
            else:
                await _failed(
                    parts, claim, Failed("provider_failed", "the provider cancelled it", again=True)
                )


def _scaled_here(claim: Claim, planned: Plan) -> bool:
    """Tell whether the gate will scale the film up by itself, which shows as a phase of its own."""
    return claim.task.request.upsample_to is not None and len(planned.clips) == 1


async def _pending(parts: Parts, claim: Claim, seen: Seen, answer: Pending, *, moved: bool) -> None:
    pace = between_polls(claim.pace, answer.ask_in, parts.chance)
    task = claim.task
    grown = seen.progress >= task.progress + PROGRESS_STEP or answer.waits != task.record.waits_there
    # The claim itself has set the next poll: an unchanged answer writes nothing.
    if moved or grown or claim.tries or abs(pace - claim.pace) > claim.pace * _SAME_PACE:
        await parts.moves.make(
            transitions.progressed(claim, seen.progress, pace, change(task, seen, waits=answer.waits))
        )


async def _failed(parts: Parts, claim: Claim, answer: Failed) -> None:
    attempt = claim.attempt
    if attempt is None:
        return
    spent = await parts.reader.attempts_spent(claim.task_id, attempt.clip)
    if answer.again and await may_follow(parts, claim, spent):
        change = retried(claim.task.record, answer.text)
        await _again(parts, claim, answer, after_attempt(spent), change, "failed")
        return
    if answer.code == "content_refused" and spent < ATTEMPTS:
        softened = await softer(parts, claim, attempt, answer.text)
        if softened is not None:
            await _again(parts, claim, answer, transitions.NOW, softened, "refused")
            return
    if answer.again:
        await fail(
            parts,
            claim,
            "provider_failed",
            attempt=AttemptState.FAILED,
            error=answer.cause or answer.text,
            parameters={"attempts": spent},
            vendor_cost_micros=answer.cost_micros,
        )
        return
    await fail(
        parts,
        claim,
        answer.code,
        attempt=AttemptState.FAILED,
        error=answer.cause or answer.text,
        parameters={"reason": answer.text, "attempts": attempt.no},
        vendor_cost_micros=answer.cost_micros,
    )


async def _again(
    parts: Parts, claim: Claim, answer: Failed, due: timedelta, change: RecordChange, error_class: str
) -> None:
    text = answer.cause or answer.text
    await parts.moves.make(
        transitions.again(claim, text, due, change, error_class, cost_micros=answer.cost_micros)
    )
    parts.wake.set()
    await tidied(parts, claim)
