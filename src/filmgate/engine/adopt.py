"""Adopt: a clip that was drawn on a machine which has fallen silent is drawn anew on this one."""

from filmgate.domain.contracts_provider import Provider
from filmgate.domain.failpoint import failpoint
from filmgate.engine.parts import Parts
from filmgate.engine.prepare import repeat
from filmgate.store import transitions
from filmgate.store.work import Claim


async def adopt(parts: Parts, claim: Claim, provider: Provider) -> bool:
    """Begin the clip here under its own key, which makes it the same clip; tell whether that was needed."""
    attempt = claim.attempt
    if attempt is None or claim.folder in {None, parts.claims.folder}:
        return False
    parts.telemetry.event("attempt.adopted", task=str(claim.task_id), attempt=attempt.key)
    if provider.replays:
        clip = await repeat(parts, claim)
        if clip is not None:
            await provider.submit(clip, attempt.key)
            await failpoint("adopt.after_submit")
    await parts.moves.make(transitions.adopted(claim, parts.claims.folder))
    await failpoint("adopt.after_commit")
    return True
