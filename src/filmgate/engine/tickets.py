"""Tickets: as attempts keep them."""

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.limits import POLL_FIRST
from filmgate.domain.plan import planned_by
from filmgate.engine.parts import Parts
from filmgate.engine.progress import promised
from filmgate.store import transitions
from filmgate.store.moves import Move
from filmgate.store.work import Claim, OpenAttempt


def ticket_of(attempt: OpenAttempt) -> Ticket:
    """Give the ticket of an attempt that was accepted."""
    if attempt.ref is None:
        raise ValueError(attempt.key)
    return Ticket(ref=attempt.ref, memory=attempt.ticket or {}, key=attempt.key)


async def accepted(parts: Parts, claim: Claim, ticket: Ticket) -> Move:
    """Write down that the clip of a claim is being made."""
    attempt = claim.attempt
    named = parts.maker(attempt)
    planned = planned_by(claim.task.request, named and named[1])
    clip = planned.at(claim.clip_no)
    if clip is None:
        raise ValueError(claim.task_id)
    pace = ticket.ask_in or POLL_FIRST
    record = {} if named is None else await promised(parts, claim.task, named[0])
    if claim.task.record.waits_there:
        record = {**record, "waits_there": False}
    return transitions.accepted(claim, ticket, pace, clip, planned.progress(clip.no, 0), record)
