"""Provider credentials as the database counts them: slots, rate, and the circuit that opens when a vendor fails.

Five failures in a row, lost replies among them, shut a credential for a while. After that one submit at a time is
tried; the first that the vendor takes, or refuses for what it asks, opens it again, and every failed one doubles the
while.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from filmgate.domain.limits import (
    BUSY_FIRST,
    BUSY_SLOWEST,
    CIRCUIT_FAILURES,
    CIRCUIT_FIRST,
    CIRCUIT_LONGEST,
    SUBMIT_LEASE,
)
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool

_TRYING: Final = f"failures_in_row >= {CIRCUIT_FAILURES}"
_SHUT: Final = (
    f"""(paused_at is not null or blocked_until > now() or ({_TRYING} and probing_until > now()))"""
)
_FREE: Final = """least(max_in_flight - in_flight, case when rate_per_s is null then max_in_flight else
    floor(least(burst, tokens + greatest(0, extract(epoch from clock_timestamp() - refilled_at)) * rate_per_s))::int end)"""
# How many more clips may be sent: the one rule for those who plan and for those who send.
ROOM: Final = f"""case when {_SHUT} then 0 when {_TRYING} then least({_FREE}, 1) else {_FREE} end"""

LOCK: Final = (
    f"select id, {ROOM} as room from credentials where id = any($1::int[]) order by id for no key update"  # noqa: S608  # our own text
)

TAKE: Final = f"""
update credentials c set in_flight = c.in_flight + r.n, refilled_at = clock_timestamp(),
    tokens = case when c.rate_per_s is null then c.tokens else least(c.burst, c.tokens
        + greatest(0, extract(epoch from clock_timestamp() - c.refilled_at)) * c.rate_per_s) - r.n end,
    probing_until = case when {_TRYING} then now() + interval '{SUBMIT_LEASE.total_seconds()} s'
        else c.probing_until end
from unnest($1::int[], $2::int[]) as r(id, n) where c.id = r.id
"""  # noqa: S608  # our own text

_ROOMS: Final = f"""
select id, greatest({ROOM}, 0) as room, {_SHUT} as shut from credentials
where exists (select from work where step = 'prepare' and due_at <= now())
"""  # noqa: S608  # our own text

_LOCK_ALL: Final = "select from credentials order by id for no key update"

# A provider that had one unnamed credential keeps it, with all that runs there, once the credential has a name.
_RENAME: Final = """
update credentials c set name = r.name
from (select distinct on (r.value ->> 'provider') r.value ->> 'provider' as provider, r.value ->> 'name' as name
    from jsonb_array_elements($1::jsonb) with ordinality as r(value, no) order by r.value ->> 'provider', no) r
where c.provider = r.provider and c.name = 'default' and r.name <> 'default'
    and not exists (select from credentials o where o.provider = r.provider and o.name = r.name)
"""

_SYNC: Final = """
insert into credentials (provider, name, max_in_flight, rate_per_s, burst, tokens, paused_at)
select provider, name, max_in_flight, rate_per_s, burst, burst,
    (select min(o.paused_at) from credentials o where o.provider = r.provider)
from jsonb_to_recordset($1::jsonb) as r(provider text, name text, max_in_flight int, rate_per_s float8, burst float8)
on conflict (provider, name) do update set enabled = true, max_in_flight = excluded.max_in_flight,
    rate_per_s = excluded.rate_per_s, burst = excluded.burst
returning id, provider, name
"""

_RETIRE: Final = "update credentials set enabled = false where not id = any($1::int[]) and enabled"

_LIST: Final = f"""
select id, provider, name, enabled, in_flight, max_in_flight, rate_per_s, paused_at, failures_in_row,
    case when blocked_until > now() then blocked_until end as blocked_until, blocked_because, last_error_class,
    last_error, last_error_at, {_TRYING} as trying
from credentials order by provider, id
"""  # noqa: S608  # our own text

_PAUSE: Final = """
update credentials set paused_at = coalesce(paused_at, now()) where provider = $1 and enabled
returning in_flight
"""

_RESUME: Final = """
update credentials set paused_at = null, blocked_until = now(), blocked_because = null, failures_in_row = 0, busy_in_row = 0,
    probing_until = now()
where provider = $1 and enabled returning in_flight
"""

# What was sent before the circuit opened says nothing new when it fails afterwards, nor what was sent before a busy one
# was left alone.
_JUDGE: Final = f"""
with r as (
    select * from jsonb_to_recordset($1::jsonb) as r(id int, good boolean, broken int, misconfigured boolean,
        busy_s float8, class text, text text)
), now_at as (
    select r.*, c.failures_in_row as before, case
        when r.good then least(r.broken, {CIRCUIT_FAILURES})
        when c.{_TRYING} and c.blocked_until > now() then c.failures_in_row
        when c.{_TRYING} and (r.misconfigured or r.broken > 0) then c.failures_in_row + 1
        when c.{_TRYING} then c.failures_in_row
        when r.misconfigured then {CIRCUIT_FAILURES}
        else least(c.failures_in_row + r.broken, {CIRCUIT_FAILURES}) end as failures
    from r join credentials c on c.id = r.id
), judged as (
    update credentials c set failures_in_row = n.failures, probing_until = now(),
        busy_in_row = case when n.good then 0 when n.busy_s is null or c.blocked_until > now() then c.busy_in_row
            else least(c.busy_in_row + 1, 16) end,
        blocked_until = case
            when n.failures > c.failures_in_row and n.failures >= {CIRCUIT_FAILURES}
                then greatest(c.blocked_until, now() + least(
                    interval '{CIRCUIT_FIRST.total_seconds()} s' * power(2, least(n.failures - {CIRCUIT_FAILURES}, 16)),
                    interval '{CIRCUIT_LONGEST.total_seconds()} s'))
            when n.busy_s is not null
                then greatest(c.blocked_until, now() + n.busy_s * interval '1 s', now() + case
                    when n.good or c.busy_in_row = 0 then interval '0 s'
                    else least(interval '{BUSY_FIRST.total_seconds()} s' * power(2, c.busy_in_row - 1),
                        interval '{BUSY_SLOWEST.total_seconds()} s') end)
            when c.{_TRYING} and n.good then now()
            else c.blocked_until end,
        blocked_because = coalesce(n.class, c.blocked_because),
        last_error_class = coalesce(n.class, c.last_error_class), last_error = coalesce(n.text, c.last_error),
        last_error_at = case when n.class is null then c.last_error_at else now() end
    from now_at n
    where c.id = n.id and (not n.good or c.failures_in_row > 0 or c.busy_in_row > 0 or n.class is not null)
    returning c.provider, c.name, n.before, n.failures, n.misconfigured, n.text
)
insert into notices (kind, provider, text)
select case when misconfigured then 'provider_misconfigured' else 'provider_down' end, provider,
    name || ': ' || coalesce(text, '')
from judged where before < {CIRCUIT_FAILURES} and failures >= {CIRCUIT_FAILURES}
"""  # noqa: S608  # our own text


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as the settings have it."""

    provider: str
    name: str
    max_in_flight: int
    rate_per_s: float | None = None
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """How many more clips a credential takes; a shut one is paused, blocked, or being tried with one clip."""

    free: int
    shut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialState:
    """A credential as operators see it."""

    id: int
    provider: str
    name: str
    enabled: bool
    """Whether the settings still have it."""
    in_flight: int
    max_in_flight: int
    rate_per_s: float | None
    paused_at: datetime | None
    failures_in_row: int
    blocked_until: datetime | None
    blocked_because: str | None
    last_error_class: str | None
    last_error: str | None
    last_error_at: datetime | None
    trying: bool
    """Whether it failed so often that one clip at a time is tried."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one closed or accepted attempt says of its credential."""

    credential_id: int
    error_class: str | None
    text: str | None = None
    busy_s: float | None = None


class Credentials:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @whole_again
    async def sync(self, wanted: Sequence[CredentialRow]) -> Mapping[tuple[str, str], int]:
        """Write what the settings say; give each credential's id by its provider and name."""
        written = [
            {
                "provider": row.provider,
                "name": row.name,
                "max_in_flight": row.max_in_flight,
                "rate_per_s": row.rate_per_s,
                "burst": row.burst,
            }
            for row in wanted
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK_ALL)
            await connection.execute(_RENAME, written)
            found = await connection.fetch(_SYNC, written)
            await connection.execute(_RETIRE, [row["id"] for row in found])
        return {(row["provider"], row["name"]): row["id"] for row in found}

    async def rooms(self) -> Mapping[int, Room]:
        """Tell how much room each credential has; nothing where no task waits."""
        return {row["id"]: Room(row["room"], row["shut"]) for row in await self._pool.fetch(_ROOMS)}

    async def list(self) -> "list[CredentialState]":
        return [CredentialState(**dict(row)) for row in await self._pool.fetch(_LIST)]

    async def pause(self, provider: str) -> int | None:
        """Send nothing more to a provider; give how many clips it still makes, None where there is no such one."""
        return await self._change(_PAUSE, provider)

    async def resume(self, provider: str) -> int | None:
        """Let a provider be sent clips again, also where its failures had shut it."""
        return await self._change(_RESUME, provider)

    @whole_again
    async def _change(self, statement: str, provider: str) -> int | None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK_ALL)
            found = await connection.fetch(statement, provider)
        return sum(row["in_flight"] for row in found) if found else None


async def judge(connection: Connection, verdicts: Iterable[Verdict]) -> None:
    """Count what attempts say of their credentials, which the caller has locked."""
    said: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        said.setdefault(verdict.credential_id, []).append(verdict)
    if said:
        await connection.execute(_JUDGE, [_summed(id_, said[id_]) for id_ in sorted(said)])


# The vendor answered as it should: it took the clip, or said what is wrong with it.
_GOOD: Final = frozenset({None, "refused", "invalid", "vanished"})
# A vendor that loses its replies may bill each of them.
_LOST: Final = frozenset({"uncertain"})
_BROKEN: Final = frozenset({"broken"}) | _LOST


def _summed(credential_id: int, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    faults = [verdict for verdict in verdicts if verdict.error_class not in _GOOD]
    good = len(faults) < len(verdicts)
    # What came in one batch has no order: a lost reply beside a good one is no row of failures.
    broken = _BROKEN - _LOST if good else _BROKEN
    waits = [verdict.busy_s for verdict in faults if verdict.busy_s is not None]
    return {
        "id": credential_id,
        "good": good,
        "broken": sum(verdict.error_class in broken for verdict in faults),
        "misconfigured": any(verdict.error_class == "misconfigured" for verdict in faults),
        "busy_s": max(waits, default=None),
        "class": faults[-1].error_class if faults else None,
        "text": faults[-1].text if faults else None,
    }
