"""A world: the nodes, vendors, receivers and customers of one seed, from its first second to its rest."""

import asyncio
import base64
import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from filmgate.domain.failpoint import arm, disarm
from filmgate.domain.task import Owner
from simulation.customers import Counter, Shopper
from simulation.database import Database
from simulation.films import Shelf
from simulation.loop import PROCESS, Process, SimulatedLoop
from simulation.network import Network, Receivers
from simulation.nodes import EPOCH, Ground, Journal, Node
from simulation.pace import Pace
from simulation.script import Customer, Script, catalogue
from simulation.vendor import Vendor

_CATALOGUE: Final = catalogue()
EVENTS: Final = ["video.completed", "video.failed"]
_SECRET: Final = "whsec_"
_REST_S: Final = 400_000.0
_LOOK_S: Final = 60.0
_LAST_SWEEPS_S: Final = 45.0


class Restless(RuntimeError):  # noqa: N818  # it is what happened
    """The world never came to rest."""


@dataclass
class Seat:
    """A machine with its data folder, on which one node runs at a time."""

    name: str
    folder: UUID
    supervisor: UUID
    boots: int = 0
    node: Node | None = None


@dataclass
class World:
    script: Script
    loop: SimulatedLoop
    database: Database
    workspace: Path
    seats: list[Seat] = field(default_factory=list)
    graves: list[Node] = field(default_factory=list)
    removals: float = 0.0

    def __post_init__(self) -> None:
        loop, script = self.loop, self.script
        self.dice = random.Random(f"world {script.seed}")
        self.outside = Process("world")
        self.database.epoch = EPOCH.timestamp()
        # A clock that is set back has been later before.
        self.latest = EPOCH
        self.network = Network(loop, self.outside, self.dice)
        self.secrets: dict[str, str] = {}
        self.receivers = Receivers(self.dice, self.now, self._verified)
        self.shelf = Shelf(self.dice)
        self.journal = Journal(loop)
        self.pace = Pace(self.database, self.dice, script.weather.late_s)
        self.database.on_change = self.pace.changed
        for name, manners in script.vendors.items():
            vendor = Vendor(frozenset({name}), manners, self.dice)
            vendor.now = loop.time
            self.network.vendors[f"{name}.test"] = vendor
        self.ground = Ground(
            loop=loop,
            database=self.database,
            network=self.network,
            receivers=self.receivers,
            shelf=self.shelf,
            catalogue=_CATALOGUE,
            limits=script.limits,
            rules=script.rules,
            workspace=self.workspace,
            pace=self.pace,
            journal=self.journal,
            dice=self.dice,
        )
        self.counter = Counter(loop, self.dice, self.nodes)

    def now(self) -> datetime:
        """The database's clock."""
        return datetime.fromtimestamp(self.database.now, UTC)

    def nodes(self) -> Sequence[Node]:
        return [seat.node for seat in self.seats if seat.node is not None]

    def start(self, seat: Seat) -> None:
        seat.boots += 1
        configs = [config for config in self.script.configs if self.dice.random() >= self.removals]
        seat.node = Node(self.ground, f"{seat.name}{seat.boots}", seat.folder, seat.supervisor, configs)
        self.loop.spawn(seat.node.process, seat.node.live())

    async def kill(self, seat: Seat) -> None:
        node = seat.node
        if node is not None:
            self.loop.note(f"killed {node.process.name}")
            seat.node = None
            self.graves.append(node)
            await self.loop.operate(node.die())

    async def open(self) -> None:
        """Start everything in fine weather, and let customers say where they want to be told."""
        for number in range(self.script.nodes):
            seat = Seat("mn"[number], _uuid(self.dice), _uuid(self.dice))
            self.seats.append(seat)
            self.start(seat)
        for node in self.nodes():
            await node.opened.wait()
        for customer in self.script.customers:
            await self._subscribe(customer)

    async def _subscribe(self, customer: Customer) -> None:
        owner = Owner(customer.id, customer.id)
        for number in range(customer.endpoints):
            url = f"https://hooks{customer.id}.filmgate-test.com/{number}"
            self.receivers.owners[url] = customer.id
            _, self.secrets[url] = await self.counter.ask(
                lambda node, url=url: node.subscriptions.create(owner, name="n", url=url, events=EVENTS)  # type: ignore[misc]  # a default is bound
            )
        url = f"https://own{customer.id}.filmgate-test.com/"
        self.receivers.owners[url] = customer.id
        _, self.secrets[url] = await self.counter.ask(lambda node: node.subscriptions.callbacks(owner))

    def worsen(self) -> None:
        """Let the weather come."""
        weather = self.script.weather
        self.database.lossy, self.shelf.faulty = weather.lossy, weather.faulty
        self.network.down, self.network.lost = weather.down, weather.lost
        self.counter.lost, self.removals = weather.lost, weather.removals
        self.network.slow_s = weather.slow_s
        self.receivers.moody, self.receivers.gone = weather.moody, weather.gone
        if weather.failpoints:
            arm(self._fall)

    async def _fall(self, name: str) -> None:
        """Die at a failpoint, or stand there for a while."""
        if self.dice.random() >= self.script.weather.failpoints:
            return
        process = PROCESS.get()
        seat = next((one for one in self.seats if one.node and one.node.process is process), None)
        self.loop.note(f"failpoint {name}")
        if seat is None:
            return
        if self.dice.random() < 0.7:
            self.loop.spawn(self.outside, self.fell(seat))
            await self.loop.create_future()
        else:
            await asyncio.sleep(self.dice.choice((5.0, 40.0, 100.0)))

    async def fell(self, seat: Seat) -> None:
        await self.kill(seat)
        await asyncio.sleep(self.dice.choice((0.5, 5.0, 60.0)))
        if seat.node is None:
            self.start(seat)

    async def clear(self) -> None:
        """Let all faults stop."""
        disarm()
        self.removals = 0.0
        self.database.lossy = self.shelf.faulty = self.network.down = self.network.lost = 0.0
        self.counter.lost = self.receivers.moody = self.receivers.gone = 0.0
        self.network.slow_s = 0.2
        self.database.away = False
        self.pace.calm()
        for vendor in self.network.vendors.values():
            vendor.calm()
        for seat in self.seats:
            if seat.node is not None:
                seat.node.process.fuse = None
                self.loop.thaw(seat.node.process)
            if seat.node is not None and (
                seat.node.crashed or len(seat.node.configs) < len(self.script.configs)
            ):
                await self.kill(seat)
            if seat.node is None:
                self.start(seat)

    def shop(self) -> "list[asyncio.Task[None]]":
        shoppers = [
            Shopper(self.counter, customer, number, [f"https://own{customer.id}.filmgate-test.com/"])
            for customer in self.script.customers
            for number in range(customer.wishes)
        ]
        return [self.loop.spawn(self.outside, shopper.go()) for shopper in shoppers]

    async def rest(self) -> None:
        """Wait until nothing is left to do; raise Restless where that never comes."""
        give_up = self.loop.time() + _REST_S
        statement = """select (select count(*) from film.tasks where ended_at is null)
            + (select count(*) from film.deliveries where state = 'due')"""
        while self.database.control.ask(statement)[0][0] != "0":
            if self.loop.time() > give_up:
                raise Restless(f"at {self.loop.time():.0f} s something is still left to do")
            await asyncio.sleep(max(_LOOK_S, min(self.pace.deliver_s(), self.pace.rest_s())))
        await asyncio.sleep(_LAST_SWEEPS_S)

    async def close(self) -> None:
        """End all that runs, without letting it do anything more."""
        for seat in self.seats:
            await self.kill(seat)

    def _verified(self, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        secret = self.secrets.get(url)
        if secret is None:
            return False
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix(_SECRET))
        right = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        return f"v1,{right}" in headers["webhook-signature"].split()


def _uuid(dice: random.Random) -> UUID:
    return UUID(bytes=dice.randbytes(16))
