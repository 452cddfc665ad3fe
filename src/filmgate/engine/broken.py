"""Broken: a step that raised what nobody expected is tried again later, and in the end no more."""

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import BROKEN_TRIES
from filmgate.engine.backoff import after_question
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.store import transitions
from filmgate.store.notices import Notice
from filmgate.store.transitions import BROKEN
from filmgate.store.work import Claim


def broke_too_often(claim: Claim) -> bool:
    return claim.times(BROKEN) >= BROKEN_TRIES


async def set_back(parts: Parts, claim: Claim) -> None:
    """Let a broken step be claimed again after a while; its engine lives, so that this is no death."""
    await failpoint("worker.broken")
    await parts.moves.make(transitions.broken(claim, after_question(claim.times(BROKEN))))


async def park(parts: Parts, claim: Claim) -> None:
    """Give up a task that kills its engines, or cannot be worked on; operators are told which."""
    if broke_too_often(claim):
        text = f"step {claim.step.value} broke {claim.tries} times in a row; the log says how (step.broken)"
    else:
        text = f"the engine died {claim.deaths} times while step {claim.step.value} was in its hands, at last alone"
    if claim.attempt is not None and claim.attempt.state.open:
        text += f"; attempt {claim.attempt.key} may be an orphan"
    await fail(parts, claim, "engine_error", notice=Notice("parked", text))
