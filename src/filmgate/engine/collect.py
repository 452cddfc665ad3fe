"""Collect: fetch the clip, prove that it is one, make it durable, and only then go on or end the task."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import Fault, StorageFault
from filmgate.domain.limits import COLLECT_TRIES, FILM_SECONDS
from filmgate.domain.plan import STATES, ClipRole, Plan, planned_by
from filmgate.domain.record import Maker
from filmgate.domain.states import State, Step
from filmgate.domain.task import Film, StoredClip, StoredFile
from filmgate.engine.adopt import adopt
from filmgate.engine.backoff import after_collect, after_question
from filmgate.engine.end import fail, finish, tidied
from filmgate.engine.keep import keep, to_file
from filmgate.engine.lease import renewing
from filmgate.engine.parts import Parts
from filmgate.media.child import ChildError
from filmgate.media.findings import NotAFilm
from filmgate.store import transitions
from filmgate.store.ends import End
from filmgate.store.notices import Notice
from filmgate.store.work import Claim

# Each says nothing final of the film: it is fetched and looked at again later.
_STORAGE: Final = "storage"
_COLLECT: Final = "collect"
NOT_THIS_TIME: Final = (Fault, StorageFault, NotAFilm, ChildError, TimeoutError, OSError)


async def collect(parts: Parts, claim: Claim) -> None:
    attempt = claim.attempt
    named = parts.maker(attempt)
    if attempt is None or attempt.result is None or named is None:
        await _not_collected(parts, claim, Fault("its provider is not configured any more"))
        return
    if await waits_for_storage(parts, claim):
        return
    name, provider = named
    planned = planned_by(claim.task.request, provider)
    last = _last(claim, planned)
    started = parts.clock.monotonic()
    with TemporaryDirectory(
        dir=parts.workspace, prefix=f"{claim.task_id}.", ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder) / "film.mp4"
        async with renewing(parts, claim):
            try:
                async with asyncio.timeout(FILM_SECONDS):
                    await adopt(parts, claim, provider)
                    await to_file(provider.fetch(attempt.result), path)
                    inspection = await parts.workshop.inspect(path)
                parts.telemetry.asked(name, "download", "done", parts.clock.monotonic() - started)
                await failpoint("collect.after_fetch")
                film, files = await keep(parts, claim, path, inspection, "video" if last else "clip")
            except NOT_THIS_TIME as error:
                outcome = type(error).__name__.lower()
                parts.telemetry.asked(name, "download", outcome, parts.clock.monotonic() - started)
                if not await not_kept(parts, claim, error):
                    await _not_collected(parts, claim, error)
                return
        await failpoint("collect.after_store")
    if last:
        await _finish(parts, claim, film, files)
    else:
        await _go_on(parts, claim, planned, film, files)


def _last(claim: Claim, planned: Plan) -> bool:
    """Tell whether nothing is left to do once this clip is kept."""
    made = planned.at(claim.clip_no)
    scaled = made is not None and made.role is ClipRole.UPSAMPLE
    return planned.at(claim.clip_no + 1) is None and (
        scaled or not (planned.joins or claim.task.request.upsample_to is not None)
    )


async def _finish(parts: Parts, claim: Claim, film: Film, files: Sequence[StoredFile]) -> None:
    record = None
    if claim.clips:
        # The last of several that needs no joining is the film again, at a larger size.
        film = Film(film.facts, {**film.files, "source": claim.clips[0].film.files["video"]})
        record = {"upsampled_by": Maker.PROVIDER.value}
    end = End(claim=claim, state=State.SUCCEEDED, kept=parts.retention, film=film, files=files, record=record)
    await finish(parts, end)


async def _go_on(parts: Parts, claim: Claim, planned: Plan, film: Film, files: Sequence[StoredFile]) -> None:
    made, following = planned.at(claim.clip_no), planned.at(claim.clip_no + 1)
    if made is None:
        raise ValueError(claim.task_id)
    video = next(file for file in files if file.id == film.files["video"])
    clip = StoredClip(no=made.no, role=made.role.value, object_key=video.object_key, film=film)
    state = State.COLLECTING if planned.joins else State.UPSAMPLING
    move = transitions.stored(
        claim,
        clip,
        files,
        parts.retention,
        step=Step.RENDER if following is None else Step.PREPARE,
        state=state if following is None else STATES[following.role],
        progress=planned.progress(made.no, 99) if following is None else planned.progress(following.no, 0),
    )
    await parts.moves.make(move)
    parts.wake.set()
    await tidied(parts, claim)


async def waits_for_storage(parts: Parts, claim: Claim) -> bool:
    """Let a film wait where it is, while it is known that it could not be stored."""
    if parts.storage.failing is None:
        return False
    await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), _STORAGE))
    await failpoint("collect.waiting")
    return True


async def not_kept(parts: Parts, claim: Claim, error: Exception) -> bool:
    """Let a film wait whose storing failed, for as long as that takes: it says nothing of the film."""
    if not isinstance(error, StorageFault) or error.absent:
        return False
    await failpoint("collect.not_kept")
    parts.telemetry.event("film.waits", task=str(claim.task_id), reason=str(error), error_code=error.kind)
    await parts.moves.make(transitions.postponed(claim, after_question(claim.tries), _STORAGE))
    return True


async def _not_collected(parts: Parts, claim: Claim, error: Exception) -> None:
    await failpoint("collect.failed")
    tries = claim.times(_COLLECT)
    parts.telemetry.event("collect.failed", task=str(claim.task_id), reason=str(error), tries=tries + 1)
    if tries + 1 >= COLLECT_TRIES:
        notice = Notice("result_lost", f"the film was made but never arrived whole: {error}")
        await fail(parts, claim, "result_lost", notice=notice)
        return
    await parts.moves.make(transitions.postponed(claim, after_collect(tries), _COLLECT))
