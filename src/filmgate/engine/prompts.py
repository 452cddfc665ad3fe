"""Which words a provider is sent: the client's, a richer wording of them, or a softer one after a refusal."""

from dataclasses import replace

from filmgate.domain.failpoint import failpoint
from filmgate.domain.plan import planned_by
from filmgate.domain.record import Record, RecordChange, Stage
from filmgate.domain.rehearsal import cut
from filmgate.domain.request import FilmRequest, Json
from filmgate.engine.parts import Parts
from filmgate.store import transitions
from filmgate.store.notices import plain
from filmgate.store.work import Claim, OpenAttempt


async def enhanced(parts: Parts, claim: Claim) -> Claim:
    """Let the prompt be enriched where the client asked for it and it was not done yet."""
    task = claim.task
    if not task.request.enhance or task.record.enhanced_prompt is not None:
        return claim
    await parts.moves.make(transitions.preparing(claim, {"stage": Stage.ENHANCING.value}))
    await failpoint("prepare.before_words")
    wording = await parts.enhancer.enhance(cut(task.request.prompt)[0])
    await failpoint("prepare.after_words")
    warnings = [*task.record.warnings, *([wording.warning] if wording.warning else [])]
    await parts.moves.make(
        transitions.preparing(
            claim, {"enhanced_prompt": wording.text, "enhanced_by": wording.by, "warnings": [*warnings]}
        )
    )
    await failpoint("prepare.worded")
    record = replace(
        task.record, enhanced_prompt=wording.text, enhanced_by=wording.by, warnings=tuple(warnings)
    )
    return replace(claim, task=replace(task, record=record))


def prompt_of(request: FilmRequest, record: Record, clip: int, *, first_made: int) -> str:
    """Give what is sent for a clip: the first that a task makes has its prompt, a second one the other."""
    if record.softened_clip == clip and record.softened_prompt is not None:
        return record.softened_prompt
    if clip > first_made and request.prompt_extend:
        return cut(request.prompt_extend)[0]
    return record.enhanced_prompt or cut(request.prompt)[0]


async def softer(parts: Parts, claim: Claim, attempt: OpenAttempt, refusal: str) -> RecordChange | None:
    """Soften what an attempt was sent with; None where its owner does not want it, or it was done once already."""
    task = claim.task
    # A clip that was made already is only made again at a larger size: its words stay.
    scaling = bool(claim.clips) and len(task.request.clips) == 1
    if scaling or not task.request.soften or task.record.softened_prompt is not None:
        return None
    first_made = planned_by(task.request, None).first_made
    sent = prompt_of(task.request, task.record, attempt.clip, first_made=first_made)
    softened = await parts.enhancer.soften(sent)
    await failpoint("prompts.softened")
    if softened == sent:
        return None
    return retried(task.record, refusal) | {
        "softened_prompt": softened,
        "softened_clip": claim.clip_no,
        "refusal": plain(refusal),
    }


def retried(record: Record, error: str) -> dict[str, Json]:
    """Note that an attempt failed and another one follows."""
    return {"retries": record.retries + 1, "last_error": plain(error)}
