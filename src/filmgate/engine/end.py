"""End a task: every way out of the engine leads through here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from filmgate.domain.charge import charge, is_at_its_size
from filmgate.domain.contracts_provider import Tidies
from filmgate.domain.counted import NOBODY, TaskEnded
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import CLAIM_BATCH
from filmgate.domain.record import RecordChange
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Failure
from filmgate.engine.parts import Parts
from filmgate.engine.progress import promised_s, run_of
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.ends import End
from filmgate.store.moves import StaleLease
from filmgate.store.notices import Notice
from filmgate.store.patience import AWAY
from filmgate.store.work import Claim, Unreadable

_NOTHING: Final[Mapping[str, str | int]] = MappingProxyType({})


async def finish(parts: Parts, end: End) -> None:
    """Write the end, tell telemetry, and let the provider tidy up what it kept of the clip here."""
    await failpoint("end.before")
    task = end.claim.task
    shipment = None if parts.shipping is None else await parts.shipping.of_end(task, end.film, end.state)
    attempt = end.claim.attempt
    named = parts.maker(attempt)
    run = None if named is None else run_of(task, named[0])
    priced = replace(end, cost_micros=_cost(end), less=_less(end), record=_recorded(end))
    end = replace(priced, shipment=shipment, run=run)
    await parts.ends.end(end)
    parts.announced.set()
    await failpoint("end.after")
    _count(parts, end, named[0] if named else NOBODY)
    await tidied(parts, end.claim)
    await failpoint("end.tidied")
    if end.state is not State.SUCCEEDED:
        await _drop_uploads(parts, end.claim)


def _count(parts: Parts, end: End, provider: str) -> None:
    task, now = end.claim.task, parts.clock.now()
    started = task.started_at or now
    reason = end.failure.code if end.failure else "done"
    parts.telemetry.task_ended(
        TaskEnded(
            model=task.request.model,
            provider=provider,
            outcome=end.state.value,
            reason=reason,
            waited_s=(started - task.created_at).total_seconds(),
            ran_s=None if task.started_at is None else (now - started).total_seconds(),
            promised_s=promised_s(task),
            held_micros=task.hold_micros,
            cost_micros=end.cost_micros,
        )
    )
    parts.telemetry.event(
        "task.ended",
        task=str(task.id),
        model=task.request.model,
        provider=provider,
        state=end.state.value,
        error_code=reason,
    )
    parts.telemetry.event("money.settled", task=str(task.id), cost_micros=end.cost_micros)


async def _drop_uploads(parts: Parts, claim: Claim) -> None:
    """Remove what the client sent of a request that came to nothing."""
    for picture in claim.task.request.pictures:
        if picture.object_key is not None:
            try:
                await parts.objects.delete(picture.object_key)
            except StorageFault as error:
                parts.telemetry.event("file.kept", task=str(claim.task_id), reason=str(error))
            await failpoint("end.dropped_upload")


def _cost(end: End) -> int:
    """Charge for what is delivered: the film, or of a film that failed the first clip, at the size that it has."""
    task = end.claim.task
    if end.state is State.SUCCEEDED and not task.price.lines:
        return task.hold_micros
    return sum(line.amount_micros for line in charge(task, end.state, end.film))


def _less(end: End) -> str | None:
    """Say why less than what was held is charged, where something is."""
    if end.film is None or (end.state is State.SUCCEEDED and is_at_its_size(end.claim.task, end.film)):
        return None
    lines = charge(end.claim.task, end.state, end.film)
    return "delivered: " + (", ".join(f"{line.what}, {line.size}" for line in lines) or "nothing of its own")


def _recorded(end: End) -> RecordChange | None:
    """Note with the end where the film has a sound that nobody wanted, which providers cannot always leave out."""
    if end.film is None or end.claim.task.request.sound or end.film.facts.audio_codec is None:
        return end.record
    noted = end.record or {}
    before = noted.get("warnings", [*end.claim.task.record.warnings])
    warnings = before if isinstance(before, list) else []
    return {**noted, "warnings": [*warnings, "the film has sound, though it was asked for without"]}


async def tidied(parts: Parts, claim: Claim) -> None:
    """Let a provider remove what it kept here of an attempt that is over."""
    attempt = claim.attempt
    named = parts.maker(attempt)
    if named and attempt and attempt.ref is not None and isinstance(named[1], Tidies):
        await failpoint("tidy.before")
        await named[1].tidy(ticket_of(attempt))
        await failpoint("tidy.after")


async def fail(
    parts: Parts,
    claim: Claim,
    code: str,
    *,
    attempt: AttemptState | None = None,
    error: Exception | str | None = None,
    state: State = State.FAILED,
    notice: Notice | None = None,
    parameters: Mapping[str, str | int] = _NOTHING,
    vendor_cost_micros: int | None = None,
) -> None:
    """End a task without its film; nothing is charged.

    Where a first clip is kept, what failed is its extension, and that clip is what the task ends with; where it was
    only to be scaled up, the film is there already.
    """
    kind = None if error is None else "failed" if isinstance(error, str) else type(error).__name__.lower()
    text = None if error is None else str(error)
    if claim.clips and len(claim.task.request.clips) == 1:
        await _unscaled(parts, claim, code, attempt or AttemptState.ABANDONED, (kind, text), notice)
        return
    failure, film = Failure(code, dict(parameters)), None
    if claim.clips:
        # What an end says of money, and what to do then, holds for a film of which nothing is left.
        texts = {
            "reason": _opening(failure.text("en"), ". "),
            "reason_zh": _opening(failure.text("zh"), "。"),
        }
        failure, film = Failure("extend_failed", {"cause": code, **texts}), claim.clips[0].film
        state = State.FAILED
    await finish(
        parts,
        End(
            claim=claim,
            state=state,
            kept=parts.retention,
            failure=failure,
            film=film,
            attempt=attempt,
            error_class=kind,
            error_text=text,
            vendor_cost_micros=vendor_cost_micros,
            notice=notice,
        ),
    )


def too_late(claim: Claim) -> bool:
    """Tell whether a film should have begun by now that has not."""
    task = claim.task
    return task.start_by is not None and task.started_at is None and task.start_by <= claim.claimed_at


async def expire(parts: Parts, claim: Claim, attempt: AttemptState | None = None) -> None:
    """End a task whose time is over, and its attempt as what that is known to be; nothing is charged."""
    task = claim.task
    if too_late(claim):
        code, parameters = "not_started", {"seconds": task.request.start_within_s or 0}
    else:
        minutes = round((task.deadline_at - task.created_at).total_seconds() / 60)
        code, parameters = "expired", {"minutes": minutes}
    await fail(parts, claim, code, attempt=attempt, state=State.EXPIRED, parameters=parameters)


async def end_all(
    parts: Parts,
    left: Callable[[int, float, Unreadable], Awaitable[Sequence[Claim]]],
    end: Callable[[Parts, Claim], Awaitable[None]],
) -> None:
    """Claim what is left and end it, batch after batch; one that cannot be ended keeps no other from its end."""
    while claims := await left(CLAIM_BATCH, parts.clock.monotonic(), parts.claims.on_unreadable):
        found = await asyncio.gather(*(end(parts, claim) for claim in claims), return_exceptions=True)
        for claim, error in zip(claims, found, strict=True):
            _tell(parts, claim, error)
        if len(claims) < CLAIM_BATCH or None not in found:
            return


def _tell(parts: Parts, claim: Claim, error: BaseException | None) -> None:
    """Log what kept a task from its end; one that another has ended by now is none of it."""
    if isinstance(error, AWAY) or not isinstance(error, Exception | None):
        raise error
    if error is not None and not isinstance(error, StaleLease):
        parts.telemetry.event(
            "step.broken", task=str(claim.task_id), step="end", error=error, reason=type(error).__name__
        )


async def _unscaled(
    parts: Parts,
    claim: Claim,
    code: str,
    attempt: AttemptState,
    error: tuple[str | None, str | None],
    notice: Notice | None,
) -> None:
    """Scale a film up that its provider could not; where that fails too, it is still the film."""
    record: RecordChange = {
        "upsample_error": code,
        "warnings": [*claim.task.record.warnings, "the film could not be scaled up"],
    }
    if claim.step is Step.RENDER:
        film = claim.clips[0].film
        end = End(
            claim=claim, state=State.SUCCEEDED, kept=parts.retention, film=film, notice=notice, record=record
        )
        await finish(parts, end)
        return
    state = None if claim.task.state is State.COLLECTING else State.UPSAMPLING
    change: RecordChange = {"upsample_error": code}
    move = transitions.rendering(
        claim, state=state, record=change, attempt=attempt, error=error, notice=notice
    )
    await failpoint("end.unscaled")
    await parts.moves.make(move)
    parts.wake.set()
    await tidied(parts, claim)


def _opening(text: str, stop: str) -> str:
    return text.partition(stop)[0].rstrip(stop) + stop.strip()
