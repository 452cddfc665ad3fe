"""Places: how many waiting tasks come before one, and whether it is its owner's limit that holds it.

The order is that of the starts, and is reckoned from how many wait under each key: a line of a hundred thousand is
counted, never read.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from filmgate.store.batch import Lane
from filmgate.store.pool import Pool

Found = TypeVar("Found")
Wanted = TypeVar("Wanted")

_TASK: Final = """
select account_id, key_id, running from work
where task_id = $1 and step = 'prepare' and model = any($2::text[]) and lease_by is null
"""

# What has begun already has its place in its owner's limits.
_QUEUES: Final = """
with waiting as (
    select account_id, key_id, count(*) filter (where running) as begun, count(*) filter (where not running) as new
    from work where step = 'prepare' and model = any($1::text[]) and lease_by is null group by account_id, key_id
)
select w.*, a.served_at, a.max_running - a.running as free, k.served_at as key_served_at,
    k.max_running - k.running as key_free
from waiting w join accounts a on a.id = w.account_id join keys k on k.id = w.key_id
"""
_MADE: Final = "select count(*) from work where step <> 'prepare' and model = any($1::text[])"

_OWN: Final = """
select task_id from work
where step = 'prepare' and model = any($1::text[]) and account_id = $2 and key_id = $3 and running = $4
    and lease_by is null
order by task_id
"""

_LIVE_S: Final = 1.0
# Counting a long line costs its time once, however many ask.
_SHARE: Final = 20
_KEPT: Final = 1_000

Models = tuple[str, ...]
Line = tuple[Models, int, int, bool]


@dataclass(frozen=True, slots=True)
class Place:
    ahead: int
    """How many tasks come before it; 0 is next."""
    limited: bool
    """Whether its account, or its key, has as many running as may run."""
    made: int
    """How many films of those models are being made meanwhile."""


@dataclass(frozen=True, slots=True)
class _Queue:
    """What waits under one key: first what has begun already, then what is new."""

    key_id: int
    begun: int
    new: int
    served_at: datetime
    free: int | None

    def before(self, nth: int, *, begun: bool) -> int:
        """Count its tasks of that kind whose number in it is lower."""
        first, most = (0, self.begun) if begun else (self.begun, self.new)
        return min(max(0, nth - 1 - first), most)

    def has(self, nth: int, *, begun: bool) -> bool:
        return nth <= self.begun if begun else self.begun < nth <= self.begun + self.new


@dataclass(frozen=True, slots=True)
class _Account:
    id: int
    served_at: datetime
    free: int | None
    queues: Sequence[_Queue]

    @property
    def begun(self) -> int:
        return sum(queue.begun for queue in self.queues)

    @property
    def count(self) -> int:
        return sum(queue.begun + queue.new for queue in self.queues)

    def place(self, own: _Queue, nth: int, *, begun: bool) -> int:
        """Give the turn of its account in which a task comes: its keys take turns, the least lately served first."""
        turn = (own.served_at, own.key_id)
        return (
            1
            + (0 if begun else self.begun)
            + sum(queue.before(nth, begun=begun) for queue in self.queues)
            + sum(
                queue.has(nth, begun=begun) and (queue.served_at, queue.key_id) < turn
                for queue in self.queues
            )
        )


@dataclass(frozen=True, slots=True)
class _Room:
    accounts: Mapping[int, _Account]
    made: int


class Places:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rooms: _Kept[Models, _Room] = _Kept(self._counted)
        self._lines: _Kept[Line, Sequence[UUID]] = _Kept(self._read)

    async def of(self, task_id: UUID, models: Sequence[str]) -> Place | None:
        """Give a task's place among those of these models, a second old or so; None where it does not wait here."""
        asked = tuple(sorted(models))
        task = await self._pool.fetchrow(_TASK, task_id, list(asked))
        if task is None:
            return None
        begun: bool = task["running"]
        line = await self._lines.of((asked, task["account_id"], task["key_id"], begun))
        room = await self._rooms.of(asked)
        account = room.accounts.get(task["account_id"])
        own = next((one for one in account.queues if one.key_id == task["key_id"]), None) if account else None
        if account is None or own is None:
            # It came a moment ago, to an account of which none had waited.
            return Place(sum(one.count > 0 for one in room.accounts.values()), limited=False, made=room.made)
        new = 1 + bisect_left(line, task_id)
        place = account.place(own, new if begun else own.begun + new, begun=begun)
        turn = (account.served_at, account.id)
        ahead = place - 1
        for other in room.accounts.values():
            if other.id != account.id:
                ahead += min(other.count, place - 1)
                ahead += other.count >= place and (other.served_at, other.id) < turn
        held = _over(place - account.begun, account.free) or _over(new, own.free)
        return Place(ahead, limited=not begun and held, made=room.made)

    async def _counted(self, models: Models) -> _Room:
        found = await self._pool.fetch(_QUEUES, list(models))
        made = await self._pool.fetchval(_MADE, list(models))
        queues: dict[int, list[_Queue]] = {}
        for row in found:
            queue = _Queue(row["key_id"], row["begun"], row["new"], row["key_served_at"], row["key_free"])
            queues.setdefault(row["account_id"], []).append(queue)
        heads = {row["account_id"]: row for row in found}
        return _Room(
            {id_: _Account(id_, heads[id_]["served_at"], heads[id_]["free"], queues[id_]) for id_ in queues},
            made,
        )

    async def _read(self, line: Line) -> Sequence[UUID]:
        models, *rest = line
        return [row["task_id"] for row in await self._pool.fetch(_OWN, list(models), *rest)]


class _Kept(Generic[Wanted, Found]):
    """Keeps what was found for a second, or for as many times as long as it took to find."""

    def __init__(self, find: Callable[[Wanted], Awaitable[Found]]) -> None:
        self._find = find
        self._found: dict[Wanted, tuple[float, Found]] = {}
        self._finding: Lane[Wanted, Found] = Lane(self._all)

    async def of(self, wanted: Wanted) -> Found:
        until, found = self._found.get(wanted, (0.0, None))
        if found is None or asyncio.get_running_loop().time() > until:
            return await self._finding.put(wanted)
        return found

    async def _all(self, batch: Sequence[Wanted]) -> Sequence[Found]:
        loop = asyncio.get_running_loop()
        if len(self._found) > _KEPT:
            self._found = {one: kept for one, kept in self._found.items() if kept[0] > loop.time()}
        for wanted in dict.fromkeys(batch):
            began = loop.time()
            found = await self._find(wanted)
            took = loop.time() - began
            self._found[wanted] = loop.time() + max(_LIVE_S, took * _SHARE), found
        return [self._found[wanted][1] for wanted in batch]


def _over(number: int, free: int | None) -> bool:
    return free is not None and number > free
