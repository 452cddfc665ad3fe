"""Prepare: choose who makes the clip, gather what it needs, write the intent, and send."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import orjson

from filmgate.domain.contracts_provider import ClipRequest, Tidies
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.ids import submit_key
from filmgate.domain.limits import ATTEMPTS, IDLE_CLAIM
from filmgate.domain.plan import Plan, planned_by
from filmgate.domain.problems import Problem
from filmgate.domain.states import AttemptState, State, Step
from filmgate.engine.backoff import after_question
from filmgate.engine.cancel import cancelled
from filmgate.engine.clip import clip_request
from filmgate.engine.end import expire, fail, too_late
from filmgate.engine.lease import renewing
from filmgate.engine.parts import Parts
from filmgate.engine.pictures import frames_of
from filmgate.engine.prompts import enhanced
from filmgate.engine.route import Line
from filmgate.engine.submit import submit, withdrawn
from filmgate.engine.takeover import with_first_clip
from filmgate.media.child import ChildError
from filmgate.media.findings import NotAFilm
from filmgate.store import transitions
from filmgate.store.moves import NoRoom, Sending
from filmgate.store.patience import PASSING
from filmgate.store.work import Claim, OpenAttempt


async def prepare(parts: Parts, claim: Claim) -> None:
    """Take a task from waiting to sent; it waits on where no slot is free."""
    late = too_late(claim) or _overdue(parts, claim)
    if late or claim.task.cancel_requested_at is not None:
        await (expire if late else cancelled)(parts, claim)
        return
    line = parts.router.line(claim.task.request.model, claim.credential_id)
    if line is None or parts.storage.failing is not None:
        # Nobody is paid for a film that could not be kept.
        # Or its route was taken out of the settings just now, and may come back.
        await parts.moves.make(transitions.waiting(claim, after_question(claim.tries)))
        return
    planned = planned_with(claim, line)
    if claim.clips and planned.at(claim.clip_no) is None:
        state = State.COLLECTING if planned.joins else State.UPSAMPLING
        await parts.moves.make(transitions.rendering(claim, state=state))
        parts.wake.set()
        return
    spent = await parts.reader.attempts_spent(claim.task_id, claim.clip_no) if claim.attempt else 0
    if spent >= ATTEMPTS:
        await fail(parts, claim, "provider_failed", parameters={"attempts": spent})
        return
    try:
        async with renewing(parts, claim):
            claim = await with_first_clip(parts, claim, planned)
            claim, clip = await _gathered(parts, claim, line, planned)
    except Problem as problem:
        await fail(parts, claim, problem.code, parameters=problem.parameters)
        return
    except (ChildError, StorageFault, NotAFilm) as error:
        # That says nothing of the pictures: they are looked at again later.
        await failpoint("prepare.failed")
        parts.telemetry.event(
            "prepare.failed", task=str(claim.task_id), reason=str(error) or type(error).__name__
        )
        await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), "prepare"))
        return
    await failpoint("prepare.after_frames")
    await _send(parts, claim, line, clip)


def planned_with(claim: Claim, line: Line) -> Plan:
    """Plan a task's film as one line's provider makes it."""
    return planned_by(claim.task.request, line.provider)


async def repeat(parts: Parts, claim: Claim) -> ClipRequest | None:
    """Give the very request of an attempt that was sent before; None where by the settings of today it is another.

    A vendor refuses a key that it knows under another request, which would prove nothing of the film that it makes.
    """
    attempt = claim.attempt
    line = None if attempt is None else parts.router.line(claim.task.request.model, attempt.credential_id)
    if attempt is None or line is None:
        return None
    frames = await frames_of(parts, claim)
    clip = await clip_request(parts, claim, line, planned_with(claim, line), frames, attempt=attempt.no)
    return clip if _digest(clip) == attempt.body_sha256 else None


async def _gathered(parts: Parts, claim: Claim, line: Line, planned: Plan) -> tuple[Claim, ClipRequest]:
    claim = await enhanced(parts, claim)
    frames = await frames_of(parts, claim)
    attempt = claim.tried.no + 1 if claim.tried else 1
    return claim, await clip_request(parts, claim, line, planned, frames, attempt=attempt)


async def _send(parts: Parts, claim: Claim, line: Line, clip: ClipRequest) -> None:
    # To gather it may have taken long.
    if _overdue(parts, claim):
        await expire(parts, claim)
        return
    sending = _sending(parts, claim, line, clip)
    # The lease counts from before the intent is written: whatever comes between, be it a lock or a stopped process,
    # shortens what is left of it.
    since, heard = parts.clock.monotonic(), True
    try:
        await parts.moves.make(transitions.sending(claim, sending))
    except NoRoom:
        await failpoint("prepare.no_room")
        await parts.moves.make(transitions.waiting(claim, IDLE_CLAIM))
        return
    except PASSING:
        # It may be written all the same.
        heard = False
    await failpoint("submit.after_intent")
    sent = replace(_sent(claim, sending, parts), since=since)
    if heard:
        await submit(parts, sent, line, clip)
    else:
        await withdrawn(parts, sent)


def _digest(clip: ClipRequest) -> str:
    said = (clip.model, clip.prompt, str(clip.size), clip.seconds, clip.sound, clip.seed)
    digest = hashlib.sha256(orjson.dumps(said))
    earlier = clip.extends or clip.remixes or clip.upsamples
    for frame in (*clip.frames, *([earlier.last_frame] if earlier and earlier.last_frame else [])):
        digest.update(frame.content)
    return digest.hexdigest()


def _sending(parts: Parts, claim: Claim, line: Line, clip: ClipRequest) -> Sending:
    return Sending(
        clip=claim.clip_no,
        no=clip.attempt,
        credential_id=line.credential_id,
        provider=line.provider_name,
        key=submit_key(claim.task_id, claim.clip_no, clip.attempt),
        body_sha256=_digest(clip),
        folder=parts.claims.folder if isinstance(line.provider, Tidies) else None,
        vendor_model=clip.model,
        list_cost_micros=line.costs.of_clip(
            clip.model, clip.size, clip.seconds, sound=clip.sound, at=store_time(parts, claim)
        ),
    )


def _overdue(parts: Parts, claim: Claim) -> bool:
    """Tell whether the time of a task is over; the sweep may not have come by yet."""
    return store_time(parts, claim) >= claim.task.deadline_at


def store_time(parts: Parts, claim: Claim) -> datetime:
    """Give the database's time, by which prices hold, as it told it with the claim."""
    return claim.claimed_at + timedelta(seconds=parts.clock.monotonic() - claim.since)


def _sent(claim: Claim, sending: Sending, parts: Parts) -> Claim:
    attempt = OpenAttempt(
        clip=sending.clip,
        no=sending.no,
        credential_id=sending.credential_id,
        key=sending.key,
        body_sha256=sending.body_sha256,
        state=AttemptState.SENDING,
        ref=None,
        ticket=None,
        result=None,
        sent_at=parts.clock.now(),
    )
    return replace(claim, step=Step.SUBMIT, attempt=attempt)
