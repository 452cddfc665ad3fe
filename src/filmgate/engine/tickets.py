"""Tickets: as attempts keep them, and what becomes of one that comes while another decides."""

import asyncio
import itertools

from filmgate.domain.contracts_provider import Power, Ticket
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import POLL_FIRST
from filmgate.domain.plan import plan
from filmgate.engine.backoff import after_outage
from filmgate.engine.parts import Parts
from filmgate.engine.surely import surely
from filmgate.store import transitions
from filmgate.store.moves import Move, StaleLease
from filmgate.store.patience import STORE_FAULTS, UNFIT
from filmgate.store.work import Claim, OpenAttempt


def ticket_of(attempt: OpenAttempt) -> Ticket:
    """Give the ticket of an attempt that was accepted."""
    if attempt.ref is None:
        raise ValueError(attempt.key)
    return Ticket(ref=attempt.ref, memory=attempt.ticket or {})


async def keep_ticket(parts: Parts, claim: Claim, ticket: Ticket) -> None:
    """Write that the clip of a claim is being made; a reply that comes too late is an orphan, and told."""
    move = accepted(parts, claim, ticket)
    try:
        await surely(parts, claim, lambda: parts.moves.make(move))
    except StaleLease:
        await _late(parts, claim, ticket)
    except UNFIT:
        raise
    except STORE_FAULTS as error:
        # The lease is over, and others may look for this very ticket: it is kept until the store takes it.
        parts.telemetry.event(
            "ticket.unwritten", task=str(claim.task_id), ref=ticket.ref, reason=type(error).__name__
        )
        await _late(parts, claim, ticket)
    parts.wake.set()


def accepted(parts: Parts, claim: Claim, ticket: Ticket) -> Move:
    """Write down that the clip of a claim is being made."""
    attempt = claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    upsamples = named is not None and Power.UPSAMPLES in named[1].powers
    planned = plan(claim.task.request, provider_upsamples=upsamples)
    clip = planned.at(claim.clip_no)
    if clip is None:
        raise ValueError(claim.task_id)
    pace = ticket.ask_in or POLL_FIRST
    return transitions.accepted(claim, ticket, pace, clip, planned.progress(clip.no, 0))


async def _late(parts: Parts, claim: Claim, ticket: Ticket) -> None:
    """Keep a ticket after its lease, for as long as this process lives: nobody else knows of it."""
    for tries in itertools.count(1):
        try:
            await _kept_late(parts, claim, ticket)
        except UNFIT:
            raise
        except (StaleLease, *STORE_FAULTS) as error:
            parts.telemetry.event("ticket.waits", task=str(claim.task_id), reason=type(error).__name__)
            await asyncio.sleep(after_outage(tries, parts.chance).total_seconds())
            await failpoint("submit.late_again")
        else:
            return


async def _kept_late(parts: Parts, claim: Claim, ticket: Ticket) -> None:
    attempt = claim.attempt
    if attempt is None:
        return
    await failpoint("submit.before_late")
    late = await parts.decisions.late(claim.task_id, attempt.key, ticket)
    await failpoint("submit.after_late")
    if late.claim is not None:
        # Its attempt is the one that is looked for: nobody knows better than its own sender.
        await parts.moves.make(accepted(parts, late.claim, ticket))
    if late.orphan:
        parts.telemetry.event("ticket.orphaned", task=str(claim.task_id), attempt=attempt.key)
