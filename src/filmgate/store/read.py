"""Reads of tasks; every one of them carries the owner."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from filmgate.domain.request import Json
from filmgate.domain.states import State
from filmgate.domain.task import Attempt, StoredFile, Task
from filmgate.store import rows
from filmgate.store.batch import Lane
from filmgate.store.patience import PATIENCE_S, patiently
from filmgate.store.pool import Pool

# An id of ours and an alias of a dialect are both names; whichever it is, the account must be the task's own.
_FIND: Final = f"""
select r.no, {rows.TASK_COLUMNS}
from unnest($1::text[], $2::uuid[], $3::bigint[]) with ordinality as r(alias, id, account_id, no)
left join aliases a on a.alias = r.alias
join tasks t on t.id = coalesce(r.id, a.task_id) and t.account_id = r.account_id and t.deleted_at is null
"""  # noqa: S608  # the columns are ours

_PLACE: Final = """
select t.id from tasks t where t.account_id = $3 and t.id = coalesce($2, (select task_id from aliases where alias = $1))
"""

# What is asked for is written out, so that an index is read of what is few.
_PAGE: Final = f"""
select {rows.TASK_COLUMNS} from tasks t
where t.account_id = $1 and t.deleted_at is null and {{of_state}} and ($2::text[] is null or t.dialect = any($2))
    and {{of_model}}
    and ($6::text is null or t.request ->> 'prompt' ilike '%' || $6 || '%'
        or exists (select from aliases a where a.task_id = t.id and a.alias = $7) or t.id::text = $7)
    and ($3::uuid is null or t.id {{after}} $3)
order by t.id {{turn}} limit $4
"""  # noqa: S608  # the columns are ours

# Some clients poll with the number that their dialect's answers carry beside the id.
_BY_NUMBER: Final = f"""
select {rows.TASK_COLUMNS} from tasks t where t.account_id = $1 and t.number = $2 and t.deleted_at is null
"""  # noqa: S608  # the columns are ours

_ACCOUNT: Final = """
select t.account_id, t.key_id from aliases a join tasks t on t.id = a.task_id and t.deleted_at is null where a.alias = $1
"""

_ATTEMPTS: Final = """
select a.* from attempts a join tasks t on t.id = a.task_id
where a.task_id = $1 and t.account_id = $2 order by a.clip_no, a.no
"""

# A busy provider created nothing and was no attempt.
_SPENT: Final = """
select count(*) from attempts
where task_id = $1 and clip_no = $2 and coalesce(error_class, '') not in ('busy', 'unsent')
"""

_BUSY: Final = """
select count(*) from attempts where task_id = $1 and clip_no = $2 and credential_id = $3 and error_class = 'busy'
"""

_UNCERTAIN: Final = "select exists (select from attempts where task_id = $1 and state = 'uncertain')"

_RECEIPT: Final = """
select credential_id, vendor_ref, ticket from attempts
where task_id = $1 and clip_no = $2 and state = 'done' order by no desc limit 1
"""


_FILE: Final = """
select f.* from files f join tasks t on t.id = f.task_id and t.deleted_at is null where f.id = $1
"""

# As many digits as a bigint surely holds.
_NUMBER_DIGITS: Final = 18
# What `like` does not take for itself.
_WILD: Final = re.compile(r"[\\%_]")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A vendor's ticket of a clip that is done, and the credential that it was made with."""

    credential_id: int
    ref: str
    memory: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    account_id: int


class Reader:
    """Finds tasks for their owners; concurrent reads share one query."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lane: Lane[_Wanted, Task | None] = Lane(self._find, width=2)

    async def find(self, name: str, account_id: int) -> Task | None:
        """Find a task by its id or by any name that a dialect showed; None where it is not the account's."""
        if "\0" in name:
            return None
        if name.isascii() and name.isdigit() and len(name) <= _NUMBER_DIGITS:
            row = await patiently(lambda: self._pool.fetchrow(_BY_NUMBER, account_id, int(name)))
            return None if row is None else rows.task(row)
        return await self._lane.put(_Wanted(name, account_id), within_s=PATIENCE_S)

    async def account_of(self, name: str) -> tuple[int, int] | None:
        """Say whose task that is, by account and key; only for a link whose signature was checked."""
        row = None if "\0" in name else await patiently(lambda: self._pool.fetchrow(_ACCOUNT, name))
        return None if row is None else (row["account_id"], row["key_id"])

    async def place(self, name: str, account_id: int) -> UUID | None:
        """Give where a task stands in its account's list, also where it was deleted meanwhile."""
        if "\0" in name:
            return None
        id_ = _uuid(name)
        found = await patiently(lambda: self._pool.fetchval(_PLACE, None if id_ else name, id_, account_id))
        return None if found is None else UUID(str(found))

    async def _find(self, batch: Sequence[_Wanted]) -> Sequence[Task | None]:
        ids = [_uuid(wanted.name) for wanted in batch]
        aliases = [None if id_ else wanted.name for id_, wanted in zip(ids, batch, strict=True)]
        accounts = [wanted.account_id for wanted in batch]
        found = await patiently(lambda: self._pool.fetch(_FIND, aliases, ids, accounts))
        tasks = {row["no"]: rows.task(row) for row in found}
        return [tasks.get(no) for no in range(1, len(batch) + 1)]

    async def page(
        self,
        account_id: int,
        *,
        after: UUID | None,
        limit: int,
        newest_first: bool = True,
        state: State | None = None,
        dialects: Sequence[str] | None = None,
        model: str | None = None,
        text: str | None = None,
    ) -> tuple[Sequence[Task], bool]:
        """Give up to `limit` tasks after one of them, and whether there are more.

        `text` is a part of the prompt, or one of a task's names whole.
        """
        like = None if text is None else _WILD.sub(r"\\\g<0>", text)
        asked = _PAGE.format(
            of_state=rows.of_state(state),
            of_model="$5::text is null" if model is None else "t.model = $5::text",
            after="<" if newest_first else ">",
            turn="desc" if newest_first else "asc",
        )
        arguments = (account_id, dialects, after, limit + 1, model, like, text)
        found = [rows.task(row) for row in await patiently(lambda: self._pool.fetch(asked, *arguments))]
        return found[:limit], len(found) > limit

    async def attempts(self, task_id: UUID, account_id: int) -> Sequence[Attempt]:
        found = await patiently(lambda: self._pool.fetch(_ATTEMPTS, task_id, account_id))
        return [rows.attempt(row) for row in found]

    async def attempts_spent(self, task_id: UUID, clip: int) -> int:
        return int(await self._pool.fetchval(_SPENT, task_id, clip))

    async def times_busy(self, task_id: UUID, clip: int, credential_id: int) -> int:
        """Count how often a credential was busy when it was sent a clip."""
        return int(await self._pool.fetchval(_BUSY, task_id, clip, credential_id))

    async def is_uncertain(self, task_id: UUID) -> bool:
        """Tell whether nobody knows what became of a task's submit."""
        return bool(await self._pool.fetchval(_UNCERTAIN, task_id))

    async def receipt(self, task_id: UUID, clip: int) -> Receipt | None:
        """Give who made a clip, and under which ticket; None where it was taken over from another film."""
        row = await self._pool.fetchrow(_RECEIPT, task_id, clip)
        return None if row is None else Receipt(row["credential_id"], row["vendor_ref"], row["ticket"] or {})

    async def file(self, file_id: UUID) -> StoredFile | None:
        """Find a file of a task that is not deleted; the caller has checked the link or the owner."""
        row = await patiently(lambda: self._pool.fetchrow(_FILE, file_id))
        return None if row is None else rows.file(row)


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name) if len(name) == len(str(UUID(int=0))) else None
    except ValueError:
        return None
