"""The audit of the books: what must hold of any database at any time, as queries that name what breaks it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from filmgate.store.pool import Pool

_EXAMPLES: Final = 20

# Each query gives what breaks its rule, as text, and nothing on sound books.
_RULES: Final[dict[str, tuple[str, str]]] = {
    "one_hold": (
        "every task has exactly one hold, of what it holds",
        """
        select t.id::text || ': ' || count(l.id) || ' holds' from tasks t
        left join ledger l on l.task_id = t.id and l.kind = 'hold' group by t.id having count(l.id) <> 1
        union all
        select t.id::text || ': holds ' || t.hold_micros || ', booked ' || coalesce(e.amount_micros, 0) from tasks t
        join ledger l on l.task_id = t.id and l.kind = 'hold'
        left join entries e on e.ledger_id = l.id and e.account = 'held:' || t.account_id
        where coalesce(e.amount_micros, 0) <> t.hold_micros
        """,
    ),
    "one_close": (
        "every ended task has exactly one close, and no other task has one",
        """
        select t.id::text || ': ' || case when t.ended_at is null then 'closed while it runs' else 'not closed' end
        from tasks t left join ledger l on l.task_id = t.id and l.kind = 'close'
        where (t.ended_at is null) <> (l.id is null)
        union all
        select l.task_id::text || ': closed, and there is no such task' from ledger l
        left join tasks t on t.id = l.task_id where l.task_id is not null and t.id is null
        """,
    ),
    "capture_for_a_film": (
        "a task is charged only for a film that is stored, and its close is booked as it is charged",
        """
        select t.id::text || ': charged ' || t.cost_micros || ' without a film' from tasks t
        where t.cost_micros > 0 and t.film is null
        union all
        select t.id::text || ': charged ' || t.cost_micros || ', booked ' || coalesce(e.amount_micros, 0) from tasks t
        join ledger l on l.task_id = t.id and l.kind = 'close'
        left join entries e on e.ledger_id = l.id and e.account = 'revenue'
        where coalesce(e.amount_micros, 0) <> t.cost_micros
        """,
    ),
    "entries_sum_to_zero": (
        "the entries of each ledger row sum to zero",
        """
        select 'ledger ' || ledger_id || ': ' || sum(amount_micros) from entries
        group by ledger_id having sum(amount_micros) <> 0
        """,
    ),
    "balances_are_their_entries": (
        "each account's balance and hold are the sums of their entries",
        """
        select a.name || ': balance ' || a.balance_micros || ', entries ' || coalesce(sum(e.amount_micros), 0)
        from accounts a left join entries e on e.account = 'available:' || a.id
        group by a.id having a.balance_micros <> coalesce(sum(e.amount_micros), 0)
        union all
        select a.name || ': held ' || a.held_micros || ', entries ' || coalesce(sum(e.amount_micros), 0)
        from accounts a left join entries e on e.account = 'held:' || a.id
        group by a.id having a.held_micros <> coalesce(sum(e.amount_micros), 0)
        """,
    ),
    "no_prepaid_balance_below_its_credit": (
        "no prepaid balance is below its credit",
        """
        select name || ': ' || balance_micros from accounts
        where credit_micros is not null and balance_micros < -credit_micros
        """,
    ),
    "holds_are_those_of_unfinished_tasks": (
        "what accounts and keys hold, and how many tasks they have, are those of their unfinished tasks",
        """
        select a.name || ': holds ' || a.held_micros || ' for ' || a.unfinished || ' tasks, its tasks ' ||
            coalesce(sum(t.hold_micros), 0) || ' for ' || count(t.id)
        from accounts a left join tasks t on t.account_id = a.id and t.ended_at is null
        group by a.id having a.held_micros <> coalesce(sum(t.hold_micros), 0) or a.unfinished <> count(t.id)
        union all
        select 'key ' || k.id || ': holds ' || k.held_micros || ' for ' || k.unfinished || ' tasks, its tasks ' ||
            coalesce(sum(t.hold_micros), 0) || ' for ' || count(t.id)
        from keys k left join tasks t on t.key_id = k.id and t.ended_at is null
        group by k.id having k.held_micros <> coalesce(sum(t.hold_micros), 0) or k.unfinished <> count(t.id)
        """,
    ),
    "work_is_that_of_unfinished_tasks": (
        "every unfinished task has a work row, and no other has one",
        """
        select t.id::text || ': unfinished, without a work row' from tasks t
        where t.ended_at is null and not exists (select from work w where w.task_id = t.id)
        union all
        select w.task_id::text || ': a work row of a task that is over, or of none' from work w
        where not exists (select from tasks t where t.id = w.task_id and t.ended_at is null)
        """,
    ),
    "slots_are_those_of_open_attempts": (
        "what each credential has in flight are its open attempts, and no task that is over has one",
        """
        select c.provider || '/' || c.name || ': ' || c.in_flight || ' in flight, ' || count(a.key) || ' open attempts'
        from credentials c left join attempts a on a.credential_id = c.id and a.closed_at is null
        group by c.id having c.in_flight <> count(a.key)
        union all
        select a.key || ': open, and its task is over' from attempts a
        join tasks t on t.id = a.task_id where a.closed_at is null and t.ended_at is not null
        """,
    ),
    "one_paid_job_a_clip": (
        "another attempt for a clip follows only one that failed or was lost",
        """
        select a.key || ': followed one that is ' || b.state from attempts a
        join attempts b on b.task_id = a.task_id and b.clip_no = a.clip_no and b.no < a.no
        where b.state not in ('failed', 'lost')
        """,
    ),
    "films_have_their_files": (
        "every film of a finished task that is still kept has its file",
        """
        select t.id::text || ': its film has no file' from tasks t
        where t.film is not null and t.deleted_at is null and t.content_until > now()
            and not exists (select from files f where f.id = (t.film -> 'files' ->> 'video')::uuid)
        """,
    ),
}

_EXPORT: Final = """
select l.at, l.id, l.kind, l.task_id, t.model, a.name as account, t.key_id, e.account as side, e.amount_micros, l.author,
    l.reason
from ledger l join entries e on e.ledger_id = l.id
left join tasks t on t.id = l.task_id left join accounts a on a.id = t.account_id
where ($1::timestamptz is null or l.at >= $1) and ($2::timestamptz is null or l.at < $2)
order by l.id, e.account
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the books break, with the first of what breaks it."""

    rule: str
    says: str
    count: int
    examples: Sequence[str]


class Ledger:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def check(self) -> Sequence[Finding]:
        """Audit the books as they stand at one moment; an empty answer is a clean bill."""
        findings: list[Finding] = []
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute("set local statement_timeout = 0")
            for rule, (says, query) in _RULES.items():
                broken = [str(row[0]) for row in await connection.fetch(query)]
                if broken:
                    findings.append(Finding(rule, says, len(broken), broken[:_EXAMPLES]))
        return findings

    async def export(self, start: datetime | None, end: datetime | None) -> AsyncIterator[dict[str, Any]]:
        """Give every entry of a time, oldest first."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute("set local statement_timeout = 0")
            async for row in connection.cursor(_EXPORT, start, end):
                yield dict(row)


def rules() -> Sequence[tuple[str, str]]:
    """Name the rules of the audit with what each says."""
    return [(name, says) for name, (says, _) in _RULES.items()]
