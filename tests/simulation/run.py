"""Run seeds: each is one world in a database that is emptied for it; what it left behind is compared."""

import asyncio
import gc
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import asyncpg

from filmgate.domain.failpoint import disarm
from filmgate.store.migrate import migrate
from filmgate.store.upkeep import Upkeep
from kit.invariants import Violation, check
from kit.logs import Moment, StoreLog, read_store
from simulation.chaos import storm
from simulation.control import Control
from simulation.database import Database, connect
from simulation.links import CLOCK, PATH
from simulation.loop import SimulatedLoop, Stalled, Tape
from simulation.nodes import EPOCH
from simulation.pace import PREPARED
from simulation.script import Customer, Script, script_of
from simulation.world import Restless, World

LINKS: Final = 24
_TABLES: Final = (
    "tasks", "work", "attempts", "clips", "files", "aliases", "idempotency", "entries", "ledger", "quotes",
    "delivery_tries", "deliveries", "endpoints", "boots", "notices", "credentials", "keys", "accounts",
)  # fmt: skip
# What a server does when it finds the time for it changes its plans, and so the order of what is not sorted.
_UNATTENDED: Final = """
do $$ declare name text; begin
    for name in select oid::regclass from pg_class where relnamespace = 'film'::regnamespace and relkind = 'r' loop
        execute format('alter table %s set (autovacuum_enabled = off)', name);
    end loop;
end $$
"""
_VACUUM_EVERY: Final = 40
_COLLECT_EVERY: Final = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed: nothing is wrong where there are no violations."""

    seed: int
    digest: str
    violations: Sequence[Violation]
    notes: Sequence[str]
    states: Mapping[str, int]
    calls: int
    seconds: float
    lines: Sequence[str] = ()


class Theatre:
    """A database and a loop in which one world after the other is played."""

    def __init__(self, target: Mapping[str, Any]) -> None:
        self._target = target
        self.loop = SimulatedLoop()
        self._database: Database
        self._played = 0
        self._folder = tempfile.TemporaryDirectory(prefix="simulation.")

    @classmethod
    def of_its_own(cls, target: Mapping[str, Any], name: str) -> Self:
        """Play in a new database of that name."""
        control = Control(target)
        control.ask(f"create database {name}")
        control.close()
        return cls({**target, "database": name})

    def __enter__(self) -> Self:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        # The server need not run as whoever plays here.
        clock = Path(self._folder.name) / "time"
        clock.write_text(f"{EPOCH.timestamp():.6f}")
        clock.parent.chmod(0o755)
        clock.chmod(0o644)
        self.loop.run_until_complete(_prepare(self._target, clock))
        self._database = self.loop.run_until_complete(connect(self._target, self.loop, LINKS, clock))
        self._database.control.ask(f"set plan_cache_mode = force_generic_plan; {PREPARED}")
        self.loop.calls = self._database
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.calls = None
        self._database.control.close()
        self.loop.run_until_complete(self._database.close())
        self.loop.close()
        self._folder.cleanup()

    def play(self, seed: int, *, keep: bool = False, poll_after_ms: int | None = None) -> Outcome:
        """Play a world; its order is a function of the seed alone, so nothing may be collected meanwhile."""
        if self._played % _COLLECT_EVERY == 0:
            gc.collect()
        gc.disable()
        tape = Tape(keep)
        script = script_of(seed, poll_after_ms=poll_after_ms)
        self.loop.begin(seed, tape)
        self._database.begin()
        self._clean(script)
        try:
            with tempfile.TemporaryDirectory(prefix="simulation.") as folder:
                world = World(script, self.loop, self._database, Path(folder))
                broken: list[Violation] = []
                calm_since = None
                performance = self.loop.spawn(world.outside, _performed(world))
                try:
                    calm_since = self.loop.run_until_complete(performance)
                except (Restless, Stalled) as error:
                    broken.append(Violation("I8", str(error)))
                return self.loop.run_until_complete(self._judged(world, tape, calm_since, broken))
        finally:
            disarm()
            gc.enable()

    def _clean(self, script: Script) -> None:
        control = self._database.control
        self._played += 1
        if self._played % _VACUUM_EVERY == 0:
            control.ask("vacuum analyze")
        statements = [f"delete from film.{table}" for table in _TABLES]  # noqa: S608  # ours
        statements += [_account(customer) for customer in script.customers]
        statements.append("select setval('film.task_numbers', 1)")
        control.ask(
            f"set synchronous_commit = off; set simulated.time = '{EPOCH.timestamp()}'; set search_path = {PATH}"
        )
        control.ask(";".join(statements))

    async def _judged(
        self, world: World, tape: Tape, calm_since: datetime | None, broken: list[Violation]
    ) -> Outcome:
        digest = tape.digest
        await world.close()
        await self._bury(world)
        store = await self._read(world)
        moment = Moment(calm_since=calm_since)
        vendors = [vendor.log() for vendor in world.network.vendors.values()]
        broken += check(vendors, store, world.receivers.log(), world.counter.told, moment)
        broken += [Violation("X", text) for text in world.journal.broken if "crashed" in text]
        states: dict[str, int] = {}
        for task in store.rows("tasks"):
            states[task["state"]] = states.get(task["state"], 0) + 1
        return Outcome(
            seed=world.script.seed,
            digest=digest,
            violations=broken,
            notes=world.journal.broken,
            states=states,
            calls=self._database.calls,
            seconds=self.loop.time(),
            lines=tape.lines or (),
        )

    async def _read(self, world: World) -> StoreLog:
        link = self._database.take()
        try:
            return await read_store(link.connection, world.shelf.content)
        finally:
            await self._database.give_back(link)

    async def _bury(self, world: World) -> None:
        """End what the dead left hanging, which must be nobody's any more."""
        mine = asyncio.current_task()
        outside = [task for node in world.graves for task in node.process.tasks] + world.outside.tasks

        def left() -> set[asyncio.Task[Any]]:
            known = asyncio.all_tasks(self.loop) | set(outside)
            return {task for task in known if task is not mine and not task.done()}

        await self.loop.bury([world.outside, *(node.process for node in world.graves)], left)


async def _performed(world: World) -> datetime:
    await world.open()
    world.worsen()
    shopping = world.shop()
    await storm(world)
    await world.clear()
    calm_since = max(world.latest, world.now())
    await asyncio.gather(*shopping)
    await world.rest()
    return calm_since


async def _prepare(target: Mapping[str, Any], clock: Path) -> None:
    """Migrate an empty database so that its defaults, too, are of the simulated time."""
    connection = await asyncpg.connect(**target)
    await connection.execute(f"create schema film; create schema simulated; {CLOCK.format(file=clock)}")
    await connection.execute(f"set search_path = {PATH}")
    await migrate(connection, files("filmgate.store").joinpath("migrations"))
    await connection.close()
    pool = await asyncpg.create_pool(**target, min_size=1, max_size=1, server_settings={"search_path": PATH})
    await Upkeep(pool).make_partitions(EPOCH)
    await pool.execute(_UNATTENDED)
    await pool.close()


def _account(customer: Customer) -> str:
    def sql(value: object) -> str:
        return "null" if value is None else str(value)

    balance = customer.balance_micros or 0
    credit = sql(None if customer.balance_micros is None else 0)
    statement = f"""
        insert into film.accounts (id, name, balance_micros, credit_micros, max_running, max_unfinished,
            submits_per_minute) overriding system value
        values ({customer.id}, 'account {customer.id}', {balance}, {credit}, {sql(customer.max_running)},
            {sql(customer.max_unfinished)}, {sql(customer.submits_per_minute)});
        insert into film.keys (id, account_id, name, hash, hint) overriding system value
        values ({customer.id}, {customer.id}, 'k', sha256('{customer.id}'), 'k')"""  # noqa: S608  # ours
    if not balance:
        return statement
    return f"""{statement};
        with topup as (insert into film.ledger (kind, author, reason) values ('topup', 's', 's') returning id)
        insert into film.entries (ledger_id, account, amount_micros)
        select id, account, amount from topup
        cross join (values ('available:{customer.id}', {balance}), ('grants', -{balance})) v(account, amount)"""  # noqa: S608  # our own numbers
