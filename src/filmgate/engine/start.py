"""Start: match the tasks that come next with the lines that have room."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.engine.parts import Parts
from filmgate.engine.route import Wish
from filmgate.store.credentials import Room
from filmgate.store.starts import Waiting
from filmgate.store.work import Claim

# Where nobody of the first can be placed, others behind them may ask for something else.
_FURTHER: Final = 4


async def starts(
    parts: Parts, *, limit: int, lease: timedelta, busy: Sequence[UUID], since: float, named: bool = True
) -> Sequence[Claim]:
    """Claim tasks to be sent, each with the line that it was given; those without one wait on."""
    rooms = await parts.credentials.rooms()
    models = [model for model in await parts.starts.models() if _open(parts, rooms, model)] if rooms else []
    if not models:
        return ()
    for reach in (limit, limit * _FURTHER):
        waiting = await parts.starts.next(models, limit=reach, busy=busy)
        chosen = _placed(parts, waiting, dict(rooms))[:limit]
        if chosen:
            return await parts.starts.claim(chosen, lease=lease, since=since, named=named)
        if len(waiting) < reach:
            break
    return ()


def _open(parts: Parts, rooms: Mapping[int, Room], model: str) -> bool:
    lines = parts.router.lines(model)
    return any(rooms[line.credential_id].free > 0 for line in lines if line.credential_id in rooms)


def _placed(
    parts: Parts, waiting: Sequence[Waiting], rooms: dict[int, Room]
) -> Sequence[tuple[Waiting, int]]:
    chosen: list[tuple[Waiting, int]] = []
    for one in waiting:
        wish = Wish(request=one.request, preferred=one.preferred, failed=one.failed, waited=one.waited)
        line = parts.router.choose(wish, rooms, parts.chance)
        if line is not None:
            room = rooms[line.credential_id]
            rooms[line.credential_id] = Room(room.free - 1, room.shut)
            chosen.append((one, line.credential_id))
    return chosen
