"""Prepare: choose who makes the clip, fetch and check the pictures, write the intent, and send."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import orjson

from filmgate.domain import ids
from filmgate.domain.contracts import ClipRequest, Frame
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import (
    ATTEMPTS,
    IDLE_CLAIM,
    PICTURE_BYTES,
    PICTURE_FIRST_BYTE_SECONDS,
    PICTURE_SECONDS,
)
from filmgate.domain.problems import Problem
from filmgate.domain.rehearsal import cut
from filmgate.domain.request import Picture
from filmgate.domain.states import AttemptState, Step
from filmgate.domain.task import StoredFile
from filmgate.engine.backoff import after_question
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.engine.route import Line
from filmgate.engine.submit import submit
from filmgate.media.child import ChildError
from filmgate.media.findings import BadPicture
from filmgate.net.denied import Denied
from filmgate.net.fetch import FetchFailed
from filmgate.store import transitions
from filmgate.store.ends import Notice
from filmgate.store.moves import NoRoom, Sending
from filmgate.store.work import Claim, OpenAttempt


async def prepare(parts: Parts, claim: Claim) -> None:
    """Take a task from waiting to sent; it waits on where no slot is free."""
    line = parts.router.line(claim.task.request.model, claim.credential_id)
    if line is None:
        await _reroute(parts, claim)
        return
    spent = await parts.reader.attempts_spent(claim.task_id) if claim.attempt else 0
    if spent >= ATTEMPTS:
        await fail(parts, claim, "provider_failed", parameters={"attempts": spent})
        return
    try:
        frames = await _frames(parts, claim)
    except Problem as problem:
        for picture in claim.task.request.pictures:
            await _drop_upload(parts, picture)
        await fail(parts, claim, problem.code, parameters=problem.parameters)
        return
    except (ChildError, StorageFault) as error:
        # That says nothing of the picture: it is looked at again later.
        parts.telemetry.event("prepare.failed", task=str(claim.task_id), reason=type(error).__name__)
        await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), "prepare"))
        return
    await failpoint("prepare.after_frames")
    clip = _clip(claim, line, frames)
    sending = _sending(claim, line, clip)
    try:
        await parts.moves.make(transitions.sending(claim, sending))
    except NoRoom:
        await parts.moves.make(transitions.waiting(claim, IDLE_CLAIM))
        return
    await failpoint("submit.after_intent")
    await submit(parts, _sent(claim, sending, parts), line, clip)


async def repeat(parts: Parts, claim: Claim) -> ClipRequest | None:
    """Give the very request of an attempt that was sent before; None where the settings no longer have its line."""
    attempt = claim.attempt
    line = None if attempt is None else parts.router.line(claim.task.request.model, attempt.credential_id)
    if attempt is None or line is None:
        return None
    return replace(_clip(claim, line, await _frames(parts, claim)), attempt=attempt.no)


async def _reroute(parts: Parts, claim: Claim) -> None:
    line = parts.router.choose(claim.task.request.model, parts.chance)
    if line is None:
        notice = Notice("no_provider", f"no route serves {claim.task.request.model}")
        await fail(parts, claim, "no_provider", parameters={"model": claim.task.request.model}, notice=notice)
        return
    await parts.moves.make(transitions.waiting(claim, transitions.NOW, line.credential_id))
    parts.wake.set()


def _clip(claim: Claim, line: Line, frames: tuple[Frame, ...]) -> ClipRequest:
    request = claim.task.request
    prompt, rehearsal = cut(request.prompt)
    return ClipRequest(
        model=line.model,
        prompt=prompt,
        size=request.size,
        seconds=request.seconds,
        sound=request.sound,
        seed=request.seed,
        frames=frames,
        attempt=claim.attempt.no + 1 if claim.attempt else 1,
        rehearsal=rehearsal,
    )


def _sending(claim: Claim, line: Line, clip: ClipRequest) -> Sending:
    said = (clip.model, clip.prompt, str(clip.size), clip.seconds, clip.sound, clip.seed)
    digest = hashlib.sha256(orjson.dumps(said))
    for frame in clip.frames:
        digest.update(frame.content)
    return Sending(
        clip=1,
        no=clip.attempt,
        credential_id=line.credential_id,
        provider=line.provider_name,
        key=f"{claim.task_id}.1.{clip.attempt}",
        body_sha256=digest.hexdigest(),
    )


def _sent(claim: Claim, sending: Sending, parts: Parts) -> Claim:
    attempt = OpenAttempt(
        clip=sending.clip,
        no=sending.no,
        credential_id=sending.credential_id,
        key=sending.key,
        state=AttemptState.SENDING,
        ref=None,
        ticket=None,
        result=None,
        sent_at=parts.clock.now(),
    )
    return replace(claim, step=Step.SUBMIT, attempt=attempt, since=parts.clock.monotonic())


async def _frames(parts: Parts, claim: Claim) -> tuple[Frame, ...]:
    """Give the checked pictures; what was checked before this claim is not fetched again."""
    pictures = claim.task.request.pictures
    if not pictures:
        return ()
    kept = {file.object_key: file for file in await parts.files.inputs(claim.task_id)}
    if len(kept) < len(pictures):
        await parts.moves.make(transitions.preparing(claim))
    frames: list[Frame] = []
    for no, picture in enumerate(pictures):
        key = f"tasks/{claim.task_id}/input-{no}"
        if key in kept:
            frames.append(Frame(picture.role, kept[key].media_type, await _read(parts, key)))
        else:
            frames.append(await _check(parts, claim, picture, key))
    return tuple(frames)


async def _check(parts: Parts, claim: Claim, picture: Picture, key: str) -> Frame:
    checked = await _checked(parts, picture)
    stored = await parts.objects.put_bytes(key, checked.content)
    await failpoint("prepare.after_input")
    file = StoredFile(
        id=ids.uuid7(parts.clock.now(), parts.chance),
        account_id=claim.task.account_id,
        task_id=claim.task_id,
        role="input",
        object_key=key,
        media_type=checked.media_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256.hex(),
    )
    await parts.files.keep_input(file, parts.retention)
    await _drop_upload(parts, picture)
    return Frame(picture.role, checked.media_type, checked.content)


async def _checked(parts: Parts, picture: Picture) -> Frame:
    try:
        if picture.url is None:
            content = await _read(parts, picture.object_key or "")
        else:
            fetched = await parts.pictures.fetch(
                picture.url,
                limit_bytes=PICTURE_BYTES,
                total_s=PICTURE_SECONDS,
                first_byte_s=PICTURE_FIRST_BYTE_SECONDS,
            )
            content = fetched.body
        checked = await parts.workshop.check_picture(content)
    except Denied as denied:
        parts.telemetry.event("picture.denied", reason=denied.operator)
        raise Problem("picture_denied", field="input_reference") from None
    except FetchFailed as error:
        parts.telemetry.event("picture.unreachable", reason=error.operator)
        raise Problem("picture_unreachable", field="input_reference", reason=str(error)) from None
    except BadPicture as error:
        raise Problem("picture_unusable", field="input_reference", reason=error.reason) from None
    return Frame(picture.role, checked.media_type, checked.content)


async def _drop_upload(parts: Parts, picture: Picture) -> None:
    """Remove what the client sent, once it is checked and encoded anew, or refused."""
    if picture.object_key is not None:
        await parts.objects.delete(picture.object_key)


async def _read(parts: Parts, key: str) -> bytes:
    chunks: Sequence[bytes] = [chunk async for chunk in parts.objects.stream(key)]
    return b"".join(chunks)
