"""Deliveries of events: claimed under a fence, at most so many of one host at a time, and settled in batches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.limits import DEAD_LETTER_EVERY, ENDPOINT_PATIENCE, WEBHOOKS_OF_HOST
from filmgate.domain.request import Json
from filmgate.domain.shares import Share
from filmgate.domain.webhook import host_of
from filmgate.store.batch import Lane
from filmgate.store.endpoints import Endpoint, endpoint_of
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool
from filmgate.store.work import Boot

# Ordered, so that an index is read, however much is due.
_ANY: Final = """
select (select account_id from deliveries where ready order by account_id limit 1) is not null
    or (select due_at from deliveries where state = 'due' and not ready order by due_at limit 1) <= now()
"""

# One claims at a time, so that what several claim for one host together stays within its number.
_TURN: Final = "select pg_try_advisory_xact_lock(hashtext('filmgate deliveries'))"

# What waited for its time, or for an answer that did not come while its lease ran.
_READY: Final = """
update deliveries d set ready = true, lease_by = null
from (select id from deliveries where state = 'due' and not ready and due_at <= now() order by due_at limit $1
    for update skip locked) r
where d.id = r.id
"""

_IN_HAND: Final = """
select account_id, host, count(*) as n, count(*) filter (where lease_by = $1) as own
from deliveries where lease_by is not null group by account_id, host
"""

_ACCOUNTS: Final = """
with recursive accounts as (
    (select account_id, 1 as no from deliveries where ready and account_id > $1 order by account_id limit 1)
    union all
    select n.account_id, a.no + 1 from accounts a cross join lateral (
        select account_id from deliveries d where d.ready and d.account_id > a.account_id order by d.account_id limit 1
    ) n where a.no < $2
)
select account_id from accounts
"""

# Each host is looked at by itself: the thousands that wait for a dead one hide nobody else's.
_WAITING: Final = """
select a.id as account_id, h.host, h.no, d.id
from unnest($1::bigint[], $2::text[], $3::int[]) as a(id, after, hosts)
cross join lateral (
    with recursive hosts as (
        (select d.host, 1 as no from deliveries d where d.ready and d.account_id = a.id and d.host > a.after
            order by d.host limit 1)
        union all
        select n.host, h.no + 1 from hosts h cross join lateral (
            select d.host from deliveries d where d.ready and d.account_id = a.id and d.host > h.host
            order by d.host limit 1
        ) n where h.no < a.hosts
    )
    select host, no from hosts
) h
left join unnest($4::text[], $5::int[]) as busy(host, n) on busy.host = h.host
left join lateral (
    select d.id, d.due_at from deliveries d where d.ready and d.account_id = a.id and d.host = h.host
    order by d.due_at limit greatest(0, $6 - coalesce(busy.n, 0))
) d on true
order by d.due_at, d.id
"""

_CLAIM: Final = """
with due as (
    select id from deliveries where id = any($1::uuid[]) and ready order by id for update skip locked
), mine as (
    update deliveries d set ready = false, fence = d.fence + 1, lease_by = $2, due_at = now() + $3::interval
    from due where d.id = due.id returning d.*
)
select mine.id as delivery, mine.account_id as whose, mine.endpoint_id, mine.task_id,
    case when mine.endpoint_id is null then mine.url else coalesce(e.url, mine.url) end as address,
    mine.event, mine.body, mine.fence, mine.tries, mine.created_at as made_at,
    e.*
from mine left join endpoints e on e.deleted_at is null
    and case when mine.endpoint_id is null then e.account_id = mine.account_id and e.callback
        else e.id = mine.endpoint_id end
order by mine.id
"""

_OWNED: Final = """
select d.id from deliveries d join unnest($1::uuid[], $2::bigint[]) as r(id, fence) on d.id = r.id and d.fence = r.fence
where d.state = 'due' order by d.id for update of d
"""
# What was true before the locks were got may be so no more: this is a statement of its own.
_WHERE_NOW: Final = "select id, url from endpoints where id = any($1::uuid[]) and deleted_at is null"

_SETTLE: Final = """
with r as (
    select * from jsonb_to_recordset($1::jsonb) as r(id uuid, state text, wait_ms float8, status int, answer text,
        error text, duration_ms int)
), told as (
    update deliveries d set state = r.state, lease_by = null, tries = d.tries + 1,
        due_at = case r.state when 'due' then now() + r.wait_ms * interval '1 ms' end,
        ended_at = case when r.state <> 'due' then now() end
    from r where d.id = r.id
)
insert into delivery_tries (delivery_id, status, answer, error, duration_ms)
select id, status, answer, error, duration_ms from r
"""

_HEALTH: Final = """
with r as (
    select e.id, e.disabled_at is not null as was, r.well, coalesce(r.gone = e.url, false) as gone, r.dead,
        r.dead and not e.callback and e.failing_since < now() - $5::interval as hopeless
    from endpoints e
    join unnest($1::uuid[], $2::boolean[], $3::text[], $4::boolean[]) as r(id, well, gone, dead) on r.id = e.id
    order by e.id for update of e
), now_at as (
    update endpoints e set
        failing_since = case when not r.well and not e.callback then coalesce(e.failing_since, now()) end,
        disabled_at = case when r.gone or r.hopeless then coalesce(e.disabled_at, now()) else e.disabled_at end,
        disabled_reason = case when r.gone then coalesce(e.disabled_reason, 'the address answered 410')
            when r.hopeless then coalesce(e.disabled_reason, 'nothing was delivered to it since '
                || to_char(e.failing_since, 'YYYY-MM-DD HH24:MI') || ' UTC')
            else e.disabled_reason end
    from r where e.id = r.id and e.deleted_at is null
    returning e.id, e.account_id, e.name, e.url, e.failing_since, e.disabled_reason, r.dead,
        e.disabled_at is not null and not r.was as disabled
)
insert into notices (kind, endpoint_id, text)
select n.kind, h.id, 'account ' || a.name || ', ' || n.says || '; its owner can replay what was given up'
from now_at h join accounts a on a.id = h.account_id
cross join lateral (values
    ('webhook_disabled', h.disabled, 'endpoint ' || h.name || ' is told no more: ' || h.disabled_reason),
    ('webhook_dead_letter', h.dead and not exists (
        select from notices o where o.endpoint_id = h.id and o.kind = 'webhook_dead_letter'
            and o.at >= coalesce(h.failing_since, now() - $6::interval)),
        case when h.url is null then 'a callback that a request named' else 'a delivery to endpoint ' || h.name end
            || ' was given up')
) as n(kind, holds, says)
where n.holds
"""

_READY_AT_ONCE: Final = 500

_RELEASE: Final = """
update deliveries d set lease_by = null, due_at = now(), ready = true
from boots b where d.lease_by = b.id and b.folder = $1 and b.id <> $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClaim:
    """A delivery that this process owns until its lease runs out."""

    id: UUID
    account_id: int
    endpoint_id: UUID | None
    url: str
    host: str
    task_id: UUID
    event: str
    body: bytes
    fence: int
    tries: int
    endpoint: Endpoint | None
    """Whose secrets sign it; None where that was deleted, or where callbacks have no secret yet."""
    since: float
    """When this process began to own it, on its own monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one try; with `wait` there is another, without one it is over."""

    claim: DeliveryClaim
    delivered: bool
    wait: timedelta | None = None
    status: int | None = None
    answer: str | None = None
    error: str | None = None
    duration: timedelta = timedelta()
    gone: bool = False
    """Whether the address wants to hear nothing more."""

    @property
    def state(self) -> str:
        if self.delivered:
            return "delivered"
        return "given_up" if self.wait is None else "due"


class _Rounds:
    """Where the last look at accounts, and at the hosts of each, left off: the next one goes on from there."""

    def __init__(self) -> None:
        self.after = 0
        self.hosts: dict[int, str] = {}

    @property
    def begun(self) -> bool:
        """Whether something may wait before the places from where it goes on."""
        return bool(self.after or self.hosts)

    def went(self, accounts: Sequence[int], most: int) -> None:
        self.after = accounts[-1] if len(accounts) >= most else 0

    def looked(self, accounts: Sequence[int], stopped: Mapping[int, str]) -> None:
        """Note at which hosts a look stopped before it had seen all."""
        for one in accounts:
            self.hosts.pop(one, None)
        self.hosts.update(stopped)


class Deliveries:
    def __init__(self, pool: Pool, boot: Boot) -> None:
        self._rounds = _Rounds()
        self._pool = pool
        self._boot = boot
        self._lane: Lane[Outcome, Outcome | None] = Lane(self._settle)

    async def begin(self) -> None:
        """Release what former boots on this folder had in hand; the caller holds the folder's lock."""
        await self._pool.execute(_RELEASE, self._boot.folder, self._boot.id)

    @whole_again
    async def claim(
        self,
        limit: int,
        lease: timedelta,
        *,
        since: float,
        of_host: int = WEBHOOKS_OF_HOST,
        hands: int | None = None,
    ) -> Sequence[DeliveryClaim]:
        """Claim what is due, at most `of_host` of one host at a time among all who claim.

        Where it is said how many `hands` there are in all, no account gets more than its share of them.
        """
        if not await self._pool.fetchval(_ANY):
            return []
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_TURN):
                return []
            await connection.execute(_READY, _READY_AT_ONCE)
            chosen = await self._chosen(connection, limit, of_host, hands)
            found = await connection.fetch(_CLAIM, chosen, self._boot.id, lease) if chosen else []
        return [_claim(row, since) for row in found]

    async def _chosen(
        self, connection: Connection, limit: int, of_host: int, hands: int | None
    ) -> Sequence[UUID]:
        in_hand = await connection.fetch(_IN_HAND, self._boot.id)
        held = [row["account_id"] for row in in_hand for _ in range(row["own"])]
        hosts: Counter[str] = Counter()
        for row in in_hand:
            hosts[row["host"]] += row["n"]
        share = None if hands is None else Share(hands, held)
        chosen: Sequence[UUID] = []
        for _ in range(2):
            begun = self._rounds.begun
            accounts = [
                row["account_id"] for row in await connection.fetch(_ACCOUNTS, self._rounds.after, limit)
            ]
            waiting = await self._waiting(connection, accounts, limit, of_host, hosts, share)
            self._rounds.went(accounts, limit)
            chosen = _shared(waiting, limit, of_host, hosts, share)
            if chosen or not begun:
                break
        return chosen

    async def _waiting(
        self,
        connection: Connection,
        accounts: Sequence[int],
        limit: int,
        of_host: int,
        hosts: Mapping[str, int],
        share: Share | None,
    ) -> Sequence[Any]:
        """Look up what waits for the next few hosts of each account that may have more hands."""
        open_ = [one for one in accounts if share is None or share.room(one)]
        if not open_:
            return []
        full = sum(n >= of_host for n in hosts.values())
        most = -(-limit // len(open_)) + full
        afters = [self._rounds.hosts.get(one, "") for one in open_]
        found = await connection.fetch(
            _WAITING, open_, afters, [most] * len(open_), list(hosts), list(hosts.values()), of_host
        )
        self._rounds.looked(open_, {row["account_id"]: row["host"] for row in found if row["no"] == most})
        return found

    async def settle(self, outcome: Outcome) -> Outcome | None:
        """Write what became of a try, and give it as written; None where its lease was lost: then nothing is written.

        What an address answered that its endpoint has left by now gives nothing up: the new address is next.
        """
        return await self._lane.put(outcome)

    async def _settle(self, batch: Sequence[Outcome]) -> Sequence[Outcome | None]:
        async with self._pool.acquire() as connection, connection.transaction():
            ids, fences = [one.claim.id for one in batch], [one.claim.fence for one in batch]
            owned = {row["id"] for row in await connection.fetch(_OWNED, ids, fences)}
            mine = await _moved(connection, [one for one in batch if one.claim.id in owned])
            await connection.execute(_SETTLE, [_row(one) for one in mine])
            await _note_health(connection, mine)
        written = {one.claim.id: one for one in mine}
        return [written.get(id_) for id_ in ids]


def _shared(
    waiting: Sequence[Any], limit: int, of_host: int, hosts: Counter[str], share: Share | None
) -> Sequence[UUID]:
    """Choose the oldest, as many of each host and of each account as may be in hand."""
    taken = Counter(hosts)
    chosen: list[UUID] = []
    for row in waiting:
        if row["id"] is None or taken[row["host"]] >= of_host or len(chosen) >= limit:
            continue
        if share is None or share.take(row["account_id"]):
            taken[row["host"]] += 1
            chosen.append(row["id"])
    return chosen


async def _note_health(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Note on endpoints what changed: since when they fail, and that they are gone; tell operators of dead letters."""
    news: dict[UUID, tuple[bool, str | None, bool]] = {}
    for one in outcomes:
        endpoint = one.claim.endpoint
        if endpoint is None:
            continue
        known_failing = endpoint.failing_since is not None
        # What was not even tried, since nobody may be told, is no news.
        dead = one.state == "given_up" and not one.gone and endpoint.disabled_at is None
        if one.gone or dead or (one.claim.endpoint_id and one.delivered is known_failing):
            former = news.get(endpoint.id, (False, None, False))
            # An endpoint that has another address by now is not gone with the one that it left.
            gone = one.claim.url if one.gone else former[1]
            news[endpoint.id] = one.delivered, gone, dead or former[2]
    if news:
        wells, gones, deads = zip(*news.values(), strict=True)
        patience = ENDPOINT_PATIENCE, DEAD_LETTER_EVERY
        await connection.execute(_HEALTH, list(news), list(wells), list(gones), list(deads), *patience)


async def _moved(connection: Connection, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Let deliveries that would be given up go on at once where their endpoints have another address by now."""
    ending = {one.claim.endpoint_id for one in outcomes if one.state == "given_up"} - {None}
    if not ending:
        return outcomes
    urls = {row["id"]: row["url"] for row in await connection.fetch(_WHERE_NOW, list(ending))}
    return [
        replace(one, wait=timedelta(), gone=False)
        if one.state == "given_up" and urls.get(one.claim.endpoint_id, one.claim.url) != one.claim.url
        else one
        for one in outcomes
    ]


def _row(outcome: Outcome) -> dict[str, Json]:
    return {
        "id": str(outcome.claim.id),
        "state": outcome.state,
        "wait_ms": None if outcome.wait is None else outcome.wait.total_seconds() * 1000,
        "status": outcome.status,
        "answer": outcome.answer,
        "error": outcome.error,
        "duration_ms": max(0, round(outcome.duration.total_seconds() * 1000)),
    }


def _claim(row: Any, since: float) -> DeliveryClaim:  # noqa: ANN401  # asyncpg's Record types no column
    return DeliveryClaim(
        id=row["delivery"],
        account_id=row["whose"],
        endpoint_id=row["endpoint_id"],
        url=row["address"],
        host=host_of(row["address"]),
        task_id=row["task_id"],
        event=row["event"],
        body=bytes(row["body"]),
        fence=row["fence"],
        tries=row["tries"],
        endpoint=None if row["id"] is None else endpoint_of(row),
        since=since,
    )
