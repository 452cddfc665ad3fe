"""T1: a task is written before its client is answered, with its hold, in one transaction for all who wait."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

import asyncpg

from filmgate.domain.money import dollars
from filmgate.domain.price import Price
from filmgate.domain.problems import Problem
from filmgate.domain.record import RecordChange
from filmgate.domain.request import FilmRequest
from filmgate.domain.task import Owner, Task
from filmgate.store import rows
from filmgate.store.batch import Lane
from filmgate.store.funds import Purses, Refusal, lock_purses
from filmgate.store.idempotency import Asked, Known, known, note, remember, unremember
from filmgate.store.patience import AGAIN_S, AWAY, PATIENCE_S
from filmgate.store.pool import Connection, Pool, begun
from filmgate.store.quotes import Quote, lock_quotes, use_quotes

_INSERT: Final = """
with r as (
    select * from jsonb_to_recordset($1::jsonb) as r(
        id uuid, account_id bigint, key_id bigint, dialect text, names jsonb, request jsonb, model text,
        hold_micros bigint, deadline_s float8, start_s float8, credential_id int, kind text, parent_id uuid,
        record jsonb, price jsonb, quote_id uuid)
), task as (
    insert into tasks (id, account_id, key_id, dialect, names, model, kind, parent_id, request, record, price, quote_id,
        hold_micros, deadline_at, start_by)
    select id, account_id, key_id, dialect, names, model, kind, parent_id, request, record, price, quote_id, hold_micros,
        now() + make_interval(secs => deadline_s), now() + make_interval(secs => start_s) from r
), names as (
    insert into aliases (alias, task_id) select n.value, r.id from r, jsonb_each_text(r.names) n
), hold as (
    insert into ledger (task_id, kind, account_id, key_id, model) select id, 'hold', account_id, key_id, model from r
    returning id, task_id
), entry as (
    insert into entries (ledger_id, account, amount_micros)
    select hold.id, side.account, side.amount
    from hold join r on r.id = hold.task_id and r.hold_micros > 0
    cross join lateral (values ('available:' || r.account_id, -r.hold_micros),
                               ('held:' || r.account_id, r.hold_micros)) as side(account, amount)
)
insert into work (task_id, step, credential_id, due_at, model, account_id, key_id)
select id, 'prepare', credential_id, now(), model, account_id, key_id from r
"""

# Whether a commit whose answer was lost was made, seen by whoever holds its owner's locks.
_WRITTEN: Final = "select id from tasks where id = any($1::uuid[])"

_SELECT: Final = (
    f"select {rows.TASK_COLUMNS} from tasks t where t.id = any($1::uuid[]) and t.deleted_at is null"  # noqa: S608  # our columns
)


PriceAt = Callable[[datetime], Price]


class Verdict(Enum):
    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    MISMATCH = "mismatch"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Remember:
    """Under which key a task is remembered; `replay` says how old an earlier task may be that it stands for.

    Without `replay` the task is only noted, and an earlier note is forgotten.
    """

    key: str
    replay: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    id: UUID
    owner: Owner
    dialect: str
    names: Mapping[str, str]
    request: FilmRequest
    price_at: PriceAt
    """Gives the price at a time, or raises the Problem that there is none; the time is the database's, not a node's."""
    quote_id: UUID | None
    max_cost_micros: int | None
    deadline: timedelta
    credential_id: int | None
    """The one that made what it goes on from, where it should be asked first."""
    body_sha256: bytes
    quoted_sha256: bytes | None
    """The digest of what its quote was for, which knows nothing of dialects."""
    remember: Remember | None
    record: RecordChange

    @property
    def remembered_as(self) -> Asked:
        return self.owner.account_id, self.remember.key if self.remember else ""

    @property
    def known(self) -> Known:
        return self.body_sha256, self.id

    @property
    def replays(self) -> bool:
        return self.remember is not None and self.remember.replay is not None

    def row(self, price: Price) -> dict[str, object]:
        source = self.request.source
        return {
            "kind": "create" if source is None else source.kind.value,
            "parent_id": None if source is None else str(source.task_id),
            "record": dict(self.record),
            "id": str(self.id),
            "account_id": self.owner.account_id,
            "key_id": self.owner.key_id,
            "dialect": self.dialect,
            "names": dict(self.names),
            "request": self.request.as_json(),
            "model": self.request.model,
            "hold_micros": price.amount_micros,
            "price": price.as_json(),
            "quote_id": None if self.quote_id is None else str(self.quote_id),
            "deadline_s": self.deadline.total_seconds(),
            "start_s": self.request.start_within_s,
            "credential_id": self.credential_id,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a new task: itself, an earlier task that it repeats, or none and why.

    One that repeats a task that was deleted since has none.
    """

    verdict: Verdict
    task: Task | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A new task; `again` where nobody knows whether it was written already."""

    new: NewTask
    again: bool


class Acceptor:
    """Writes new tasks by group commit; the answer follows the commit."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lane: Lane[_Asked, Decision] = Lane(self._accept)

    async def accept(self, new: NewTask) -> Decision:
        """Write a task; while the database is away, wait for it for up to 5 s, and write nothing twice."""
        loop = asyncio.get_running_loop()
        give_up, again = loop.time() + PATIENCE_S, False
        while True:
            try:
                return await self._lane.put(_Asked(new, again), within_s=give_up - loop.time())
            except (*AWAY, asyncpg.UniqueViolationError):
                if loop.time() + AGAIN_S > give_up:
                    raise
            again = True
            await asyncio.sleep(AGAIN_S)

    async def remembered(self, account_id: int, remember: Remember) -> tuple[bytes, Task | None] | None:
        """Find what a key stands for: the digest of its request, and its task unless that was deleted; or None."""
        found = await known(self._pool, account_id, remember.key, remember.replay)
        if found is None:
            return None
        digest, task_id = found
        task = await self._pool.fetchrow(_SELECT, [task_id])
        return digest, None if task is None else rows.task(task)

    async def _accept(self, batch: Sequence[_Asked]) -> Sequence[Decision]:
        news = [one.new for one in batch]
        async with begun(self._pool) as connection:
            purses = await lock_purses(connection, [(new.owner.account_id, new.owner.key_id) for new in news])
            written = await _written(connection, [one.new.id for one in batch if one.again])
            await note(connection, {n.remembered_as: n.known for n in news if n.remember and not n.replays})
            keyed = [
                (new, new.remember.replay) for new in news if new.remember and new.remember.replay is not None
            ]
            entries = [(new.remembered_as, new.known) for new, _ in keyed]
            earlier = await remember(connection, entries, [memory for _, memory in keyed])
            asked = [new for new in news if _stands_for(new, earlier)[1] == new.id and new.id not in written]
            fresh, refusals = await _granted(connection, asked, purses)
            if fresh:
                await connection.execute(_INSERT, [new.row(price) for new, price in fresh])
            await use_quotes(connection, {new.quote_id: new.id for new, _ in fresh if new.quote_id})
            await purses.write(connection)
            refused = [new for new in news if new.remember and new.id in refusals]
            await unremember(connection, [(new.remembered_as, new.known) for new in refused])
            wanted = {new.id for new, _ in fresh} | {task_id for _, task_id in earlier.values()} | written
            found = {row["id"]: rows.task(row) for row in await connection.fetch(_SELECT, list(wanted))}
        return [_decide(new, earlier, found, refusals) for new in news]


async def _written(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in await connection.fetch(_WRITTEN, ids)} if ids else set()


Refusals = Mapping[UUID, Refusal]


async def _granted(
    connection: Connection, asked: Sequence[NewTask], purses: Purses
) -> tuple[Sequence[tuple[NewTask, Price]], Refusals]:
    """Let those in, one after the other, that can be paid, each at its price."""
    quotes = dict(await lock_quotes(connection, [new.quote_id for new in asked if new.quote_id]))
    fresh: list[tuple[NewTask, Price]] = []
    refusals: dict[UUID, Refusal] = {}
    for new in asked:
        quote = quotes.pop(new.quote_id, None) if new.quote_id else None
        price = _price(new, quote, purses.now)
        refusal = price if isinstance(price, Refusal) else None
        if isinstance(price, Price):
            refusal = purses.spend(new.owner.account_id, new.owner.key_id, price.amount_micros)
            if refusal is None:
                fresh.append((new, price))
        if refusal is not None:
            refusals[new.id] = refusal
    return fresh, refusals


def _price(new: NewTask, quote: Quote | None, now: datetime) -> Price | Refusal:
    """Give the price that binds, and that the request allows."""
    if new.quote_id is None:
        try:
            price = new.price_at(now)
        except Problem as problem:
            return Refusal(problem.code, problem.parameters)
    else:
        quoted = _quoted(new, quote)
        if isinstance(quoted, Refusal):
            return quoted
        price = quoted
    limit = new.max_cost_micros
    if limit is not None and price.amount_micros > limit:
        parameters = {"price": dollars(price.amount_micros), "limit": dollars(limit)}
        return Refusal("max_cost_exceeded", parameters)
    return price


def _quoted(new: NewTask, quote: Quote | None) -> Price | Refusal:
    """Give a quote's price: it is for its owner, its request, once, and for a while."""
    if quote is None or quote.account_id != new.owner.account_id:
        return _unquoted("there is none of this id, or it was used.", "编号不存在或已被使用。")
    if quote.task_id is not None:
        return _unquoted("it was used.", "已被使用。")
    if not quote.binding:
        return _unquoted("it has expired.", "已过期。")
    if quote.body_sha256 != new.quoted_sha256:
        return _unquoted("it is for another request.", "与请求内容不符。")
    return quote.price


def _unquoted(reason: str, reason_zh: str) -> Refusal:
    return Refusal("quote_unusable", {"reason": reason, "reason_zh": reason_zh, "field": "X-Filmgate-Quote"})


Earlier = Mapping[Asked, Known]


def _stands_for(new: NewTask, earlier: Earlier) -> Known:
    return earlier.get(new.remembered_as, new.known) if new.replays else new.known


def _decide(new: NewTask, earlier: Earlier, found: Mapping[UUID, Task], refusals: Refusals) -> Decision:
    digest, task_id = _stands_for(new, earlier)
    if task_id in refusals and digest == new.body_sha256:
        return Decision(Verdict.REFUSED, None, refusals[task_id])
    if task_id == new.id:
        return Decision(Verdict.ACCEPTED, found.get(new.id))
    if digest != new.body_sha256:
        return Decision(Verdict.MISMATCH, None)
    return Decision(Verdict.REPLAYED, found.get(task_id))
