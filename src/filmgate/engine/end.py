"""End a task: every way out of the engine leads through here."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from filmgate.domain.contracts_provider import Tidies
from filmgate.domain.failpoint import failpoint
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Failure
from filmgate.engine.parts import Parts
from filmgate.engine.tickets import ticket_of
from filmgate.store import transitions
from filmgate.store.ends import End, Notice
from filmgate.store.work import Claim

_NOTHING: Final[Mapping[str, str | int]] = MappingProxyType({})


async def finish(parts: Parts, end: End) -> None:
    """Write the end, tell telemetry, and let the provider tidy up what it kept of the clip here."""
    await failpoint("end.before")
    await parts.ends.end(replace(end, cost_micros=_cost(end)))
    parts.announced.set()
    await failpoint("end.after")
    task, attempt = end.claim.task, end.claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    now = parts.clock.now()
    started = task.started_at or now
    reason = end.failure.code if end.failure else "done"
    parts.telemetry.task_ended(
        task.request.model,
        named[0] if named else "none",
        end.state.value,
        reason,
        (started - task.created_at).total_seconds(),
        (now - started).total_seconds(),
    )
    parts.telemetry.event("task.ended", task=str(task.id), state=end.state.value, error_code=reason)
    await tidied(parts, end.claim)


def _cost(end: End) -> int:
    """Charge for the film, or for the first clip where that is all there is, and else for nothing."""
    task = end.claim.task
    if end.state is State.SUCCEEDED:
        return task.hold_micros
    return task.price.of_clip(1) if end.film is not None else 0


async def tidied(parts: Parts, claim: Claim) -> None:
    """Let a provider remove what it kept here of an attempt that is over."""
    attempt = claim.attempt
    named = None if attempt is None else parts.router.provider(attempt.credential_id)
    if named and attempt and attempt.ref is not None and isinstance(named[1], Tidies):
        await named[1].tidy(ticket_of(attempt))


def _opening(text: str, stop: str) -> str:
    return text.partition(stop)[0] + stop


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
) -> None:
    """End a task without its film; nothing is charged.

    Where a first clip is kept, what failed is its extension, and that clip is what the task ends with; where it was
    only to be scaled up by its provider, the gate does that itself.
    """
    request = claim.task.request
    if claim.clips and len(request.clips) == 1 and claim.step is not Step.RENDER:
        change = {"upsample_error": code}
        await parts.moves.make(transitions.rendering(claim, State.UPSAMPLING, change))
        parts.wake.set()
        return
    failure, film = Failure(code, dict(parameters)), None
    if claim.clips:
        # What an end says of money, and what to do then, holds for a film of which nothing is left.
        texts = {"reason": _opening(failure.text("en"), "."), "reason_zh": _opening(failure.text("zh"), "。")}
        failure, film = Failure("extend_failed", {"cause": code, **texts}), claim.clips[0].film
        state = State.FAILED
    kind = None if error is None else "failed" if isinstance(error, str) else type(error).__name__.lower()
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
            error_text=None if error is None else str(error),
            notice=notice,
        ),
    )
