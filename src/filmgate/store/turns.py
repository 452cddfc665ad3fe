"""Turns: the order of those who wait, as the database keeps it, and how what waits in vain leaves it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from filmgate.store.pool import Connection, Pool

_ROOM: Final = "({0}.running >= {0}.max_running) is not true"
_WAITS: Final = """
work w where w.step = 'prepare' and {which} and w.model = {of}.model and w.account_id = {of}.account_id {key}
    and w.due_at <= now() and not w.task_id = any($2::uuid[])
"""
_BEGUN: Final = _WAITS.format(which="w.running >= true", of="{of}", key="{key}")
# Written so, in an order that their own index alone has: by their ids all of the work would be walked through.
_NEW: Final = _WAITS.format(which="w.running <= false", of="{of}", key="and w.key_id = {of}.key_id")
# The next of a turn's lines that are open; whether one of its tasks may start is told of each.
_LINES: Final = f"""
select l.served_at, l.key_id, coalesce(f.starts, false) as starts
from (
    select l.model, l.account_id, l.key_id, l.served_at from lines l
    where l.model = {{of}}.model and l.account_id = {{of}}.account_id and l.open {{after}}
    order by l.served_at, l.key_id {{limit}}
) l join keys k on k.id = l.key_id
left join lateral (select true as starts from {_NEW.format(of="l")} and {_ROOM.format("k")} limit 1) f on true
"""  # noqa: S608  # our own text

_FURTHER: Final = "and (l.served_at, l.key_id) > (s.served_at, s.key_id)"

# So many are closed at a time that are met in vain.
_AT_ONCE: Final = 1_000

# Of each model a loop steps from turn to turn, the least lately served first, until as many were found as are wanted;
# then from line to line within those. How deep it looks into lines is `deep`: nobody's first tasks need all of theirs.
_NEXT: Final = f"""
with recursive seen as (
    select m.model, '-infinity'::timestamptz as served_at, 0::bigint as account_id, 0 as found, false as starts
    from unnest($1::text[]) m(model)
    union all
    select s.model, t.served_at, t.account_id, s.found + f.starts::int, f.starts
    from seen s cross join lateral (
        select t.model, t.served_at, t.account_id from turns t
        where t.model = s.model and t.open and (t.served_at, t.account_id) > (s.served_at, s.account_id)
            and not t.account_id = any($4::bigint[])
        order by t.served_at, t.account_id limit 1
    ) t join accounts a on a.id = t.account_id
    cross join lateral (select exists (select from {_BEGUN.format(of="t", key="")}) or {_ROOM.format("a")} and exists (
        select from ({_LINES.format(of="t", after="", limit="")}) l where l.starts
    ) as starts) f
    where s.found < $3::int
), accounts_first as (
    select a.id, a.served_at, a.max_running - a.running as free from accounts a
    where a.id in (select account_id from seen where starts) order by a.served_at, a.id limit $3::int
), depth as (
    select case when n >= $3::int then 1 else least($3::int, {{deep}})::int end as deep
    from (select count(*) as n from accounts_first) c
), pairs as (
    select s.model, a.id as account_id, a.free from accounts_first a join seen s on s.account_id = a.id and s.starts
), begun as (
    select p.model, p.account_id, 0::bigint as key_id from pairs p
    union all
    select b.model, b.account_id, n.key_id from begun b cross join lateral (
        select w.key_id from work w
        where w.step = 'prepare' and w.running and w.model = b.model and w.account_id = b.account_id and w.key_id > b.key_id
        order by w.key_id limit 1
    ) n
), asked as (
    select p.model, p.account_id, p.free, '-infinity'::timestamptz as served_at, 0::bigint as key_id, 0 as found,
        false as starts
    from pairs p where (p.free > 0) is not false
    union all
    select s.model, s.account_id, s.free, n.served_at, n.key_id, s.found + n.starts::int, n.starts
    from asked s cross join lateral ({_LINES.format(of="s", after=_FURTHER, limit="limit 1")}) n
    where s.found < (select deep from depth)
), within as (
    select d.deep, s.account_id, max(s.found) >= d.deep as wide,
        case when max(s.found) >= d.deep then 1 else least(d.deep, {{each}})::int end as each
    from asked s cross join depth d group by d.deep, s.account_id
), lines_first as (
    select w.* from begun b cross join lateral (
        select w.* from {_BEGUN.format(of="b", key="and w.key_id = b.key_id")}
        order by w.running desc, w.task_id limit (select deep from depth)
    ) w
    union all
    select w.* from asked s join within e on e.account_id = s.account_id cross join lateral (
        select w.* from {_NEW.format(of="s")} order by w.running desc, w.task_id limit least(e.each, s.free)
    ) w where s.starts
), numbered as (
    select w.*, a.served_at, k.served_at as key_served_at, a.free,
        row_number() over (partition by w.account_id, w.key_id order by w.running desc, w.task_id) as nth
    from lines_first w join accounts_first a on a.id = w.account_id join keys k on k.id = w.key_id
), ranked as (
    select *, row_number() over (partition by account_id order by running desc, nth, key_served_at, key_id) as place
    from numbered
), first as (
    select * from ranked where running or free is null or place <= free
    order by place, served_at, account_id limit $3::int
)
select f.*, s.deep, s.sure, s.cut, i.turns as idle_turns, i.lines as idle_lines
from (
    select d.deep, least(d.deep, (select min(each) from within where not wide)) as sure,
        exists (select from within where wide) or exists (
            select from numbered n left join within e on e.account_id = n.account_id
            where n.nth >= case when n.running then d.deep else e.each end) as cut
    from depth d
) s cross join (select
    (select jsonb_agg(s) from (
        select account_id, model from seen where not starts and account_id > 0 limit {_AT_ONCE}) s) as turns,
    (select jsonb_agg(s) from (
        select account_id, model, key_id from asked where not starts and key_id > 0 limit {_AT_ONCE}) s) as lines
) i left join (
    select f.task_id, f.account_id, f.key_id, f.running, now() - f.due_at as waited, t.request, f.place, f.served_at,
        case when t.kind <> 'create' or exists (select from attempts a where a.task_id = f.task_id)
            then f.credential_id end as preferred,
        (select jsonb_object_agg(x.credential_id, x.n) from ({{failed}}) x) as failed
    from first f join tasks t on t.id = f.task_id and t.ended_at is null
) f on true
order by f.place, f.served_at, f.account_id
"""  # noqa: S608  # our own text

_HOLD: Final = "select id from accounts where id = any($1::bigint[]) order by id for update skip locked"
_HERE: Final = "w.step = 'prepare' and w.model = {of}.model and w.account_id = {of}.account_id"
# What was met in vain, of the accounts that are held.
_IDLE_LINES: Final = """
select l.key_id, l.model from lines l join jsonb_to_recordset($1::jsonb) as r(account_id bigint, model text, key_id bigint)
    on l.model = r.model and l.account_id = r.account_id and l.key_id = coalesce(r.key_id, l.key_id)
where l.account_id = any($2::bigint[])
"""
_END_LINES: Final = f"""
delete from lines l using ({_IDLE_LINES}) i where l.key_id = i.key_id and l.model = i.model
    and not exists (select from work w where {_HERE.format(of="l")} and w.key_id = l.key_id)
"""  # noqa: S608  # our own text
_SHUT_LINES: Final = f"""
update lines l set open = false from ({_IDLE_LINES}) i, keys k
where l.key_id = i.key_id and l.model = i.model and l.open and k.id = l.key_id and k.running >= k.max_running
    and not exists (select from work w where {_HERE.format(of="l")} and w.running and w.key_id = l.key_id)
"""  # noqa: S608  # our own text
_IDLE_TURNS: Final = """
jsonb_to_recordset($1::jsonb) as r(account_id bigint, model text)
where t.account_id = r.account_id and t.model = r.model and t.account_id = any($2::bigint[])
"""
_END_TURNS: Final = f"""
delete from turns t using {_IDLE_TURNS}
    and not exists (select from lines l where l.account_id = t.account_id and l.model = t.model)
"""  # noqa: S608  # our own text
_SHUT_TURNS: Final = f"""
update turns t set open = false from accounts a, {_IDLE_TURNS} and t.open and a.id = t.account_id
    and (a.running >= a.max_running
        or not exists (select from lines l where l.account_id = t.account_id and l.model = t.model and l.open))
    and not exists (select from work w where {_HERE.format(of="t")} and w.running)
"""  # noqa: S608  # our own text

# A few that are met in vain cost less than to close them, and what waits for its time is met again.
_MET: Final = 16
_APART_S: Final = 0.25


def next_of(failed: str, deep: str, each: str) -> str:
    """Give the statement for who comes next; `failed` reads how often each credential has failed."""
    return _NEXT.format(failed=failed, deep=deep, each=each)


class Idle:
    """Closes turns and lines that are met in vain, so that nobody steps over them for long."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._again_at = 0.0

    async def met(self, turns: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> None:
        """Close those where nothing may start, if they are many; at most four times a second."""
        now = asyncio.get_running_loop().time()
        if len(turns) + len(lines) <= _MET or now < self._again_at:
            return
        self._again_at = now + _APART_S
        async with self._pool.acquire() as connection, connection.transaction():
            await close(connection, turns, lines)


async def close(
    connection: Connection, turns: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]
) -> None:
    """Close those of them where nothing waits or nothing may start, but for accounts that are busy just now."""
    met = [dict(one) for one in (*turns, *lines)]
    held = [row["id"] for row in await connection.fetch(_HOLD, sorted({one["account_id"] for one in met}))]
    # Whoever let something wait before that is seen by each statement from here on, and nobody does so meanwhile.
    for statement in (_END_LINES, _SHUT_LINES, _END_TURNS, _SHUT_TURNS):
        await connection.execute(statement, met, held)
