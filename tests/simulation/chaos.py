"""Blows: what befalls a world while the weather lasts, each at a moment that dice choose."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from simulation.database import IDLE_S
from simulation.nodes import Node
from simulation.operators import settle
from simulation.world import Seat, World, _uuid

_AT_ONCE: Final = 0.3
_WORK: Final = "select task_id::text from film.work order by 1"


async def storm(world: World) -> None:
    """Deal blows until the weather is over."""
    weather, dice = world.script.weather, world.dice
    until = world.loop.time() + weather.lasts_s
    while world.loop.time() < until:
        await asyncio.sleep(dice.expovariate(1 / weather.every_s))
        if weather.blows:
            blow = dice.choice(weather.blows)
            world.loop.note(f"blow: {blow}")
            await BLOWS[blow](world)


async def _kill(world: World) -> None:
    """Kill a node at once, or by one of its next database calls."""
    seat = _somebody(world)
    node = None if seat is None else seat.node
    if seat is None or node is None:
        return
    if world.dice.random() < _AT_ONCE:
        world.loop.spawn(world.outside, world.fell(seat))
    else:
        node.process.fuse = world.dice.randint(1, 40), partial(_fall, world, seat)


def _fall(world: World, seat: Seat) -> None:
    world.loop.spawn(world.outside, world.fell(seat))


async def _stop(world: World) -> None:
    """Stop a node as its operator would, while it works."""
    seat = _somebody(world)
    node = None if seat is None else seat.node
    if seat is None or node is None or not node.open:
        return
    future: asyncio.Future[None] = world.loop.create_future()

    async def stop(node: Node) -> None:
        await node.worker.stop()
        if not future.done():
            future.set_result(None)

    world.loop.spawn(node.process, stop(node))
    try:
        async with asyncio.timeout(25):
            await future
    except TimeoutError:
        world.loop.note("had to be killed")
    if seat.node is node:
        world.loop.spawn(world.outside, world.fell(seat))


async def _upgrade(world: World) -> None:
    """Kill a node together with its supervisor."""
    seat = _somebody(world)
    if seat is not None:
        seat.supervisor = _uuid(world.dice)
        world.loop.spawn(world.outside, world.fell(seat))


async def _freeze(world: World) -> None:
    seat = _somebody(world)
    node = None if seat is None else seat.node
    if node is None:
        return
    node.process.frozen = True
    world.loop.spawn(world.outside, _thaw(world, node, world.dice.choice((2.0, 25.0, 45.0, 100.0, 400.0))))


async def _thaw(world: World, node: Node, after_s: float) -> None:
    world.loop.note(f"{node.process.name} frozen for {after_s}")
    if after_s > IDLE_S:
        await asyncio.sleep(IDLE_S)
        for pool in (node.engine_pool, node.web_pool):
            await world.loop.operate(pool.expire())
        after_s -= IDLE_S
    await asyncio.sleep(after_s)
    world.loop.thaw(node.process)


async def _away(world: World) -> None:
    world.database.away = True
    for node in world.nodes():
        for pool in (node.engine_pool, node.web_pool):
            await world.loop.operate(pool.die())
    world.loop.spawn(world.outside, _back(world, world.dice.choice((0.3, 5.0, 70.0))))


async def _back(world: World, after_s: float) -> None:
    await asyncio.sleep(after_s)
    world.database.away = False


async def _clock(world: World) -> None:
    for node in world.nodes():
        if world.dice.random() < 0.5:
            node.clock.skew_s = world.dice.choice((-3600.0, -5.0, 0.0, 5.0, 3600.0))


async def _database_clock(world: World) -> None:
    world.latest = max(world.latest, world.now())
    world.database.skew += world.dice.choice((-300.0, -20.0, -1.0, 1.0, 20.0, 300.0))
    world.pace.changed()


async def _delete_work(world: World) -> None:
    await _touch(world, "delete from film.work where task_id = '{id}'")


async def _due_work(world: World) -> None:
    now = f"to_timestamp({world.database.now:.6f})"
    await _touch(world, f"update film.work set due_at = {now} where task_id = '{{id}}'")  # noqa: S608  # ours


async def _touch(world: World, statement: str) -> None:
    """Change a row by hand, unless somebody holds it just now."""
    ids = [row[0] for row in world.database.control.ask(_WORK)]
    if ids:
        statement = statement.format(id=world.dice.choice(ids))
        try:
            world.database.control.ask(f"begin; set local lock_timeout = '1ms'; {statement}; commit")
            world.pace.changed()
        except RuntimeError:
            world.database.control.ask("rollback")
            world.loop.note("held")


def _somebody(world: World) -> Seat | None:
    seats = [seat for seat in world.seats if seat.node is not None]
    return world.dice.choice(seats) if seats else None


BLOWS: Final[Mapping[str, Callable[[World], Awaitable[None]]]] = {
    "kill": _kill,
    "stop": _stop,
    "upgrade": _upgrade,
    "freeze": _freeze,
    "away": _away,
    "clock": _clock,
    "database clock": _database_clock,
    "delete work": _delete_work,
    "due work": _due_work,
    "settle": settle,
}
