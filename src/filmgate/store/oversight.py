"""What operators see: every account's tasks and attempts, with the vendors' own words, and what they are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from filmgate.domain.request import Json
from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.store import rows
from filmgate.store.pool import Pool
from filmgate.store.vitals import Vitals, read_vitals

_ANYBODY: Final = "$1::text is null"
_OF_ACCOUNT: Final = "t.account_id = (select id from accounts where name = $1::text)"
_UNCERTAIN: Final = "t.id = any(array(select task_id from attempts where state = 'uncertain'))"
# What is asked for is written out, so that an index is read of what is few.
_PAGE: Final = f"""
select {rows.TASK_COLUMNS}, a.name as account, k.name as key, exists (
    select from attempts u where u.task_id = t.id and u.state = 'uncertain') as uncertain
from tasks t join accounts a on a.id = t.account_id left join keys k on k.id = t.key_id
where {{of_state}} and {{of_account}} and {{uncertain}} and {{parked}} and ($2::uuid is null or t.id < $2)
order by t.id desc limit $3
"""  # noqa: S608  # the columns are ours

# Also what its owner has deleted: its receipt stays.
_TASK: Final = f"""
select {rows.TASK_COLUMNS}, a.name as account, k.name as key, exists (
    select from attempts u where u.task_id = t.id and u.state = 'uncertain') as uncertain
from tasks t join accounts a on a.id = t.account_id left join keys k on k.id = t.key_id
where t.id = coalesce($2, (select task_id from aliases where alias = $1))
"""  # noqa: S608  # the columns are ours

_ATTEMPTS: Final = """
select a.clip_no as clip, a.no, a.provider, c.name as credential, a.key, a.state, a.vendor_ref, a.ticket, a.result,
    a.sent_at, a.closed_at, a.vendor_cost_micros, a.error_class, a.error_text
from attempts a join credentials c on c.id = a.credential_id where a.task_id = $1 order by a.clip_no, a.no
"""

_WORK: Final = (
    "select step, due_at, tries, deaths, lease_by is not null as leased from work where task_id = $1"
)

_NOTICES: Final = """
select id, kind, task_id, provider, text, at from notices
where ($1::text is null or kind = $1) and ($2::uuid is null or task_id = $2) and ($3::bigint is null or id < $3)
order by id desc limit $4
"""


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task with the names of its account and its key, and whether an attempt of it is uncertain."""

    task: Task
    account: str
    key: str | None
    uncertain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAttempt:
    clip: int
    no: int
    provider: str
    credential: str
    key: str
    state: str
    vendor_ref: str | None
    ticket: Mapping[str, Json] | None
    result: Mapping[str, Json] | None
    sent_at: datetime
    closed_at: datetime | None
    vendor_cost_micros: int | None
    error_class: str | None
    error_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenWork:
    """What an engine does next for a task; `leased` while one does it."""

    step: str
    due_at: datetime
    tries: int
    deaths: int
    leased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNotice:
    id: int
    kind: str
    task_id: UUID | None
    provider: str | None
    text: str
    at: datetime


class Oversight:
    """Reads without an owner: for operators alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(
        self,
        *,
        state: State | None,
        account: str | None,
        uncertain: bool,
        parked: bool,
        before: UUID | None,
        limit: int,
    ) -> tuple[Sequence[SeenTask], bool]:
        """Give tasks, newest first, and whether there are more."""
        asked = _PAGE.format(
            of_state=rows.of_state(state),
            of_account=_ANYBODY if account is None else _OF_ACCOUNT,
            uncertain=_UNCERTAIN if uncertain else "true",
            parked="t.error_code = 'engine_error'" if parked else "true",
        )
        found = [_seen(row) for row in await self._pool.fetch(asked, account, before, limit + 1)]
        return found[:limit], len(found) > limit

    async def task(self, name: str) -> SeenTask | None:
        """Find a task of anybody's by its id, or by a name that a dialect showed."""
        if "\0" in name:
            return None
        try:
            row = await self._pool.fetchrow(_TASK, None, UUID(name))
        except ValueError:
            row = await self._pool.fetchrow(_TASK, name, None)
        return None if row is None else _seen(row)

    async def attempts(self, task_id: UUID) -> Sequence[SeenAttempt]:
        return [SeenAttempt(**dict(row)) for row in await self._pool.fetch(_ATTEMPTS, task_id)]

    async def work(self, task_id: UUID) -> SeenWork | None:
        row = await self._pool.fetchrow(_WORK, task_id)
        return None if row is None else SeenWork(**dict(row))

    async def vitals(self) -> Vitals:
        return await read_vitals(self._pool)

    async def notices(
        self, *, kind: str | None, task_id: UUID | None, before: int | None, limit: int
    ) -> Sequence[SeenNotice]:
        """Give what operators were told, newest first."""
        found = await self._pool.fetch(_NOTICES, kind, task_id, before, limit)
        return [SeenNotice(**dict(row)) for row in found]


def _seen(row: Any) -> SeenTask:  # noqa: ANN401  # asyncpg's Record types no column
    return SeenTask(rows.task(row), row["account"], row["key"], row["uncertain"])
