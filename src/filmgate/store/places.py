"""Places: how many waiting tasks come before one, and whether it is its owner's limit that holds it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from filmgate.store.batch import Lane
from filmgate.store.pool import Pool

# The order is that of the starts; what has begun already has its place in its owner's limits.
_PLACES: Final = """
with waiting as (
    select w.task_id, w.account_id, w.running, k.served_at, k.max_running - k.running as key_free, row_number() over mine
        as nth, sum((not w.running)::int) over mine as key_new
    from work w join keys k on k.id = w.key_id
    where w.step = 'prepare' and w.model = any($1::text[]) and w.lease_by is null
    window mine as (partition by w.account_id, w.key_id order by w.running desc, w.task_id)
), ranked as (
    select w.task_id, w.running, w.key_new, w.key_free, a.served_at, a.max_running - a.running as free,
        row_number() over mine as place, sum((not w.running)::int) over mine as new
    from waiting w join accounts a on a.id = w.account_id
    window mine as (partition by w.account_id order by w.running desc, w.nth, w.served_at, w.task_id)
)
select task_id, row_number() over (order by place, served_at, task_id) - 1 as ahead,
    not running and (coalesce(new > free, false) or coalesce(key_new > key_free, false)) as limited,
    (select count(*) from work where step <> 'prepare' and model = any($1::text[])) as made
from ranked
"""

_LIVE_S: Final = 1.0
# Counting a long line costs its time once, however many ask.
_SHARE: Final = 20

Models = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    ahead: int
    """How many tasks come before it; 0 is next."""
    limited: bool
    """Whether its account, or its key, has as many running as may run."""
    made: int
    """How many films of those models are being made meanwhile."""


@dataclass(slots=True)
class _Line:
    until: float
    places: dict[UUID, Place | None]


class Places:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lines: dict[Models, _Line] = {}
        self._counting: Lane[Models, _Line] = Lane(self._count)

    async def of(self, task_id: UUID, models: Sequence[str]) -> Place | None:
        """Give a task's place among those of these models, a second old at most; None where it does not wait here."""
        key = tuple(sorted(models))
        line = self._lines.get(key)
        if line is None or task_id not in line.places or asyncio.get_running_loop().time() > line.until:
            line = await self._counting.put(key)
            # That it is not in the line is known as long as the line is.
            line.places.setdefault(task_id, None)
        return line.places[task_id]

    async def _count(self, batch: Sequence[Models]) -> Sequence[_Line]:
        loop = asyncio.get_running_loop()
        for key in set(batch):
            began = loop.time()
            places: Mapping[UUID, Place | None] = {
                row["task_id"]: Place(row["ahead"], row["limited"], row["made"])
                for row in await self._pool.fetch(_PLACES, list(key))
            }
            took = loop.time() - began
            self._lines[key] = _Line(loop.time() + max(_LIVE_S, took * _SHARE), dict(places))
        return [self._lines[key] for key in batch]
