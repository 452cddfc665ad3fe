"""Accounts and API keys. A key is stored as its HMAC under a pepper that the database does not hold."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from filmgate.domain.ids import hint
from filmgate.domain.limits import EXPIRED_KEY_READS
from filmgate.domain.task import Owner
from filmgate.store.allowance import PERIOD_STARTS, SPENT, TAKEN_AT, Allowance, Setting
from filmgate.store.batch import Lane
from filmgate.store.patience import PATIENCE_S, patiently, whole_again
from filmgate.store.pool import Connection, Pool

_COLUMNS: Final = """k.hash, k.id, k.account_id, k.dialect, k.language, k.strict, k.soften, k.operator,
    coalesce(k.expires_at <= now(), false) as expired"""
# A key that has run out still reads for a while: what it paid for is fetched with it.
_STANDS: Final = """k.revoked_at is null
    and (k.expires_at is null or k.expires_at + case when k.operator then interval '0' else $2::interval end > now())"""

_FIND: Final = f"select {_COLUMNS} from keys k where k.hash = any($1::bytea[]) and {_STANDS}"  # noqa: S608  # our own text
_STANDING: Final = f"select {_COLUMNS} from keys k where k.id = $1 and {_STANDS}"  # noqa: S608  # our own text

# An account that another opens at this moment is waited for; a statement that only looked would not see it.
_ACCOUNT: Final = """
insert into accounts (name) values ($1) on conflict (name) do update set name = excluded.name returning id
"""

# A key that joins no account opens one of its own, also where its name is taken.
_OWN_ACCOUNT: Final = """
insert into accounts (name) select case when n = 1 then $1 else $1 || '-' || n end from generate_series(1, 10000) n
where not exists (select from accounts where name = case when n = 1 then $1 else $1 || '-' || n end)
order by n limit 1
on conflict (name) do nothing returning id, name
"""

_CREATE: Final = """
insert into keys (account_id, name, hash, hint, operator, dialect, strict, expires_at, soften, budget_micros,
    budget_period, max_unfinished, submits_per_minute, max_running, over_limit, language)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (hash) do update set name = excluded.name, revoked_at = null
returning id
"""

# Who was replaced stays so where the other was revoked and has the budget: nothing is left to it of that but what it held
# then. Where there was none to go over, it goes on as before, also with one that it is given later.
_SUCCESSOR: Final = """(select max(s.id) from keys s
    where s.former_id = k.id and (s.revoked_at is null or s.budget_micros is not null))"""
_SHOWN: Final = f"""
select k.id, k.unfinished, k.running,
    k.name, a.name as account, k.hint, k.operator, k.dialect, k.language, k.strict, k.soften, k.budget_micros,
    k.budget_period, {SPENT.format(row="k")}, k.held_micros, k.max_unfinished, k.max_running, k.submits_per_minute,
    k.over_limit, k.created_at, k.expires_at, k.revoked_at, {_SUCCESSOR} as successor_id
from keys k left join accounts a on a.id = k.account_id
"""  # noqa: S608  # our own text
_LIST: Final = f"{_SHOWN} order by k.id"
_SHOW: Final = f"{_SHOWN} where k.id = $1"

_REVOKE: Final = """
with meant as (
    select id from keys
    where revoked_at is null and case when $1 ~ '^[0-9]+$' then id::text = $1 else name = $1 end
    order by id for no key update
)
update keys k set revoked_at = now() from meant where k.id = meant.id returning k.id
"""

# Of those that share a name, that one is meant which nobody took the place of, and which has not run out.
_MEANT: Final = f"""
select k.id, coalesce(k.expires_at <= now(), false) as over, s.id as successor, s.revoked_at is not null as revoked
from keys k left join keys s on s.id = {_SUCCESSOR} where k.revoked_at is null and not k.operator
    and case when $1 ~ '^[0-9]+$' then k.id::text = $1 else k.name = $1 end
order by k.id
"""  # noqa: S608  # our own text
_CHAIN: Final = """
with recursive chain as (
    select k.id, k.former_id from keys k where k.id = $1
    union all
    select f.id, f.former_id from chain c join keys f on f.id = c.former_id
)
"""
# Those before it may be bound by what it is given; locks of keys are taken in their order everywhere.
_LOCK: Final = f"{_CHAIN} select from keys where id in (select id from chain) order by id for no key update"  # noqa: S608  # our own text

# What a key took over counts as far as the period has it: what each one before it held when it was bound, and had been
# charged. Of those that were rotated before that was kept, only a sum is known.
_CARRIED: Final = f"""
case when {TAKEN_AT.format(row="p")} < r.since then 0 else (
    with recursive chain as (
        select k.former_id, {TAKEN_AT.format(row="k")} as at, k.carried_upto, k.carried_micros, k.carried_held_micros
        from keys k where k.id = p.id
        union all
        select f.former_id, {TAKEN_AT.format(row="f")}, f.carried_upto, f.carried_micros, f.carried_held_micros
        from chain c join keys f on f.id = c.former_id where {TAKEN_AT.format(row="f")} >= r.since
    )
    select coalesce(sum(case when c.former_id is null then c.carried_micros else c.carried_held_micros + coalesce((
        select sum(e.amount_micros) from ledger l join entries e on e.ledger_id = l.id and e.account = 'revenue'
        where l.kind = 'close' and l.key_id = c.former_id and l.at >= r.since
            and (l.id <= c.carried_upto or (c.carried_upto is null and l.at < c.at))), 0) end), 0) from chain c
) end
"""  # noqa: S608  # our own text
_ALLOWED: Final = Allowance(
    table="keys",
    columns=(
        "budget_micros", "budget_period", "max_running", "over_limit", "max_unfinished", "submits_per_minute",
        "expires_at", "dialect", "language", "strict", "soften",
    ),
    owns="l.account_id = p.account_id and l.key_id = p.id",
    carried=_CARRIED,
    known="p.former_id is not null",
)  # fmt: skip
_SET: Final = _ALLOWED.statement

# Whoever reads it has locked the keys: what is booked for one of them later has a higher number.
_BOOKED: Final = "(select coalesce(max(l.id), 0) from ledger l)"
# What is left of a budget goes over to the new key, and what the former one holds counts there as spent; what it gets
# back of that is all that it may still spend. So the two together never pass the budget. What was spent in a period that
# is over counts no more, and what goes over is kept, since no booking names the new key for it.
# The end of one that goes on after another took its place in vain is that other's.
_ROTATE: Final = f"""
with former as (
    select k.*, case when s.id is null then k.expires_at else s.expires_at end as until, k.held_micros +
        case when k.period_start < date_trunc(k.budget_period, now(), 'UTC') then 0 else k.spent_micros end as used,
        coalesce({PERIOD_STARTS.format(row="k", period="k.budget_period")}, k.period_start) as since
    from keys k left join keys s on s.id = (select max(id) from keys where former_id = k.id) where k.id = $1
), made as (
    insert into keys (account_id, name, hash, hint, operator, dialect, strict, expires_at, soften, budget_micros,
        budget_period, period_start, spent_micros, carried_micros, carried_held_micros, carried_at, carried_upto,
        former_id, max_unfinished, submits_per_minute, max_running, over_limit, destination, language)
    select account_id, name, $2, $3, false, dialect, strict, until, soften, budget_micros, budget_period,
        since, used, used, held_micros, greatest(clock_timestamp(), since), {_BOOKED}, id, max_unfinished,
        submits_per_minute, max_running, over_limit, destination, language
    from former
    returning id
), ending as (
    update keys set expires_at = least(expires_at, now() + $4::interval),
        budget_micros = case when budget_micros is not null then spent_micros + held_micros end, budget_period = null
    where id = $1 returning expires_at
)
select made.id, f.name, a.name as account, f.id as former_id, ending.expires_at
from former f join accounts a on a.id = f.account_id, made, ending
"""  # noqa: S608  # our own text

# Those before a key that live on without a budget, as they do where there was none to go over.
_UNBOUND: Final = f"""
{_CHAIN}
select f.id, c.id as successor from chain c join keys f on f.id = c.former_id where f.budget_micros is null
"""  # noqa: S608  # our own text
_BIND: Final = """
update keys set budget_micros = spent_micros + held_micros, budget_period = null where id = any($1::int[])
"""
# What did not count for it, since it was of another period, does not begin to.
_TAKE_OVER: Final = f"""
update keys k set carried_held_micros = f.held_micros, carried_upto = {_BOOKED},
    carried_at = greatest(clock_timestamp(), k.period_start),
    carried_micros = case when {TAKEN_AT.format(row="k")} < k.period_start then 0 else k.carried_micros end
from unnest($1::int[], $2::int[]) as taken(former, successor) join keys f on f.id = taken.former
where k.id = taken.successor
"""  # noqa: S608  # our own text
_PERIOD: Final = "select budget_period from keys where id = $1"

_OPERATORS: Final = "select count(*) from keys where operator and revoked_at is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as it may be listed: everything but the key."""

    id: int
    name: str
    account: str | None
    unfinished: int
    running: int
    hint: str
    operator: bool
    dialect: str | None
    language: str | None
    strict: bool
    soften: bool
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    held_micros: int
    max_unfinished: int | None
    max_running: int | None
    submits_per_minute: int | None
    over_limit: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    successor_id: int | None


@dataclass(frozen=True, slots=True)
class Rotated:
    """A key that took another's place, and until when the former one goes on."""

    id: int
    name: str
    account: str
    former_id: int
    former_until: datetime


class ReplacedKeyError(Exception):
    """Another key took its place, and has its limits; `revoked` says whether that one stands no more."""

    def __init__(self, id_: int, successor: int, *, revoked: bool) -> None:
        super().__init__(f"key {id_}: {successor} took its place")
        self.successor = successor
        self.revoked = revoked


class Keys:
    """Several peppers may be live while a secret is rotated; the first of them hashes new keys."""

    def __init__(self, pool: Pool, peppers: Sequence[bytes]) -> None:
        self._pool = pool
        self._peppers = peppers
        self._lane: Lane[Sequence[bytes], Owner | None] = Lane(self._find, width=2)

    def _digests(self, key: str) -> list[bytes]:
        said = key.encode("utf-8", "surrogatepass")
        return [hmac.digest(pepper, said, hashlib.sha256) for pepper in self._peppers]

    async def owner(self, key: str) -> Owner | None:
        """Find whose key it is; unknown and revoked keys, and those that expired long ago, are alike."""
        return await self._lane.put(self._digests(key), within_s=PATIENCE_S)

    async def _find(self, batch: Sequence[Sequence[bytes]]) -> Sequence[Owner | None]:
        wanted = {digest for digests in batch for digest in digests}
        rows = await patiently(lambda: self._pool.fetch(_FIND, list(wanted), EXPIRED_KEY_READS))
        found = {row["hash"]: _owner(row) for row in rows}
        return [next((found[digest] for digest in digests if digest in found), None) for digests in batch]

    async def standing(self, key_id: int) -> Owner | None:
        """Find a key's owner by its id, unless it was revoked or expired long ago."""
        row = await patiently(lambda: self._pool.fetchrow(_STANDING, key_id, EXPIRED_KEY_READS))
        return None if row is None else _owner(row)

    async def named(self, id_or_name: str) -> Owner | None:
        """Find the owner of a valid key by the key's id or name; raise LookupError where several have that name."""
        found = _meant(id_or_name, await self._pool.fetch(_MEANT, id_or_name))
        return None if found is None or found["over"] else await self.standing(found["id"])

    async def open_account(self, name: str) -> str:
        """Open a new account of that name, or of that name with a number; give the name."""
        while True:
            row = await self._pool.fetchrow(_OWN_ACCOUNT, name)
            if row is not None:
                return str(row["name"])

    async def create(
        self,
        key: str,
        *,
        name: str,
        account: str | None,
        dialect: str | None = None,
        strict: bool = False,
        soften: bool = False,
        expires_at: datetime | None = None,
        budget_micros: int | None = None,
        budget_period: str | None = None,
        max_unfinished: int | None = None,
        submits_per_minute: int | None = None,
        max_running: int | None = None,
        over_limit: str = "wait",
        language: str | None = None,
    ) -> int:
        """Store a key; `account` None makes it an operator's, which owns nothing and makes no films."""
        account_id = None if account is None else await self._pool.fetchval(_ACCOUNT, account)
        values = (
            account_id,
            name,
            self._digests(key)[0],
            hint(key),
            account is None,
            dialect,
            strict,
            expires_at,
            soften,
            budget_micros,
            budget_period,
            max_unfinished,
            submits_per_minute,
            max_running,
            over_limit,
            language,
        )
        return int(await self._pool.fetchval(_CREATE, *values))

    async def list(self) -> Sequence[KeyRow]:
        return [KeyRow(**dict(row)) for row in await self._pool.fetch(_LIST)]

    @whole_again
    async def revoke(self, id_or_name: str) -> int:
        """Revoke the keys of that id or name; give how many there were."""
        return len(await self._pool.fetch(_REVOKE, id_or_name))

    @whole_again
    async def rotate(self, id_or_name: str, key: str, *, overlap: timedelta) -> Rotated | None:
        """Put a key in the place of the one that is named, which goes on for a while.

        Give None where there is no such key. Raise LookupError, with nothing changed, where several have that name, and
        ReplacedKeyError where another took its place.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            found = await _locked(connection, id_or_name)
            if found is None or found["over"]:
                return None
            digest = self._digests(key)[0]
            row: Any = await connection.fetchrow(_ROTATE, found["id"], digest, hint(key), overlap)
        return Rotated(*row)

    @whole_again
    async def set(self, id_or_name: str, **settings: Setting) -> KeyRow | None:
        """Write what is given of a key's limits and manners, by its columns' names; None where there is no such key.

        One that has run out may be given more time. Raise as `rotate` does.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            found = await _locked(connection, id_or_name)
            if found is None:
                return None
            budget = settings.get("budget_micros")
            if budget is not None and budget.value is not None and await _bind(connection, found["id"]):
                settings = {
                    "budget_period": Setting(await connection.fetchval(_PERIOD, found["id"])),
                    **settings,
                }
            await connection.execute(_SET, found["id"], *_ALLOWED.values(settings))
            row: Any = await connection.fetchrow(_SHOW, found["id"])
        return KeyRow(**dict(row))

    async def has_operator(self) -> bool:
        return bool(await self._pool.fetchval(_OPERATORS))


async def _locked(connection: Connection, id_or_name: str) -> Any:  # noqa: ANN401  # asyncpg's Record types no column
    """Lock the key that is meant, and no other: what it is may change while its lock is waited for."""
    before = None
    while True:
        found = _meant(id_or_name, await connection.fetch(_MEANT, id_or_name))
        if found is None or found["id"] == before:
            break
        before = found["id"]
        await connection.execute(_LOCK, before)
    if found is not None and found["successor"] is not None:
        raise ReplacedKeyError(found["id"], found["successor"], revoked=found["revoked"])
    return found


async def _bind(connection: Connection, id_: int) -> bool:
    """Leave to those whose place a key took no more than they hold and have spent; tell whether there are any."""
    unbound = await connection.fetch(_UNBOUND, id_)
    formers = [row["id"] for row in unbound]
    if formers:
        await connection.execute(_BIND, formers)
        await connection.execute(_TAKE_OVER, formers, [row["successor"] for row in unbound])
    return bool(formers)


def _meant(id_or_name: str, found: Sequence[Any]) -> Any:  # noqa: ANN401  # asyncpg's Record types no column
    left = [row for row in found if row["successor"] is None] or found
    left = [row for row in left if not row["over"]] or left
    if len(left) > 1:
        raise LookupError(id_or_name)
    return left[0] if left else None


def _owner(row: Any) -> Owner:  # noqa: ANN401  # asyncpg's Record types no column
    return Owner(
        account_id=row["account_id"] or 0,
        key_id=row["id"],
        dialect=row["dialect"],
        language=row["language"],
        strict=row["strict"],
        soften=row["soften"],
        operator=row["operator"],
        expired=row["expired"],
    )
