"""Receive: keep the ticket that a vendor gave, and what becomes of one that comes while another decides."""

import asyncio
import itertools

import asyncpg

from filmgate.domain.contracts_provider import Finds, Ticket
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Uncertain
from filmgate.domain.states import AttemptState, Step
from filmgate.engine.backoff import after_outage
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.engine.surely import surely
from filmgate.engine.tickets import accepted
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.notices import Notice
from filmgate.store.patience import STORE_FAULTS, UNFIT
from filmgate.store.work import Claim


async def keep_ticket(parts: Parts, claim: Claim, ticket: Ticket) -> None:
    """Write that the clip of a claim is being made; a reply that comes too late is an orphan, and told."""
    move = await accepted(parts, claim, ticket)
    try:
        await surely(parts, claim, lambda: parts.moves.make(move))
    except StaleLease:
        await _late(parts, claim, ticket)
    except asyncpg.UniqueViolationError:
        await failpoint("submit.repeated_id")
        await _repeated(parts, claim, ticket)
    except UNFIT:
        raise
    except STORE_FAULTS as error:
        # The lease is over, and others may look for this very ticket: it is kept until the store takes it.
        parts.telemetry.event(
            "ticket.unwritten", task=str(claim.task_id), ref=ticket.ref, reason=type(error).__name__
        )
        await _late(parts, claim, ticket)
    parts.wake.set()


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
        try:
            await parts.moves.make(await accepted(parts, late.claim, ticket))
        except asyncpg.UniqueViolationError:
            await failpoint("submit.late_repeated_id")
            await _repeated(parts, late.claim, ticket)
    if late.orphan:
        parts.telemetry.event("ticket.orphaned", task=str(claim.task_id), attempt=attempt.key)


async def _repeated(parts: Parts, claim: Claim, ticket: Ticket) -> None:
    """Settle an attempt for which the vendor gave the id of another's job: nobody can tell what it makes, if anything.

    Nothing is sent again. A vendor that can be asked by key is asked once; what it then says again is its last word.
    """
    attempt = claim.attempt
    named = parts.maker(attempt)
    if attempt is None or named is None:
        return
    name, provider = named
    text = f"the vendor gave {ticket.ref} for attempt {attempt.key}, which is the job of another attempt"
    notice = Notice("repeated_id", f"{text}: a possible orphan", name)
    finds = isinstance(provider, Finds) and provider.visible_after is not None

    async def settle() -> None:
        if finds and claim.step is Step.SUBMIT:
            await parts.moves.make(transitions.uncertain(claim, text, heard=True, notice=notice))
        else:
            await fail(
                parts,
                claim,
                "outcome_uncertain",
                attempt=AttemptState.ABANDONED,
                error=Uncertain(text),
                notice=notice,
            )

    await surely(parts, claim, settle)
