"""How things stand in the whole gate, read for a scrape."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from filmgate.domain.counted import NOBODY
from filmgate.domain.limits import SILENT_AFTER
from filmgate.metrics import CLOCK_OFFSET, Labels
from filmgate.store.pool import Pool

# One look at the narrow rows: their steps say what is done, and joining their tasks would cost a hundred times more.
_WORK: Final = """
select w.model, c.provider, w.running, w.step, count(*) as n from work w left join credentials c on c.id = w.credential_id
group by 1, 2, 3, 4
"""
_OLDEST: Final = """
select h.model, extract(epoch from now() - t.created_at)::float8 as age_s
from (select model, (min(task_id::text))::uuid as id from work where step = 'prepare' and not running group by 1) h
join tasks t on t.id = h.id
"""
_PROVIDERS: Final = """
select provider, bool_or(paused_at is null and blocked_until <= now()) as up from credentials where enabled group by 1
"""
_WORKERS: Final = """
select extract(epoch from now() - max(seen_at))::float8 as age_s,
    count(*) filter (where seen_at > now() - $1::interval) as n
from boots where seen_at > now() - interval '7 days'
"""
# Each engine keeps its own; of several the worst is what matters.
_CLOCK: Final = """
select (counts -> $1 -> 0 -> 1 ->> 0)::float8 as seconds from counts where counts ? $1 and at > now() - $2::interval
order by abs((counts -> $1 -> 0 -> 1 ->> 0)::float8) desc limit 1
"""
# The whole of the books is for the audit: here are the holds, and the latest entries.
_IMBALANCE: Final = """
select abs((select coalesce(sum(held_micros), 0) from accounts)
        - (select coalesce(sum(hold_micros), 0) from tasks where ended_at is null))
    + coalesce((select sum(abs(s.out)) from (
        select sum(amount_micros) as out from entries where ledger_id > (select max(id) - $1 from ledger)
        group by ledger_id) s), 0) as micros
"""
_STORAGE: Final = "select role, sum(size_bytes) as bytes from files group by 1"

_LATEST_ENTRIES: Final = 5_000
_PHASES: Final[Mapping[str, str]] = {
    "submit": "preparing", "reconcile": "preparing", "poll": "generating", "collect": "collecting",
    "render": "upsampling",
}  # fmt: skip

Values = dict[Labels, float]


class Standings:
    """`first` names who would be asked first to make films of a model."""

    def __init__(self, pool: Pool, first: Callable[[str], str]) -> None:
        self._pool = pool
        self._first = first

    async def now(self) -> dict[str, Values]:
        """Read what changes from moment to moment, by metric and labels."""
        providers = await self._pool.fetch(_PROVIDERS)
        active, depth = await self._work()
        workers = await self._pool.fetchrow(_WORKERS, SILENT_AFTER)
        offset_s = await self._pool.fetchval(_CLOCK, CLOCK_OFFSET, SILENT_AFTER)
        age_s = None if workers is None else workers["age_s"]
        beat: Values = {} if age_s is None else {(): age_s}
        return {
            "filmgate_tasks_active": active,
            "filmgate_queue_depth": {(row["provider"],): 0.0 for row in providers} | depth,
            "filmgate_queue_oldest_age_seconds": await self._oldest(),
            "filmgate_provider_up": {(row["provider"],): float(row["up"]) for row in providers},
            "filmgate_worker_heartbeat_age_seconds": beat,
            CLOCK_OFFSET: {} if offset_s is None else {(): offset_s},
            "filmgate_workers": {(): 0 if workers is None else workers["n"]},
        }

    async def books(self) -> dict[str, Values]:
        """Read what takes a look at many rows, and changes slowly."""
        imbalance = await self._pool.fetchval(_IMBALANCE, _LATEST_ENTRIES)
        storage = await self._pool.fetch(_STORAGE)
        return {
            "filmgate_ledger_imbalance_micros": {(): float(imbalance)},
            "filmgate_storage_bytes": {(row["role"],): float(row["bytes"]) for row in storage},
        }

    async def _work(self) -> tuple[Values, Values]:
        active: defaultdict[Labels, float] = defaultdict(float)
        depth: defaultdict[Labels, float] = defaultdict(float)
        for row in await self._pool.fetch(_WORK):
            waits = row["step"] == "prepare" and not row["running"]
            provider = self._first(row["model"]) if waits else row["provider"] or NOBODY
            phase = "queued" if waits else _PHASES.get(row["step"], "preparing")
            active[phase, provider] += row["n"]
            if waits:
                depth[(provider,)] += row["n"]
        return dict(active), dict(depth)

    async def _oldest(self) -> Values:
        ages: Values = {}
        for row in await self._pool.fetch(_OLDEST):
            label = (self._first(row["model"]),)
            ages[label] = max(ages.get(label, 0.0), row["age_s"])
        return ages
