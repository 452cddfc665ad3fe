"""Resolve: an operator decides what became of a submit that nobody could find out about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from math import ceil

import asyncpg

from filmgate.domain.contracts_provider import Provider, Ticket
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.problems import Problem
from filmgate.domain.states import AttemptState
from filmgate.domain.task import Task
from filmgate.engine.end import expire
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import repeat
from filmgate.engine.reconcile import give_up, remembered, send_anew, shows_after
from filmgate.engine.tickets import accepted
from filmgate.media.child import ChildError
from filmgate.media.findings import NotAFilm
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.notices import Notice
from filmgate.store.work import Claim


async def found(parts: Parts, task: Task, ref: str, note: str = "") -> None:
    """Let a task go on with the vendor's job of that id; raise Problem `not_uncertain`."""
    claim = await _taken(parts, task)
    try:
        async with _still_open(task):
            await parts.moves.make(await accepted(parts, claim, Ticket(ref)))
    except asyncpg.UniqueViolationError:
        await _left_open(parts, task, claim)
        reason, reason_zh = "another attempt has that job.", "该编号已属于另一次提交。"
        raise Problem("invalid_parameter", field="ref", reason=reason, reason_zh=reason_zh) from None
    await _told(parts, claim, f"found as {ref}", note)


async def absent(parts: Parts, task: Task, note: str = "") -> None:
    """Say that the vendor has no such job, so that the clip is sent once more.

    Raise Problem `not_uncertain`, or `on_its_way` while what was sent may still arrive. A vendor that knows the key is
    sent it again under that: the last repeat may just be on its way there, and makes no second film then.
    """
    claim = await _taken(parts, task)
    named = parts.maker(claim.attempt)
    provider = None if named is None else named[1]
    if provider is not None and await _repeatable(parts, claim, provider):
        await _left_open(parts, task, claim)
        await _told(parts, claim, "absent, and left to be repeated under its key", note)
        return
    if claim.task.cancel_requested_at is None and claim.claimed_at >= claim.task.deadline_at:
        async with _still_open(task):
            await expire(parts, claim, attempt=AttemptState.LOST)
        await _told(parts, claim, "absent", note)
        return
    wait = _on_its_way(parts, claim, provider)
    if wait > transitions.NOW:
        await _left_open(parts, task, claim)
        raise Problem("on_its_way", retry_after_s=ceil(wait.total_seconds()))
    async with _still_open(task):
        await send_anew(parts, claim)
    await _told(parts, claim, "absent", note)


async def given_up(parts: Parts, task: Task, note: str = "") -> None:
    """End a task whose film nobody will find, at no cost; raise Problem `not_uncertain`."""
    claim = await _taken(parts, task)
    async with _still_open(task):
        await give_up(parts, claim)
    await _told(parts, claim, "given up", note)


async def _taken(parts: Parts, task: Task) -> Claim:
    claim = await parts.decisions.take(task.id)
    if claim is None:
        raise Problem("not_uncertain", state=task.state.value)
    await failpoint("resolve.after_claim")
    return replace(claim, since=parts.clock.monotonic())


def _on_its_way(parts: Parts, claim: Claim, provider: Provider | None) -> timedelta:
    """Tell for how long what was sent may still come to show at the vendor's."""
    attempt = claim.attempt
    # What is wanted no more is not sent anew.
    if attempt is None or claim.task.cancel_requested_at is not None:
        return transitions.NOW
    # A clock that was set since proves nothing; one that was set back may even say that it is still to be sent.
    steady = timedelta(seconds=parts.steady.note(claim.claimed_at, claim.since))
    age = claim.claimed_at - attempt.last_sent_at
    return shows_after(provider) - (steady if age < transitions.NOW else min(age, steady))


async def _repeatable(parts: Parts, claim: Claim, provider: Provider) -> bool:
    """Tell whether a vendor that knows the key will be sent the very request again."""
    if claim.task.cancel_requested_at is not None or not remembered(parts, claim, provider):
        return False
    try:
        same = await repeat(parts, claim) is not None
    except Problem:
        same = False
    except (StorageFault, ChildError, NotAFilm):
        # It is tried again, and may be there then.
        same = True
    await failpoint("resolve.gathered")
    return same


async def _left_open(parts: Parts, task: Task, claim: Claim) -> None:
    await failpoint("resolve.left_open")
    async with _still_open(task):
        await parts.moves.make(transitions.unresolved(claim, transitions.NOW))


@asynccontextmanager
async def _still_open(task: Task) -> AsyncIterator[None]:
    """Raise Problem `not_uncertain` where another has decided meanwhile."""
    try:
        yield
    except StaleLease:
        raise Problem("not_uncertain", state=task.state.value) from None


async def _told(parts: Parts, claim: Claim, what: str, note: str) -> None:
    parts.wake.set()
    key = claim.attempt.key if claim.attempt else "none"
    parts.telemetry.event("attempt.resolved", task=str(claim.task_id), attempt=key, reason=what)
    text = f"attempt {key}: {what}, an operator says{': ' if note else ''}{note}"
    await failpoint("resolve.before_note")
    await parts.notices.note(Notice("resolved", text), claim.task_id)
