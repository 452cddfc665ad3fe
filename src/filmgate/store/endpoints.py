"""Webhook endpoints of accounts. Their secrets come and go sealed; here they are bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from filmgate.domain.limits import WEBHOOK_TEST_APART, WEBHOOK_TESTS
from filmgate.domain.webhook import host_of
from filmgate.store.funds import lock_owners
from filmgate.store.patience import whole_again
from filmgate.store.pool import Pool

_COLUMNS: Final = """e.id, e.account_id, e.name, e.url, e.events, e.secret, e.hint, e.former_secret, e.former_until,
    e.created_at, e.updated_at, e.failing_since, e.disabled_at, e.disabled_reason"""
_MINE: Final = "e.account_id = $1 and not e.callback and e.deleted_at is null"

_COUNT: Final = f"select count(*) from endpoints e where {_MINE}"  # noqa: S608  # the condition is ours

_CREATE: Final = f"""
insert into endpoints as e (id, account_id, name, url, events, secret, hint) values ($1, $2, $3, $4, $5, $6, $7)
returning {_COLUMNS}
"""  # noqa: S608  # the columns are ours

_PAGE: Final = f"""
select {_COLUMNS} from endpoints e where {_MINE} and ($2::uuid is null or e.id < $2) order by e.id desc limit $3
"""  # noqa: S608  # the columns are ours

_FIND: Final = f"select {_COLUMNS} from endpoints e where {_MINE} and e.id = $2"  # noqa: S608  # the columns are ours

# An address that is given, also the same one again, is tried again.
_UPDATE: Final = f"""
update endpoints e set name = coalesce($3, e.name), url = coalesce($4, e.url), events = coalesce($5, e.events),
    disabled_at = case when $6::boolean is false then coalesce(e.disabled_at, now())
        when $6 is true or $4::text is not null then null else e.disabled_at end,
    disabled_reason = case when $6::boolean is false then coalesce(e.disabled_reason, 'its owner switched it off')
        when $6 is true or $4::text is not null then null else e.disabled_reason end,
    failing_since = case when $6 is true or $4::text is not null then null else e.failing_since end,
    updated_at = case when (coalesce($3, e.name), coalesce($4, e.url), coalesce($5, e.events))
        is distinct from (e.name, e.url, e.events) then now() else e.updated_at end
where {_MINE} and e.id = $2 returning {_COLUMNS}
"""  # noqa: S608  # the columns are ours

# What was not told yet goes where the endpoint is now. A try that is in hand goes on; the next one goes there.
_MOVE: Final = """
update deliveries set url = $3, host = $4 where account_id = $1 and endpoint_id = $2 and state = 'due' and url <> $3
"""

# What cannot be told any more needs no secret.
_DELETE: Final = f"""
update endpoints e set deleted_at = now(), secret = '', former_secret = null, former_until = null
where {_MINE} and e.id = $2 returning e.id
"""  # noqa: S608  # the condition is ours

_ROTATE: Final = f"""
update endpoints e set secret = $3, hint = $4, updated_at = now(),
    former_secret = case when $5::interval is null then null else e.secret end, former_until = now() + $5::interval
where e.account_id = $1 and e.id = $2 and e.deleted_at is null returning {_COLUMNS}
"""  # noqa: S608  # the columns are ours

_FIND_CALLBACKS: Final = f"""
select {_COLUMNS} from endpoints e where e.account_id = $1 and e.callback
"""  # noqa: S608  # the columns are ours

_MAKE_CALLBACKS: Final = """
insert into endpoints (id, account_id, callback, name, events, secret, hint) values ($1, $2, true, 'callbacks', '{}', $3, $4)
on conflict do nothing
"""

_ALL: Final = f"""
select {_COLUMNS}, a.name as account from endpoints e join accounts a on a.id = e.account_id
where not e.callback and e.deleted_at is null order by e.id desc limit $1
"""  # noqa: S608  # the columns are ours


# Whoever tests holds its place until it is answered, or until no answer can come any more.
_TESTS_TURN: Final = "select pg_advisory_xact_lock(hashtext('filmgate tests'))"
_TESTING: Final = """
select id, account_id, url, testing_until - now() as left from endpoints where testing_until > now() order by testing_until
"""
_TEST: Final = "update endpoints set testing_until = now() + $2::interval where id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of a customer's that is told of events; without one, the row is of the account's callbacks."""

    id: UUID
    account_id: int
    name: str
    url: str | None
    events: Sequence[str]
    secret: bytes
    hint: str
    former_secret: bytes | None
    former_until: datetime | None
    created_at: datetime
    updated_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    id: UUID
    account_id: int
    name: str
    url: str
    events: Sequence[str]
    secret: bytes
    hint: str


class Endpoints:
    """Every call but `all` names the account that must be the endpoint's own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @whole_again
    async def create(self, new: NewEndpoint, *, most: int) -> Endpoint | None:
        """Store an endpoint; None where the account has that many already."""
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_owners(connection, [new.account_id])
            if await connection.fetchval(_COUNT, new.account_id) >= most:
                return None
            values = (new.id, new.account_id, new.name, new.url, list(new.events), new.secret, new.hint)
            return endpoint_of(await connection.fetchrow(_CREATE, *values))

    async def page(
        self, account_id: int, *, after: UUID | None, limit: int
    ) -> tuple[Sequence[Endpoint], bool]:
        """Give up to `limit` endpoints, newest first, and whether there are more."""
        found = [endpoint_of(row) for row in await self._pool.fetch(_PAGE, account_id, after, limit + 1)]
        return found[:limit], len(found) > limit

    async def find(self, account_id: int, id_: UUID) -> Endpoint | None:
        row = await self._pool.fetchrow(_FIND, account_id, id_)
        return None if row is None else endpoint_of(row)

    @whole_again
    async def update(
        self,
        account_id: int,
        id_: UUID,
        *,
        name: str | None,
        url: str | None,
        events: Sequence[str] | None,
        enabled: bool | None = None,
    ) -> Endpoint | None:
        """Write what is given; an address that is given is tried again, also where it was disabled."""
        listed = None if events is None else list(events)
        async with self._pool.acquire() as connection, connection.transaction():
            if url is not None:
                await connection.execute(_MOVE, account_id, id_, url, host_of(url))
            row = await connection.fetchrow(_UPDATE, account_id, id_, name, url, listed, enabled)
        return None if row is None else endpoint_of(row)

    async def delete(self, account_id: int, id_: UUID) -> bool:
        return await self._pool.fetchval(_DELETE, account_id, id_) is not None

    async def rotate(
        self, account_id: int, id_: UUID, *, secret: bytes, hint: str, keep: timedelta | None
    ) -> Endpoint | None:
        """Give it another secret; the former one goes on signing for as long as it is kept."""
        row = await self._pool.fetchrow(_ROTATE, account_id, id_, secret, hint, keep)
        return None if row is None else endpoint_of(row)

    @whole_again
    async def begin_test(self, endpoint: Endpoint, longest: timedelta) -> timedelta | None:
        """Take a place among the tests that go out at a time, one to an endpoint and a few to a host or for an account.

        Where there is none, say when one may be free.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_TESTS_TURN)
            found = await connection.fetch(_TESTING)
            host = host_of(endpoint.url or "")
            beside = [
                row
                for row in found
                if row["account_id"] == endpoint.account_id or host_of(row["url"] or "") == host
            ]
            own = [row for row in beside if row["id"] == endpoint.id]
            if own or len(beside) >= WEBHOOK_TESTS:
                left: timedelta = (own or beside)[0]["left"]
                return left
            await connection.execute(_TEST, endpoint.id, longest)
            return None

    async def end_test(self, endpoint: Endpoint) -> None:
        """Leave the place, though not at once: what answers quickly is not to be asked all the time."""
        await self._pool.execute(_TEST, endpoint.id, WEBHOOK_TEST_APART)

    async def callbacks(self, account_id: int) -> Endpoint | None:
        """Find the row that signs what goes to addresses which requests name."""
        row = await self._pool.fetchrow(_FIND_CALLBACKS, account_id)
        return None if row is None else endpoint_of(row)

    async def make_callbacks(self, account_id: int, id_: UUID, *, secret: bytes, hint: str) -> None:
        """Make that row, unless another was faster."""
        await self._pool.execute(_MAKE_CALLBACKS, id_, account_id, secret, hint)

    async def all(self, limit: int) -> Sequence[tuple[str, Endpoint]]:
        """Give every account's endpoints with the account's name, for operators."""
        return [(row["account"], endpoint_of(row)) for row in await self._pool.fetch(_ALL, limit)]


def endpoint_of(row: Any) -> Endpoint:  # noqa: ANN401  # asyncpg's Record types no column
    return Endpoint(**{name: row[name] for name in Endpoint.__slots__})
