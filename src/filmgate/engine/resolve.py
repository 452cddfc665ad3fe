"""Resolve: an operator decides what became of a submit that nobody could find out about."""

from dataclasses import replace

import asyncpg

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.failpoint import failpoint
from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.engine.parts import Parts
from filmgate.engine.reconcile import give_up, send_anew
from filmgate.engine.tickets import accepted
from filmgate.store.notices import Notice
from filmgate.store.work import Claim


async def found(parts: Parts, task: Task, ref: str, note: str = "") -> None:
    """Let a task go on with the vendor's job of that id; raise Problem `not_uncertain`."""
    claim = await _taken(parts, task)
    try:
        await parts.moves.make(await accepted(parts, claim, Ticket(ref)))
    except asyncpg.UniqueViolationError:
        reason, reason_zh = "another attempt has that job.", "该编号已属于另一次提交。"
        raise Problem("invalid_parameter", field="ref", reason=reason, reason_zh=reason_zh) from None
    await _told(parts, claim, f"found as {ref}", note)


async def absent(parts: Parts, task: Task, note: str = "") -> None:
    """Say that the vendor has no such job, so that the clip is sent once more; raise Problem `not_uncertain`."""
    claim = await _taken(parts, task)
    await send_anew(parts, claim)
    await _told(parts, claim, "absent", note)


async def given_up(parts: Parts, task: Task, note: str = "") -> None:
    """End a task whose film nobody will find, at no cost; raise Problem `not_uncertain`."""
    claim = await _taken(parts, task)
    await give_up(parts, claim)
    await _told(parts, claim, "given up", note)


async def _taken(parts: Parts, task: Task) -> Claim:
    claim = await parts.decisions.take(task.id)
    if claim is None:
        raise Problem("not_uncertain", state=task.state.value)
    await failpoint("resolve.after_claim")
    return replace(claim, since=parts.clock.monotonic())


async def _told(parts: Parts, claim: Claim, what: str, note: str) -> None:
    parts.wake.set()
    key = claim.attempt.key if claim.attempt else "none"
    parts.telemetry.event("attempt.resolved", task=str(claim.task_id), attempt=key, reason=what)
    text = f"attempt {key}: {what}, an operator says{': ' if note else ''}{note}"
    await failpoint("resolve.before_note")
    await parts.notices.note(Notice("resolved", text), claim.task_id)
