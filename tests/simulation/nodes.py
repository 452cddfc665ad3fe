"""Nodes: the gate's own processes, of the gate's own parts; only what reaches out of a process is simulated."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from filmgate import providers as kinds
from filmgate.domain.catalogue import Catalogue
from filmgate.domain.contracts_provider import ProviderConfig, Renderer, Tools
from filmgate.engine.accept import Acceptance
from filmgate.engine.deliver import Deliverer, Messenger
from filmgate.engine.parts import Parts, Wording
from filmgate.engine.route import Access, Router, RouteRule
from filmgate.engine.sources import Sources
from filmgate.engine.subscribe import Keyring, Subscriptions
from filmgate.engine.sweep import sweep
from filmgate.engine.worker import Worker
from filmgate.net.guard import Guard, GuardRules
from filmgate.seal import Seal
from filmgate.store.accept import Acceptor
from filmgate.store.cancel import Wishes
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.deliveries import Deliveries
from filmgate.store.endpoints import Endpoints
from filmgate.store.ends import Ends
from filmgate.store.files import Files
from filmgate.store.moves import Moves
from filmgate.store.notices import Notices
from filmgate.store.patience import AWAY
from filmgate.store.pool import Pool
from filmgate.store.quotes import Quotes
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claims
from simulation.database import Database, SimulatedPool
from simulation.films import Shelf, Workbench
from simulation.loop import Process, SimulatedLoop
from simulation.network import Network, Receivers, SimulatedHttp, SimulatedPost
from simulation.pace import Pace

Answer = TypeVar("Answer")

EPOCH: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENGINE_CONNECTIONS: Final = 5
WEB_CONNECTIONS: Final = 3
SEAL: Final = b"s" * 32


class SimulatedChance:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def bytes(self, count: int) -> bytes:
        return self._dice.randbytes(count)

    def share(self) -> float:
        return self._dice.random()


@dataclass
class SimulatedClock:
    """The clock of a machine, which may be set; what measures time is not."""

    loop: SimulatedLoop
    skew_s: float = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.time() + self.skew_s)

    def monotonic(self) -> float:
        return self.loop.time()


@dataclass
class Journal:
    """What the gate tells its operators."""

    loop: SimulatedLoop
    texts: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def event(self, event: str, **fields: object) -> None:
        said = " ".join(f"{name}={value}" for name, value in fields.items())
        self.loop.note(f"* {event} {said}")
        self.texts.append(f"{event} {said}")
        if event.endswith(".broken"):
            self.broken.append(f"{event} {said} {fields.get('error')!r}")

    def task_ended(self, *told: object) -> None:
        return

    def asked(self, *told: object) -> None:
        return

    def told(self, *told: object) -> None:
        return

    def polled_late(self, *told: object) -> None:
        return

    def noticed(self, kind: str) -> None:
        return

    def outage(self) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all nodes of a world stand on."""

    loop: SimulatedLoop
    database: Database
    network: Network
    receivers: Receivers
    shelf: Shelf
    catalogue: Catalogue
    limits: Mapping[str, tuple[int, float | None]]
    rules: Sequence[RouteRule]
    workspace: Path
    pace: Pace
    journal: Journal
    dice: random.Random


class Words:
    """Words prompts anew without reading them."""

    async def enhance(self, prompt: str) -> Wording:
        return Wording(f"richly: {prompt}", "built_in")

    async def soften(self, prompt: str) -> str:
        return f"softly: {prompt}"


class PlainUpkeep(Upkeep):
    """Upkeep in a world that lasts for a day: its partitions are there from the beginning."""

    async def make_partitions(self, now: datetime) -> Sequence[str]:  # it is the signature
        return ()


class PacedWorker(Worker):
    """A worker that rests until something is due, and not a moment after the other."""

    def __init__(self, parts: Parts, upkeep: Upkeep, deliverer: Deliverer, pace: Pace) -> None:
        super().__init__(parts, upkeep, [deliverer])
        self._pace = pace

    async def _rest(self) -> None:
        self._parts.wake.clear()
        await self._pace.rest(self._parts.wake, self._pace.rest_s)

    async def _sweeping(self) -> None:
        never = asyncio.Event()
        while True:
            await sweep(self._parts, self._upkeep)
            try:
                async with asyncio.timeout(self._pace.sweep_s()):
                    await self._pace.rest(never, self._pace.deadline_s)
            except TimeoutError:
                continue

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(self._pace.beat_s())
            try:
                await self._beat()
            except AWAY:
                continue


class PacedDeliverer(Deliverer):
    def __init__(self, messenger: Messenger, journal: Journal, pace: Pace) -> None:
        super().__init__(messenger, lambda error: journal.event("deliveries.waiting", error=error))
        self._pace = pace

    async def _rest(self, longest: timedelta) -> None:
        await self._pace.rest(self._messenger.wake, self._pace.deliver_s)


class Node:
    """One start of the gate on one machine: its web half and its engine."""

    def __init__(
        self, ground: Ground, name: str, folder: UUID, supervisor: UUID, configs: Sequence[ProviderConfig]
    ) -> None:
        self.ground = ground
        self.configs = configs
        self.process = Process(name)
        self.clock = SimulatedClock(ground.loop)
        self.chance = SimulatedChance(ground.dice)
        self.engine_pool = SimulatedPool(ground.database, self.process, ENGINE_CONNECTIONS)
        self.web_pool = SimulatedPool(ground.database, self.process, WEB_CONNECTIONS)
        self.boot = Boot(UUID(bytes=self.chance.bytes(16)), folder, supervisor)
        self.parts: Parts
        self.worker: PacedWorker
        self.acceptance: Acceptance
        self.reader: Reader
        self.files: Files
        self.subscriptions: Subscriptions
        self.opened = asyncio.Event()
        self.asked: list[asyncio.Future[Any]] = []
        self.crashed: BaseException | None = None

    @property
    def open(self) -> bool:
        return self.opened.is_set()

    async def live(self) -> None:
        """Open the gate and work; whatever gets out of it is a crash."""
        while not self.open:
            try:
                await self._build()
            except AWAY:
                await asyncio.sleep(1.0)
        try:
            await self.worker.run()
        except Exception as error:  # noqa: BLE001  # a process whose engine has broken ends, and says why
            self.crashed = error
            self.ground.journal.broken.append(f"{self.process.name} crashed: {error!r}")

    async def _build(self) -> None:
        ground, pool = self.ground, cast("Pool", self.engine_pool)
        post = SimulatedPost(ground.network, ground.receivers)
        guard = Guard(GuardRules(https_only=True), _nobody)
        endpoints = Endpoints(pool)
        keyring = Keyring(endpoints, Seal([SEAL], self.chance), self.clock, self.chance)
        self.subscriptions = Subscriptions(
            endpoints, keyring, guard, cast("Any", post), self.clock, self.chance
        )
        rows = [
            CredentialRow(config.name, config.credential_name, *ground.limits[config.name])
            for config in self.configs
        ]
        ids = await Credentials(pool).sync(rows)
        tools = Tools(SimulatedHttp(ground.network), cast("Renderer", None), self.clock)
        accesses = [
            Access(config.name, ids[config.name, config.credential_name], kinds.build(config, tools))
            for config in self.configs
        ]
        self._put_together(pool, Router(ground.rules, accesses), guard, keyring, post)
        self.opened.set()

    def _put_together(
        self, pool: Pool, router: Router, guard: Guard, keyring: Keyring, post: SimulatedPost
    ) -> None:
        ground = self.ground
        self.parts = self._parts(pool, router)
        messenger = Messenger(
            deliveries=Deliveries(pool, self.boot),
            keyring=keyring,
            post=cast("Any", post),
            clock=self.clock,
            chance=self.chance,
            telemetry=ground.journal,
            wake=self.parts.announced,
        )
        deliverer = PacedDeliverer(messenger, ground.journal, ground.pace)
        self.worker = PacedWorker(self.parts, PlainUpkeep(pool), deliverer, ground.pace)
        web = cast("Pool", self.web_pool)
        self.reader, self.files = Reader(web), Files(web)
        self.acceptance = Acceptance(
            catalogue=ground.catalogue,
            router=router,
            acceptor=Acceptor(web),
            quotes=Quotes(web),
            sources=Sources(Reader(web), self.clock),
            objects=ground.shelf,
            guard=guard,
            callback_guard=guard,
            clock=self.clock,
            chance=self.chance,
        )

    def _parts(self, pool: Pool, router: Router) -> Parts:
        ground, journal = self.ground, self.ground.journal

        def unreadable(task_id: UUID, error: Exception) -> None:
            journal.event("task.broken", task=str(task_id), error=error)

        return Parts(
            clock=self.clock,
            chance=self.chance,
            router=router,
            claims=Claims(pool, self.boot, unreadable),
            starts=Starts(pool, self.boot, unreadable),
            moves=Moves(pool),
            ends=Ends(pool),
            reader=Reader(pool),
            files=Files(pool),
            credentials=Credentials(pool),
            wishes=Wishes(pool),
            decisions=Decisions(pool),
            notices=Notices(pool),
            objects=ground.shelf,
            workshop=cast("Any", Workbench(ground.network.delay_s)),
            enhancer=Words(),
            pictures=cast("Any", None),
            telemetry=journal,
            workspace=ground.workspace,
            scratch=(),
            retention=timedelta(days=60),
        )

    async def die(self) -> None:
        """Be killed: nothing of it runs any more, and the database notices."""
        self.process.alive = False
        for future in self.asked:
            if not future.done():
                future.set_exception(ConnectionResetError(self.process.name))
        for pool in (self.engine_pool, self.web_pool):
            await pool.die()

    async def ask(self, act: Callable[["Node"], Awaitable[Answer]], timeout_s: float) -> Answer:
        """Let this process do something for a client, which hears of its death; raise TimeoutError."""
        future: asyncio.Future[Answer] = self.ground.loop.create_future()
        self.asked.append(future)

        async def answer() -> None:
            try:
                said = await act(self)
            except Exception as error:  # noqa: BLE001  # it is the client's answer
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(said)

        self.ground.loop.spawn(self.process, answer())
        async with asyncio.timeout(timeout_s):
            return await future


async def _nobody(host: str) -> Sequence[str]:
    return []
