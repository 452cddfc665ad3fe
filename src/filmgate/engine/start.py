"""Start: match the tasks that come next with the lines that have room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.shares import Share
from filmgate.engine.parts import Parts
from filmgate.engine.route import Wish
from filmgate.store.credentials import Room
from filmgate.store.starts import Waiting
from filmgate.store.work import Claim

# Where nobody of the first can be placed, others behind them may ask for something else.
_FURTHER: Final = 4
_ENDLESS: Final = 2**31


@dataclass(frozen=True, slots=True)
class Shares:
    """Who works for whom already, of the hands that start films."""

    accounts: Share
    credentials: Share

    def take(self, account_id: int, credential_id: int) -> None:
        self.accounts.take(account_id)
        self.credentials.take(credential_id)


async def starts(
    parts: Parts,
    *,
    limit: int,
    lease: timedelta,
    busy: Sequence[UUID],
    since: float,
    shares: Shares | None = None,
) -> Sequence[Claim]:
    """Claim tasks to be sent, each with the line that it was given; those without one wait on."""
    shares = shares or Shares(Share(_ENDLESS, ()), Share(_ENDLESS, ()))
    rooms = _shared(await parts.credentials.rooms(), shares.credentials)
    models = [model for model in await parts.starts.models() if _open(parts, rooms, model)] if rooms else []
    if not models:
        return ()
    for reach in (limit, limit * _FURTHER):
        waiting = await parts.starts.next(models, limit=reach, busy=busy, without=shares.accounts.full())
        chosen = _placed(parts, waiting, rooms, shares, limit)
        if chosen:
            return await parts.starts.claim(chosen, lease=lease, since=since)
        if len(waiting) < reach:
            break
    return ()


def _open(parts: Parts, rooms: Mapping[int, Room], model: str) -> bool:
    lines = parts.router.lines(model)
    return any(rooms[line.credential_id].free > 0 for line in lines if line.credential_id in rooms)


def _placed(
    parts: Parts, waiting: Sequence[Waiting], rooms: Mapping[int, Room], shares: Shares, limit: int
) -> Sequence[tuple[Waiting, int]]:
    chosen: list[tuple[Waiting, int]] = []
    for one in waiting:
        if len(chosen) >= limit:
            break
        if not shares.accounts.room(one.account_id):
            continue
        wish = Wish(request=one.request, preferred=one.preferred, failed=one.failed, waited=one.waited)
        line = parts.router.choose(wish, rooms, parts.chance)
        if line is not None:
            shares.take(one.account_id, line.credential_id)
            room = rooms[line.credential_id]
            taken = {line.credential_id: Room(room.free - 1, room.shut)}
            rooms = _shared({**rooms, **taken}, shares.credentials)
            chosen.append((one, line.credential_id))
    return chosen


def _shared(rooms: Mapping[int, Room], credentials: Share) -> dict[int, Room]:
    return {id_: Room(min(room.free, credentials.room(id_)), room.shut) for id_, room in rooms.items()}
