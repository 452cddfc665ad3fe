"""T18: the one way in which a task ends, with its money, files, slot and work row in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from filmgate.domain.record import RecordChange
from filmgate.domain.request import Json
from filmgate.domain.states import AttemptState, State, Step
from filmgate.domain.task import Failure, Film, StoredFile
from filmgate.store.amounts import dollars_of
from filmgate.store.announce import announce
from filmgate.store.batch import Lane
from filmgate.store.estimates import Run, note_runs
from filmgate.store.files import file_row, insert_files
from filmgate.store.funds import lock_owners
from filmgate.store.listen import tell
from filmgate.store.moves import (
    OnClosed,
    StaleLease,
    close_attempts,
    fenced,
    lock_credentials,
    uncounted,
)
from filmgate.store.notices import Notice, insert_notices, plain
from filmgate.store.pool import Pool
from filmgate.store.shipments import NewShipment, insert_shipments
from filmgate.store.work import Claim

# A period that is over is left before this end is counted; an end that began before the period has no part in it. One
# for good has no end, and begins no later than what it counts, whatever became of the clock.
_SPEND: Final = """
        spent_micros = case when p.period_start < date_trunc(p.budget_period, now(), 'UTC') then s.cost
            when p.budget_period is not null and now() < p.period_start then p.spent_micros
            else p.spent_micros + s.cost end,
        period_start = case when p.budget_period is null then least(p.period_start, now())
            else greatest(p.period_start, date_trunc(p.budget_period, now(), 'UTC')) end"""

_END: Final = f"""
with r as (
    select * from jsonb_to_recordset($1::jsonb) as r(task_id uuid, state text, error_code text,
        error_parameters jsonb, film jsonb, cost_micros bigint, kept_s float8, record jsonb, less text)
), was as (
    select w.task_id, w.running::int as running from work w join r on r.task_id = w.task_id
), task as (
    update tasks t set state = r.state, progress = case r.state when 'succeeded' then 100 else t.progress end,
        error_code = r.error_code, error_parameters = r.error_parameters, film = coalesce(r.film, t.film),
        record = case when r.record is null then t.record else t.record || r.record end,
        cost_micros = r.cost_micros, ended_at = now(), changed_at = now(), stage_at = now(), version = version + 1,
        content_until = case when r.film is not null then now() + make_interval(secs => r.kept_s) end
    from r where t.id = r.task_id and t.ended_at is null
    returning t.id, t.account_id, t.key_id, t.model, r.less, t.hold_micros, t.cost_micros
), closing as (
    insert into ledger (task_id, kind, account_id, key_id, model, reason)
    select id, 'close', account_id, key_id, model, less from task
    returning id, task_id
), entry as (
    insert into entries (ledger_id, account, amount_micros)
    select closing.id, side.account, side.amount
    from closing join task on task.id = closing.task_id
    cross join lateral (values ('held:' || task.account_id, -task.hold_micros),
                               ('revenue', task.cost_micros),
                               ('available:' || task.account_id, task.hold_micros - task.cost_micros)
                       ) as side(account, amount)
    where side.amount <> 0
), balance as (
    update accounts p set held_micros = p.held_micros - s.held, balance_micros = p.balance_micros + s.back,
        unfinished = p.unfinished - s.n, running = p.running - s.running, {_SPEND}
    from (select account_id, count(*) as n, sum(hold_micros) as held, sum(cost_micros) as cost,
              sum(hold_micros - cost_micros) as back, coalesce(sum(running), 0) as running
          from task left join was on was.task_id = task.id group by account_id) s
    where p.id = s.account_id
), key as (
    update keys p set held_micros = p.held_micros - s.held, unfinished = p.unfinished - s.n,
        running = p.running - s.running, {_SPEND}
    from (select key_id, count(*) as n, sum(hold_micros) as held, sum(cost_micros) as cost,
              coalesce(sum(running), 0) as running
          from task left join was on was.task_id = task.id group by key_id) s
    where p.id = s.key_id
), loss as (
    insert into notices (kind, task_id, provider, text)
    select 'house_loss', task.id, c.provider, 'vendors are paid ' || {dollars_of("c.cost")} || ' for it, and ' ||
        {dollars_of("task.hold_micros")} || ' is what it held'
    from task cross join lateral (
        select sum(a.vendor_cost_micros) as cost, max(a.provider) as provider from attempts a where a.task_id = task.id
    ) c where c.cost > task.hold_micros
)
delete from work w using r where w.task_id = r.task_id
"""  # noqa: S608  # our own text

# The clips of a film are kept as long as the film, which was not known when they were stored.
_KEEP: Final = """
update files set delete_after = now() + $2::interval where task_id = any($1::uuid[]) and role <> 'input'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a task ends; `attempt` says what became of its attempt where that is still open."""

    claim: Claim
    state: State
    kept: timedelta
    failure: Failure | None = None
    film: Film | None = None
    files: Sequence[StoredFile] = ()
    cost_micros: int = 0
    less: str | None = None
    """What was delivered, where that is less than what was agreed to."""
    attempt: AttemptState | None = None
    error_class: str | None = None
    error_text: str | None = None
    vendor_cost_micros: int | None = None
    """What the vendor says that the attempt cost."""
    notice: Notice | None = None
    record: RecordChange | None = None
    shipment: NewShipment | None = None
    run: Run | None = None
    """What it was, for the estimates of others; None where nobody ran it."""


class Ends:
    """Ends tasks by group commit; the first end wins."""

    def __init__(self, pool: Pool, on_closed: OnClosed = uncounted) -> None:
        self._pool = pool
        self._on_closed = on_closed
        self._lane: Lane[End, bool] = Lane(self._write)

    async def end(self, end: End) -> None:
        """End the task; raise StaleLease where another has it by now, or it has ended."""
        if not await self._lane.put(end):
            raise StaleLease(str(end.claim.task_id))

    async def _write(self, batch: Sequence[End]) -> Sequence[bool]:
        async with self._pool.acquire() as connection, connection.transaction():
            tasks = [end.claim.task for end in batch]
            await lock_owners(connection, [t.account_id for t in tasks], [t.key_id for t in tasks])
            open_ones = [a for end in batch if (a := end.claim.attempt) and a.state.open]
            await lock_credentials(connection, [attempt.credential_id for attempt in open_ones])
            owned = await fenced(connection, [end.claim for end in batch])
            ends = [end for end in batch if (end.claim.task_id, end.claim.fence) in owned]
            closed = await close_attempts(
                connection, [change for end in ends if (change := _attempt_row(end))]
            )
            of_clips = [end.claim.task_id for end in ends if end.film and end.claim.clips]
            if of_clips:
                await connection.execute(_KEEP, of_clips, ends[0].kept)
            await insert_files(connection, [file_row(file, end.kept) for end in ends for file in end.files])
            await insert_notices(connection, [(end.claim.task_id, end.notice) for end in ends if end.notice])
            await connection.execute(_END, [_end_row(end) for end in ends])
            await insert_shipments(connection, [end.shipment for end in ends if end.shipment])
            await note_runs(connection, [(end.claim.task_id, end.run) for end in ends if end.run])
            await announce(connection, [(end.claim.task, end.state) for end in ends])
            await tell(connection, [(end.claim.task_id, end.claim.task.account_id) for end in ends])
        for one in closed:
            self._on_closed(one.provider, one.outcome, one.cost_micros)
        return [(end.claim.task_id, end.claim.fence) in owned for end in batch]


def _attempt_row(end: End) -> dict[str, Json] | None:
    """Close the attempt with the task: one that nobody said anything of is abandoned, and its slot is free."""
    attempt = end.claim.attempt
    if attempt is None or not attempt.state.open:
        return None
    return {
        "task_id": str(end.claim.task_id),
        "clip": attempt.clip,
        "no": attempt.no,
        "state": (end.attempt or AttemptState.ABANDONED).value,
        "error_class": end.error_class,
        "cost_micros": end.vendor_cost_micros,
        "error_text": None if end.error_text is None else plain(end.error_text),
        # What a provider says to a submit tells how it is; how a film of its ends does not.
        "heard": end.claim.step is Step.SUBMIT
        and (end.attempt is AttemptState.FAILED or end.error_class == "uncertain"),
    }


def _end_row(end: End) -> dict[str, Json]:
    return {
        "task_id": str(end.claim.task_id),
        "state": end.state.value,
        "error_code": end.failure.code if end.failure else None,
        "error_parameters": _parameters(end.failure) if end.failure else None,
        "film": end.film.as_json() if end.film else None,
        "cost_micros": end.cost_micros,
        "less": end.less,
        "kept_s": end.kept.total_seconds(),
        "record": None if end.record is None else dict(end.record),
    }


def _parameters(failure: Failure) -> dict[str, Json]:
    return {
        name: plain(value) if isinstance(value, str) else value for name, value in failure.parameters.items()
    }
