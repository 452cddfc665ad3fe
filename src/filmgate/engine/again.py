"""Again: what a task was asked for, as a request of its own; nothing of the old task is touched."""

from filmgate.domain.faults import StorageFault
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, GivenPicture, NamedSource, SourceKind, Upload
from filmgate.domain.task import Task
from filmgate.engine.parts import Parts
from filmgate.engine.pictures import checked_key, read_whole


async def draft_again(
    parts: Parts, task: Task, *, seed: str | None = None, model: str | None = None
) -> Draft:
    """Give the request of a task anew, with what is asked to be different.

    Raise Problem `source_gone` where a picture or a film that it needs is no longer kept.
    """
    request = task.request
    goes_on = request.source is not None and request.source.kind is SourceKind.EXTEND
    return Draft(
        model=model or request.model,
        prompt=request.prompt,
        prompt_extend=request.prompt_extend,
        size=str(request.size),
        seconds=None if goes_on else str(request.clips[0]),
        pictures=await _pictures(parts, task),
        seed=seed or (None if request.seed is None else str(request.seed)),
        sound=request.sound,
        enhance=request.enhance,
        upsample=request.upsample_to is not None,
        source=await _source(parts, task),
        any_model=True,
        callback_url=request.callback_url,
        deliver_to=request.deliver_to,
        metadata=request.metadata,
    )


async def _source(parts: Parts, task: Task) -> NamedSource | None:
    source = task.request.source
    if source is None:
        return None
    earlier = await parts.reader.find(str(source.task_id), task.account_id)
    if earlier is None:
        raise Problem("source_gone")
    # Named by another than its own id, a film of two clips is gone on from its first.
    use = next((use for use, name in earlier.names.items() if name == source.name != earlier.name), None)
    return NamedSource(source.kind, source.name, "id", use)


async def _pictures(parts: Parts, task: Task) -> tuple[GivenPicture, ...]:
    pictures = task.request.pictures
    sent = any(picture.url is None for picture in pictures)
    inputs = {file.object_key for file in await parts.files.inputs(task.id)} if sent else set()
    given: list[GivenPicture] = []
    for no, picture in enumerate(pictures):
        checked = checked_key(task.id, no)
        key = checked if checked in inputs else picture.object_key or ""
        source = picture.url or Upload(await _kept(parts, key))
        given.append(GivenPicture(source, picture.role, picture.field))
    return tuple(given)


async def _kept(parts: Parts, key: str) -> bytes:
    try:
        return await read_whole(parts, key)
    except StorageFault:
        raise Problem("source_gone") from None
