"""Reconcile: an attempt whose reply was lost. We look; we never send again to find out."""

import asyncio
from datetime import timedelta

from filmgate.domain.contracts_provider import Finds, Provider, Ticket
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault, Invalid, Refused
from filmgate.domain.limits import POLL_SECONDS, RECONCILE_GIVE_UP, SUBMIT_LEASE, SUBMIT_SECONDS
from filmgate.domain.states import AttemptState
from filmgate.engine.adopt import adopt
from filmgate.engine.another import may_follow
from filmgate.engine.backoff import after_question
from filmgate.engine.cancel import canceller
from filmgate.engine.end import fail
from filmgate.engine.lease import may_send
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import repeat, store_time
from filmgate.engine.receive import keep_ticket
from filmgate.engine.submit import refused
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.notices import Notice
from filmgate.store.work import Claim, OpenAttempt


async def lost_sender(parts: Parts, claim: Claim) -> None:
    """Mark a claimed `sending` attempt as uncertain: its sender died, and may have sent."""
    await parts.moves.make(transitions.uncertain(claim, "the sender was lost before it wrote a reply"))
    parts.wake.set()


async def reconcile(parts: Parts, claim: Claim) -> None:
    """Replay where the vendor knows the key, look where it can be asked, else wait and give up in the end."""
    attempt = claim.attempt
    named = parts.maker(attempt)
    if attempt is None:
        await give_up(parts, claim)
        return
    if named is None:
        # The settings may have it again before it is time to give up.
        await _unresolved(parts, claim, attempt)
        return
    provider = named[1]
    try:
        async with asyncio.timeout(SUBMIT_SECONDS):
            await adopt(parts, claim, provider)
            ticket = await _look(parts, claim, provider)
    except (Invalid, Refused) as error:
        await refused(parts, claim, attempt, error)
        return
    except StaleLease:
        raise
    except _Absent:
        await failpoint("reconcile.absent")
        await send_anew(parts, claim)
        return
    except Exception as error:  # noqa: BLE001  # a failed question proves nothing
        known = isinstance(error, Fault | TimeoutError)
        parts.telemetry.event(
            "reconcile.failed", task=str(claim.task_id), reason=type(error).__name__, known=known
        )
        ticket = None
    if ticket is not None:
        await failpoint("reconcile.after_reply")
        await keep_ticket(parts, claim, ticket)
    else:
        await _unresolved(parts, claim, attempt)


async def _unresolved(parts: Parts, claim: Claim, attempt: OpenAttempt) -> None:
    await failpoint("reconcile.unresolved")
    # Past its deadline nobody waits for the film, whether it is found or not.
    late = claim.claimed_at >= claim.task.deadline_at
    if late or claim.claimed_at - attempt.sent_at > RECONCILE_GIVE_UP:
        await give_up(parts, claim)
    else:
        await parts.moves.make(transitions.unresolved(claim, after_question(claim.tries)))


class _Absent(Exception):  # noqa: N818  # proof of absence is an answer
    """It is late enough for the vendor's answer to prove that it has no job of this key."""


async def _look(parts: Parts, claim: Claim, provider: Provider) -> Ticket | None:
    attempt = claim.attempt
    if attempt is None:
        return None
    if not isinstance(provider, Finds) or provider.visible_after is None:
        return await _repeated(parts, claim, provider, attempt)
    failure: Exception | None = None
    try:
        # A vendor that lets every submit hang may be asked all the same.
        async with asyncio.timeout(SUBMIT_SECONDS - POLL_SECONDS):
            ticket = await _repeated(parts, claim, provider, attempt)
    except (Invalid, Refused, StaleLease):
        raise
    except Exception as error:  # noqa: BLE001  # what it made of the first one may be found all the same
        ticket, failure = None, error
    ticket = ticket or await provider.find(attempt.key)
    # What was just repeated may be on its way.
    if ticket is None and failure is None and _visible_by(parts, claim, provider):
        raise _Absent
    if ticket is None and failure is not None:
        raise failure
    return ticket


async def _repeated(parts: Parts, claim: Claim, provider: Provider, attempt: OpenAttempt) -> Ticket | None:
    """Send an attempt again under its key; None where the vendor may have forgotten that, or it would be another."""
    if not remembered(parts, claim, provider):
        return None
    clip = await repeat(parts, claim)
    # To gather it may have taken long, and so may it take to write that.
    if clip is None or not remembered(parts, claim, provider):
        return None
    await parts.moves.make(transitions.repeating(claim))
    await failpoint("reconcile.repeating")
    return await provider.submit(clip, attempt.key) if remembered(parts, claim, provider) else None


def remembered(parts: Parts, claim: Claim, provider: Provider) -> bool:
    """Tell whether a vendor surely still knows the attempt's key, and somebody still waits for its film."""
    life = provider.replays
    # What was never begun must not be begun for somebody who wants it no more, unless it can be stopped.
    unwanted = claim.task.cancel_requested_at is not None and canceller(provider) is None
    if life is None or unwanted:
        return False
    attempt = claim.attempt
    now = store_time(parts, claim)
    if attempt is None or now >= claim.task.deadline_at or not may_send(parts, claim):
        return False
    # A clock that was set back makes it look younger, at worst not born yet.
    return abs(now - attempt.sent_at) + timedelta(seconds=SUBMIT_SECONDS) < life


def shows_after(provider: Provider | None) -> timedelta:
    """Give how long after it was last sent a job would show, had a frozen sender sent it at the last moment."""
    delay = provider.visible_after if provider is not None and isinstance(provider, Finds) else None
    return SUBMIT_LEASE + (delay or timedelta(0))


def _visible_by(parts: Parts, claim: Claim, provider: Provider) -> bool:
    """Tell whether a job of the attempt would show by now."""
    attempt, wait = claim.attempt, shows_after(provider)
    # A database's clock that was set forward since would make it look older than it is.
    steady_s = parts.steady.note(claim.claimed_at, claim.since)
    return (
        attempt is not None
        and claim.claimed_at - attempt.last_sent_at > wait
        and steady_s > wait.total_seconds()
    )


async def send_anew(parts: Parts, claim: Claim) -> None:
    """Let a clip that was surely never begun be sent once more; end its task where nobody is left to send it to."""
    attempt = claim.attempt
    spent = 0 if attempt is None else await parts.reader.attempts_spent(claim.task_id, attempt.clip)
    # One that is not wanted any more is not sent, and ends as that.
    if claim.task.cancel_requested_at is not None or await may_follow(parts, claim, spent):
        await parts.moves.make(transitions.absent(claim, transitions.NOW))
        parts.wake.set()
        return
    await fail(parts, claim, "provider_failed", attempt=AttemptState.LOST, parameters={"attempts": spent})


async def give_up(parts: Parts, claim: Claim) -> None:
    key = claim.attempt.key if claim.attempt else "none"
    notice = Notice("uncertain_submit", f"no reply, and no film found, for attempt {key}: a possible orphan")
    await fail(parts, claim, "outcome_uncertain", attempt=AttemptState.ABANDONED, notice=notice)
