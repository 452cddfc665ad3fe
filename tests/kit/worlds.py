"""Small makers of store values for tests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from filmgate.domain import ids
from filmgate.domain.price import Line, Price
from filmgate.domain.size import Size
from filmgate.domain.task import Owner, Task
from filmgate.store.accept import Acceptor, Decision, NewTask, Remember
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.ends import Ends
from filmgate.store.keys import Keys
from filmgate.store.moves import Moves
from filmgate.store.pool import Pool
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.work import Boot, Claim, Claims
from filmgate.world import SystemChance
from kit.films import film_request

chance = SystemChance()


@dataclass(slots=True)
class World:
    """A store with one account, one provider and one engine."""

    pool: Pool
    owner: Owner
    credential_id: int
    acceptor: Acceptor
    claims: Claims
    starter: Starts
    moves: Moves
    ends: Ends
    reader: Reader
    boot: Boot

    def new(
        self, prompt: str = "a boat", *, hold_micros: int = 0, remember: Remember | None = None
    ) -> NewTask:
        made = film_request(prompt, model="animatic", size=Size(320, 180), clips=(1,))
        id_ = ids.uuid7(datetime.now(UTC), chance)
        return NewTask(
            id=id_,
            owner=self.owner,
            dialect="yishang",
            names={"id": f"task_{id_.hex}"},
            request=made,
            price_at=lambda _: Price((Line("clip 1", 1, 1, hold_micros),), "2025-01-01"),
            quote_id=None,
            max_cost_micros=None,
            quoted_sha256=None,
            deadline=timedelta(hours=1),
            credential_id=self.credential_id,
            body_sha256=hashlib.sha256(prompt.encode()).digest(),
            remember=remember,
            record={},
        )

    async def accept(self, prompt: str = "a boat", **options: object) -> Decision:
        return await self.acceptor.accept(self.new(prompt, **options))  # type: ignore[arg-type]  # options of new()

    async def starts(self, limit: int, lease: timedelta = timedelta(seconds=30)) -> Sequence[Claim]:
        """Claim the tasks that come next, all for the one credential."""
        waiting = await self.starter.next(["animatic"], limit=limit)
        return await self.starter.claim(
            [(one, self.credential_id) for one in waiting], lease=lease, since=0.0
        )

    async def task(self, id_: UUID) -> Task:
        found = await self.reader.find(str(id_), self.owner.account_id)
        assert found is not None
        return found

    async def rows(self, statement: str, *arguments: object) -> Sequence[dict[str, object]]:
        return [dict(row) for row in await self.pool.fetch(statement, *arguments)]

    async def due_in_s(self) -> float:
        """Give in how many seconds the step of the only task is due."""
        return float(await self.pool.fetchval("select extract(epoch from due_at - now())::float8 from work"))


async def drop_partitions(pool: Pool) -> None:
    """Let there be no week of its own for any task, as where a start was long ago."""
    found = await pool.fetch(
        "select relname from pg_class where relname ~ '^tasks_[0-9_]+$' and relkind = 'r'"
    )
    for row in found:
        await pool.execute(f"drop table {row['relname']}")


def unreadable(task_id: UUID, error: Exception) -> None:
    raise AssertionError(task_id) from error


async def make_world(pool: Pool, *, in_flight: int = 2) -> World:
    keys = Keys(pool, [b"pepper"])
    await keys.create("sk-test", name="test", account="test")
    owner = await keys.owner("sk-test")
    assert owner is not None
    credentials = await Credentials(pool).sync([CredentialRow("fake", "default", in_flight)])
    boot = Boot(*(UUID(bytes=chance.bytes(16)) for _ in range(3)))
    claims = Claims(pool, boot, unreadable)
    await claims.begin()
    return World(
        pool=pool,
        owner=owner,
        credential_id=credentials["fake", "default"],
        acceptor=Acceptor(pool),
        claims=claims,
        starter=Starts(pool, boot, unreadable),
        moves=Moves(pool),
        ends=Ends(pool),
        reader=Reader(pool),
        boot=boot,
    )
