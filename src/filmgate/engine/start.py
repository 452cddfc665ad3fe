"""Start: match the tasks that come next with the lines that have room."""

from collections.abc import Mapping, Sequence
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


class Shares:
    """For whom the hands work that start films.

    What is slow may be one customer's pictures, or the answers of one vendor: neither takes the hands of the other's.
    """

    def __init__(self, hands: int, held: Sequence[Claim]) -> None:
        pairs = [(claim.task.account_id, claim.credential_id) for claim in held]
        self._pairs = Share(hands, pairs)
        self._credentials = Share(hands, [credential_id for _, credential_id in pairs], weight=3)
        self.accounts = Share(hands, [account_id for account_id, _ in pairs], weight=2)

    @property
    def free(self) -> int:
        return self._pairs.free

    def rooms(self, account_id: int, rooms: Mapping[int, Room]) -> Mapping[int, Room]:
        """Narrow what credentials have room for to what an account may have."""
        most = self.accounts.room(account_id)
        return {
            id_: Room(
                min(room.free, most, self._credentials.room(id_), self._pairs.room((account_id, id_))),
                room.shut,
            )
            for id_, room in rooms.items()
        }

    def take(self, account_id: int, credential_id: int) -> None:
        self._pairs.take((account_id, credential_id))
        self._credentials.take(credential_id)
        self.accounts.take(account_id)


async def starts(
    parts: Parts,
    *,
    limit: int,
    lease: timedelta,
    busy: Sequence[UUID],
    since: float,
    named: bool = True,
    shares: Shares | None = None,
) -> Sequence[Claim]:
    """Claim tasks to be sent, each with the line that it was given; those without one wait on."""
    shares = shares or Shares(_ENDLESS, ())
    rooms = await parts.credentials.rooms()
    models = [model for model in await parts.starts.models() if _open(parts, rooms, model)] if rooms else []
    if not models:
        return ()
    for reach in (limit, limit * _FURTHER):
        waiting = await parts.starts.next(models, limit=reach, busy=busy, without=shares.accounts.full())
        chosen = _placed(parts, waiting, rooms, shares, limit)
        if chosen:
            return await parts.starts.claim(chosen, lease=lease, since=since, named=named)
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
    left = dict(rooms)
    for one in waiting:
        if len(chosen) >= limit:
            break
        wish = Wish(request=one.request, preferred=one.preferred, failed=one.failed, waited=one.waited)
        line = parts.router.choose(wish, shares.rooms(one.account_id, left), parts.chance)
        if line is not None:
            shares.take(one.account_id, line.credential_id)
            room = left[line.credential_id]
            left[line.credential_id] = Room(room.free - 1, room.shut)
            chosen.append((one, line.credential_id))
    return chosen
