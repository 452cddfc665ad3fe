"""What must hold of the books at any time, as queries that name what breaks it and give nothing on sound books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filmgate.store.allowance import TAKEN_AT
from filmgate.store.pool import Connection

EXAMPLES: Final = 20

_BOOKED: Final = """
    with booked as (
        select l.task_id, l.kind, side.account, side.amount
        from ledger l join tasks t on t.id = l.task_id
        cross join lateral (values
            ('available:' || t.account_id,
                case l.kind when 'hold' then -t.hold_micros else t.hold_micros - t.cost_micros end),
            ('held:' || t.account_id, case l.kind when 'hold' then t.hold_micros else -t.hold_micros end),
            ('revenue', case l.kind when 'hold' then 0 else t.cost_micros end)) as side(account, amount)
        where side.amount <> 0 and (l.kind = 'hold' or t.ended_at is not null)
    ), written as (
        select l.task_id, l.kind, e.account, e.amount_micros as amount
        from ledger l join entries e on e.ledger_id = l.id
        join tasks t on t.id = l.task_id and (l.kind = 'hold' or t.ended_at is not null)
    )
    select task_id::text || ': its ' || kind || ' has ' || coalesce(w.amount, 0) || ' on ' || account || ', not '
        || coalesce(b.amount, 0)
    from booked b full join written w using (task_id, kind, account)
    where b.amount is distinct from w.amount
"""

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "one_hold": (
        "every task has exactly one hold",
        """
        select t.id::text || ': ' || coalesce(l.n, 0) || ' holds' from tasks t
        left join (select task_id, count(*) as n from ledger where kind = 'hold' group by task_id) l on l.task_id = t.id
        where coalesce(l.n, 0) <> 1
        """,
    ),
    "one_close": (
        "every ended task has exactly one close, and no other task has one",
        """
        select t.id::text || ': ' || case when t.ended_at is null then 'closed while it runs'
            when l.n is null then 'not closed' else 'closed ' || l.n || ' times' end
        from tasks t
        left join (select task_id, count(*) as n from ledger where kind = 'close' group by task_id) l on l.task_id = t.id
        where coalesce(l.n, 0) <> (t.ended_at is not null)::int
        """,
    ),
    "bookings_have_their_tasks": (
        "every booking is of a task that is there, or that was forgotten when its time had come",
        """
        select distinct l.task_id::text || ': booked, and there is no such task' from ledger l
        left join tasks t on t.id = l.task_id
        where l.task_id is not null and t.id is null
            and not exists (select from forgotten f where l.task_id >= f.from_id and l.task_id < f.to_id)
        """,
    ),
    "bookings_say_what_their_tasks_say": (
        "a hold books what its task holds, a close what its task was charged and what was returned",
        _BOOKED,
    ),
    "bookings_name_their_owners": (
        "a booking names the account, the key and the model of its task",
        """
        select l.task_id::text || ': its ' || l.kind || ' names another owner or model' from ledger l
        join tasks t on t.id = l.task_id
        where (l.account_id, l.key_id, l.model) is distinct from (t.account_id, t.key_id, t.model)
        """,
    ),
    "charges_follow_the_price": (
        "a task holds its price and is charged what is delivered: its film or the first clip, scaled up or as it was made",
        """
        select t.id::text || ': holds ' || t.hold_micros || ', its price is ' || p.whole from tasks t
        cross join lateral (select
            coalesce(sum((line ->> 'quantity')::bigint * (line ->> 'unit_price_micros')::bigint), 0) as whole
            from jsonb_array_elements(t.price -> 'lines') line) p
        where t.hold_micros <> p.whole and t.price ? 'lines'
        union all
        select t.id::text || ': charged ' || t.cost_micros || ', and it ' || t.state || ' holding ' || t.hold_micros
        from tasks t where t.ended_at is not null and t.cost_micros <> case
            when t.film is null then t.cost_micros
            when not t.price ? 'lines' then t.hold_micros
            else (select coalesce(sum((line ->> 'quantity')::bigint * case
                    when t.request ->> 'upsample_to' is null or t.film -> 'files' ?| array['source', 'first']
                    then line ->> 'unit_price_micros'
                    else coalesce(line ->> 'made_micros', line ->> 'unit_price_micros') end::bigint), 0)
                from jsonb_array_elements(t.price -> 'lines') line
                where t.state = 'succeeded' or (line ->> 'clip')::int = 1) end
        """,
    ),
    "charged_for_a_film": (
        "a task is charged only for a film that is stored, and never more than it held",
        """
        select t.id::text || ': charged ' || t.cost_micros || ' without a film' from tasks t
        where t.cost_micros > 0 and t.film is null
        union all
        select t.id::text || ': charged ' || t.cost_micros || ', more than the ' || t.hold_micros || ' it held'
        from tasks t where t.cost_micros > t.hold_micros
        """,
    ),
    "entries_sum_to_zero": (
        "the entries of each booking sum to zero",
        """
        select coalesce(l.task_id::text, 'booking ' || l.id) || ': the entries of its ' || l.kind || ' sum to ' || e.sum
        from (select ledger_id, sum(amount_micros) as sum from entries group by ledger_id
            having sum(amount_micros) <> 0) e
        join ledger l on l.id = e.ledger_id
        """,
    ),
    "entries_are_on_known_accounts": (
        "an entry is on an account that is there, or on one of the house's own",
        """
        select 'booking ' || e.ledger_id || ': an entry on ' || e.account from entries e
        left join (select 'available:' || id as name from accounts union all select 'held:' || id from accounts
            union all values ('revenue'), ('grants'), ('adjustments')) known on known.name = e.account
        where known.name is null
        """,
    ),
    "gifts_have_author_and_reason": (
        "what an operator gave or took has two sides, an author and a reason",
        """
        select 'booking ' || l.id || ': a ' || l.kind || ' with ' || count(e.account) || ' entries'
            || case when l.author is null or l.reason is null then ', unsigned' else '' end
        from ledger l left join entries e on e.ledger_id = l.id where l.task_id is null
        group by l.id having count(e.account) <> 2 or l.author is null or l.reason is null
            or count(*) filter (where e.account = 'available:' || l.account_id) <> 1
        """,
    ),
    "balances_are_their_entries": (
        "each account's balance and hold are the sums of their entries",
        """
        with sums as (select account, sum(amount_micros) as sum from entries group by account)
        select a.name || ': balance ' || a.balance_micros || ', entries ' || coalesce(s.sum, 0)
        from accounts a left join sums s on s.account = 'available:' || a.id
        where a.balance_micros <> coalesce(s.sum, 0)
        union all
        select a.name || ': held ' || a.held_micros || ', entries ' || coalesce(s.sum, 0)
        from accounts a left join sums s on s.account = 'held:' || a.id
        where a.held_micros <> coalesce(s.sum, 0)
        """,
    ),
    "no_prepaid_balance_below_its_credit": (
        "no prepaid balance is below its credit",
        """
        select name || ': ' || balance_micros || ', its credit is ' || credit_micros from accounts
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
    "spent_is_what_was_charged": (
        "what accounts and keys have spent is what they were charged since their period began, and took over",
        """
        with charges as materialized (
            select l.account_id, l.key_id, l.at, e.amount_micros from ledger l
            join entries e on e.ledger_id = l.id and e.account = 'revenue' where l.kind = 'close'
        )
        select a.name || ': spent ' || a.spent_micros || ', charged ' || coalesce(sum(c.amount_micros), 0)
        from accounts a left join charges c on c.account_id = a.id and c.at >= a.period_start
        group by a.id having a.spent_micros <> coalesce(sum(c.amount_micros), 0)
        union all
        select 'key ' || k.id || ': spent ' || k.spent_micros || ', charged ' || coalesce(sum(c.amount_micros), 0)
            || case when took.micros > 0 then ', took over ' || took.micros else '' end
        from keys k left join charges c on c.key_id = k.id and c.at >= k.period_start
        cross join lateral (
            select case when {taken_at} >= k.period_start then k.carried_micros else 0 end as micros) took
        group by k.id, took.micros having k.spent_micros <> coalesce(sum(c.amount_micros), 0) + took.micros
        """.format(taken_at=TAKEN_AT.format(row="k")),  # noqa: S608  # our own text
    ),
    "a_quote_binds_once": (
        "a quote is used by one task, at the price that it names",
        """
        select t.id::text || ': uses quote ' || t.quote_id::text || ', which ' ||
            coalesce(q.task_id::text || ' uses', 'nobody uses')
        from tasks t join quotes q on q.id = t.quote_id where q.task_id is distinct from t.id
        union all
        select t.id::text || ': holds ' || t.hold_micros || ', its quote says ' || q.amount_micros
        from tasks t join quotes q on q.id = t.quote_id where q.amount_micros <> t.hold_micros
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
        select a.task_id::text || ': an attempt is open, and the task is over' from attempts a
        join tasks t on t.id = a.task_id where a.closed_at is null and t.ended_at is not null
        """,
    ),
    "one_paid_job_a_clip": (
        "another attempt for a clip follows only one that failed or was lost",
        """
        select a.task_id::text || ': attempt ' || a.key || ' followed one that is ' || b.state from attempts a
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
            and not exists (select from forgotten f where t.id >= f.from_id and t.id < f.to_id)
        """,
    ),
    "what_was_forgotten_is_still_booked": (
        "the bookings of tasks that were forgotten are there, and add up to what they were",
        """
        select 'tasks before ' || f.begun_at::date || ': ' || f.tasks || ' tasks held ' || f.held_micros ||
            ' and were charged ' || f.charged_micros || ', booked are ' || b.tasks || ', ' || b.held || ' and ' || b.charged
        from forgotten f cross join lateral (
            select count(distinct l.id) filter (where l.kind = 'hold') as tasks,
                coalesce(sum(e.amount_micros) filter (where l.kind = 'hold' and e.account like 'held:%'), 0) as held,
                coalesce(sum(e.amount_micros) filter (where l.kind = 'close' and e.account = 'revenue'), 0) as charged
            from ledger l left join entries e on e.ledger_id = l.id
            where l.task_id >= f.from_id and l.task_id < f.to_id
        ) b
        where (f.tasks, f.held_micros, f.charged_micros) is distinct from (b.tasks, b.held, b.charged)
        """,
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the books break, with the first of what breaks it."""

    rule: str
    says: str
    count: int
    examples: Sequence[str]


async def audit(connection: Connection) -> Sequence[Finding]:
    """Try every rule within the caller's transaction, which should see one moment."""
    findings = []
    for rule, (says, query) in _RULES.items():
        statement = f"select what, count(*) over () as n from ({query}) as broken(what) order by what limit {EXAMPLES}"  # noqa: S608  # our own text
        broken = await connection.fetch(statement)
        if broken:
            findings.append(Finding(rule, says, broken[0]["n"], [row["what"] for row in broken]))
    return findings


def rules() -> Sequence[tuple[str, str]]:
    """Name the rules of the audit with what each says."""
    return [(name, says) for name, (says, _) in _RULES.items()]
