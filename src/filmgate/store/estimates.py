"""How long runs took: noted with each end, folded by the sweep, and read by everybody from memory.

Neither an end nor a poll waits for anybody here: ends only add rows, and who asks gets what was read a moment ago.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from filmgate.domain.clock import Clock
from filmgate.domain.eta import (
    HONEST_OVER,
    RUNS_KEPT,
    RUNS_LEAST,
    Doubt,
    Estimate,
    Outlook,
    RunKind,
    bucket_of,
    estimate_of,
    is_honest,
)
from filmgate.store.patience import STORE_FAULTS
from filmgate.store.pool import Connection, Pool

_NOTE: Final = """
insert into runs (provider, model, seconds, size, run_s, covered)
select r.provider, t.model, r.seconds, r.size,
    case when t.state = 'succeeded' and coalesce((t.record ->> 'retries')::int, 0) = 0 then ran.s end,
    case when r.promised_s is null then null when t.state = 'succeeded' then ran.s <= r.promised_s
        when ran.s > r.promised_s then false end
from jsonb_to_recordset($1::jsonb) as r(task_id uuid, provider text, seconds int, size text, promised_s float8)
join tasks t on t.id = r.task_id
cross join lateral (select extract(epoch from t.ended_at - t.started_at)::float8 as s) ran
where t.started_at is not null
    and (t.state = 'succeeded' or (r.promised_s is not null and ran.s > r.promised_s))
order by r.task_id
"""

# One folds at a time: what another has just counted must be seen by whoever sums it up.
_ALONE: Final = "select pg_try_advisory_xact_lock(7021776)"
_TAKE: Final = """
delete from runs where no in (select no from runs order by no limit $1)
returning no, provider, model, seconds, size, run_s, covered
"""
_COUNT: Final = """
insert into run_times (provider, model, seconds, size, day, bucket, runs)
select r.provider, r.model, r.seconds, r.size, current_date, r.bucket, count(*)
from jsonb_to_recordset($1::jsonb) as r(provider text, model text, seconds int, size text, bucket smallint)
group by 1, 2, 3, 4, 5, 6
on conflict (provider, model, seconds, size, day, bucket) do update set runs = run_times.runs + excluded.runs
"""
_JUDGE: Final = """
insert into honesty as h (model, covered)
select r.model, (array_agg(r.covered order by r.no desc))[1:$2] from (
    select o.model, o.covered, o.no from jsonb_to_recordset($1::jsonb) as o(model text, covered boolean, no bigint)
    union all
    select h.model, c.covered, -c.no from honesty h cross join unnest(h.covered) with ordinality as c(covered, no)
    where h.model in (select o.model from jsonb_to_recordset($1::jsonb) as o(model text))
) r group by r.model
on conflict (model) do update set covered = excluded.covered
"""
_FORGET: Final = "delete from run_times where day <= current_date - $1::int"
# An estimate of yesterday stands for runs of which some are by now too long ago.
_STALE: Final = """
select provider, model, seconds, size from estimates where made_on < current_date order by made_on limit $1
"""
_SUM: Final = """
select r.provider, r.model, r.seconds, r.size, t.bucket, sum(t.runs)::int as runs
from jsonb_to_recordset($1::jsonb) as r(provider text, model text, seconds int, size text)
left join run_times t on t.provider = r.provider and t.model = r.model and t.seconds = r.seconds and t.size = r.size
    and t.day > current_date - $2::int
group by 1, 2, 3, 4, 5
"""
_DROP: Final = """
delete from estimates e using jsonb_to_recordset($1::jsonb) as r(provider text, model text, seconds int, size text)
where e.provider = r.provider and e.model = r.model and e.seconds = r.seconds and e.size = r.size
"""
_WRITE: Final = """
insert into estimates (provider, model, seconds, size, runs, p50_s, p90_s)
select * from jsonb_to_recordset($1::jsonb)
    as r(provider text, model text, seconds int, size text, runs int, p50_s float8, p90_s float8)
"""
_READ: Final = "select provider, model, seconds, size, runs, p50_s, p90_s from estimates"
_READ_HONESTY: Final = """
select model, cardinality(covered) as outcomes, (select count(*) from unnest(covered) c where c) as covered from honesty
"""

_BATCH: Final = 5_000
_FRESH_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ends: its kind, and the longest that its client was shown it would take."""

    kind: RunKind
    promised_s: float | None


async def note_runs(connection: Connection, runs: Sequence[tuple[UUID, Run]]) -> None:
    """Note how long tasks ran that this transaction has just ended."""
    if runs:
        noted = [{"task_id": str(id_), "promised_s": run.promised_s, **_row(run.kind)} for id_, run in runs]
        await connection.execute(_NOTE, noted)


class Estimates:
    """What is known of each kind of run; read again at most every ten seconds."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._until = -1.0
        self._known: Mapping[RunKind, Estimate] = {}
        self._honest: Mapping[str, bool] = {}
        self._reading = asyncio.Lock()

    async def of(self, kind: RunKind) -> Outlook:
        if self._clock.monotonic() > self._until:
            async with self._reading:
                if self._clock.monotonic() > self._until:
                    with suppress(*STORE_FAULTS):
                        await self.read()
                    # While the database is away, what was known a moment ago is as good.
                    self._until = self._clock.monotonic() + _FRESH_S
        known, honest = self._known.get(kind), self._honest.get(kind.model, True)
        if known is None:
            return Outlook()
        return Outlook(known.sample, known if known.sample >= RUNS_LEAST else None, honest)

    async def read(self) -> None:
        """Read all of it now."""
        found = await self._pool.fetch(_READ)
        outcomes = await self._pool.fetch(_READ_HONESTY)
        self._known = {_kind(row): Estimate(row["p50_s"], row["p90_s"], row["runs"]) for row in found}
        self._honest = {row["model"]: is_honest(row["covered"], row["outcomes"]) for row in outcomes}

    async def fold(self) -> Sequence[Doubt]:
        """Sum up what has ended since the last time; give the models whose estimates hold too seldom."""
        last = _BATCH
        while last == _BATCH:
            last = await self._fold()
        return [
            Doubt(row["model"], row["covered"], row["outcomes"])
            for row in await self._pool.fetch(_READ_HONESTY)
            if not is_honest(row["covered"], row["outcomes"])
        ]

    async def _fold(self) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_ALONE):
                return 0
            taken = await connection.fetch(_TAKE, _BATCH)
            timed = [row for row in taken if row["run_s"] is not None]
            judged = [row for row in taken if row["covered"] is not None]
            if timed:
                counted = [{**_row(_kind(row)), "bucket": bucket_of(row["run_s"])} for row in timed]
                await connection.execute(_COUNT, counted)
            if judged:
                outcomes = [{name: row[name] for name in ("model", "covered", "no")} for row in judged]
                await connection.execute(_JUDGE, outcomes, HONEST_OVER)
            stale = await connection.fetch(_STALE, _BATCH)
            if stale:
                await connection.execute(_FORGET, RUNS_KEPT.days)
            await _estimate(connection, {_kind(row) for row in (*timed, *stale)})
        return len(taken)


async def _estimate(connection: Connection, kinds: set[RunKind]) -> None:
    if not kinds:
        return
    wanted = [_row(kind) for kind in kinds]
    counts: defaultdict[RunKind, dict[int, int]] = defaultdict(dict)
    for row in await connection.fetch(_SUM, wanted, RUNS_KEPT.days):
        if row["bucket"] is not None:
            counts[_kind(row)][row["bucket"]] = row["runs"]
    await connection.execute(_DROP, wanted)
    made = [(kind, estimate_of(buckets)) for kind, buckets in counts.items()]
    await connection.execute(
        _WRITE,
        [{**_row(kind), "runs": one.sample, "p50_s": one.low_s, "p90_s": one.high_s} for kind, one in made],
    )


def _row(kind: RunKind) -> dict[str, str | int]:
    return {"provider": kind.provider, "model": kind.model, "seconds": kind.seconds, "size": kind.size}


def _kind(row: Any) -> RunKind:  # noqa: ANN401  # asyncpg's Record types no column
    return RunKind(row["provider"], row["model"], row["seconds"], row["size"])
