"""Build the request of one clip: its words, its pictures, and the film that it goes on from."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from filmgate.domain.contracts_provider import ClipRequest, Earlier, Frame, Power, Ticket
from filmgate.domain.plan import ClipRole, Plan, PlannedClip
from filmgate.domain.problems import Problem
from filmgate.domain.rehearsal import Rehearsal, cut
from filmgate.domain.request import FilmRequest, PictureRole
from filmgate.domain.task import Task
from filmgate.engine.keep import to_file
from filmgate.engine.parts import Parts
from filmgate.engine.prompts import prompt_of
from filmgate.engine.route import Line
from filmgate.store.read import Receipt
from filmgate.store.work import Claim


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a clip goes on from: the task that was asked for it, and its clip there."""

    task: Task
    clip: int
    seconds: float


async def clip_request(
    parts: Parts, claim: Claim, line: Line, planned: Plan, frames: tuple[Frame, ...], *, attempt: int
) -> ClipRequest:
    """Build the request; raise Problem `source_gone` where the film that it needs is no longer kept."""
    made = _planned(claim, planned)
    request, record = claim.task.request, claim.task.record
    origin = await _origin(parts, claim, made)
    earlier = None if origin is None else await _earlier(parts, claim, line, made, origin)
    larger = request.upsample_to if made.role is ClipRole.UPSAMPLE else None
    first_made = planned.first_made
    shown = 1 if made.role is ClipRole.UPSAMPLE else claim.clip_no
    return ClipRequest(
        model=line.model,
        prompt=prompt_of(request, record, shown, first_made=first_made),
        size=larger or request.size,
        seconds=made.seconds,
        sound=request.sound,
        seed=request.seed,
        frames=frames,
        extends=earlier if made.role is ClipRole.EXTENSION else None,
        remixes=earlier if made.role is ClipRole.FIRST else None,
        upsamples=earlier if made.role is ClipRole.UPSAMPLE else None,
        softened=record.softened_clip == claim.clip_no,
        attempt=attempt,
        rehearsal=_rehearsal(request, made, planned),
    )


def _planned(claim: Claim, planned: Plan) -> PlannedClip:
    made = planned.at(claim.clip_no)
    if made is None:
        raise ValueError(claim.task_id)
    return made


def _rehearsal(request: FilmRequest, made: PlannedClip, planned: Plan) -> Rehearsal:
    said = cut(request.prompt)[1].also(cut(request.prompt_extend or "")[1])
    if made.no == planned.first_made:
        return said.also(said.of_extension()) if made.role is ClipRole.EXTENSION else said
    return said.of_extension() if made.role is ClipRole.EXTENSION else Rehearsal()


async def _origin(parts: Parts, claim: Claim, made: PlannedClip) -> _Origin | None:
    source = claim.task.request.source
    if (made.role is not ClipRole.FIRST and source is None) or made.role is ClipRole.UPSAMPLE:
        return _Origin(claim.task, 1, claim.clips[0].film.facts.seconds)
    if source is None:
        return None
    parent = await parts.reader.find(str(source.task_id), claim.task.account_id)
    if parent is None and claim.clips:
        # Its clip is copied already: the film goes on from where that stopped.
        return _Origin(claim.task, 0, claim.clips[0].film.facts.seconds)
    if parent is None:
        raise Problem("source_gone")
    seconds = claim.clips[0].film.facts.seconds if claim.clips else float(parent.request.seconds)
    return _Origin(parent, source.clip, seconds)


async def _earlier(parts: Parts, claim: Claim, line: Line, made: PlannedClip, origin: _Origin) -> Earlier:
    receipt = await parts.reader.receipt(origin.task.id, origin.clip) if origin.clip else None
    ticket = _ticket(receipt, line)
    # What another task's film was drawn from beside its prompt is not at hand: it goes on from where that stopped.
    request = origin.task.request
    strange = origin.task.id != claim.task_id and (request.pictures or request.source)
    own = ticket is not None and Power.EXTENDS in line.provider.powers and not strange
    last_frame = None
    if made.role is ClipRole.EXTENSION and not own:
        last_frame = await _last_frame(parts, claim)
    return Earlier(
        prompt=prompt_of(request, origin.task.record, 1, first_made=1),
        seconds=origin.seconds,
        seed=request.seed,
        ticket=ticket,
        last_frame=last_frame,
    )


def _ticket(receipt: Receipt | None, line: Line) -> Ticket | None:
    if receipt is None or receipt.credential_id != line.credential_id:
        return None
    return Ticket(ref=receipt.ref, memory=receipt.memory)


async def _last_frame(parts: Parts, claim: Claim) -> Frame:
    with TemporaryDirectory(
        dir=parts.workspace, prefix=f"{claim.task_id}.", ignore_cleanup_errors=True
    ) as folder:
        path = Path(folder) / "clip.mp4"
        await to_file(parts.objects.stream(claim.clips[-1].object_key), path)
        picture = await parts.workshop.last_frame(path)
    return Frame(PictureRole.BEFORE, picture.media_type, picture.content)
