"""Operators: they look at a vendor's own pages, and settle what the gate cannot find out by itself."""

from typing import Final

from filmgate.domain.problems import Problem
from filmgate.engine import resolve
from simulation.customers import Unheard
from simulation.nodes import Node
from simulation.world import World

_UNCERTAIN: Final = """
select t.id::text, t.account_id, a.key, a.provider from film.work w
join film.tasks t on t.id = w.task_id join film.attempts a on a.task_id = t.id and a.state = 'uncertain'
where w.step = 'reconcile' order by a.key
"""


async def settle(world: World) -> None:
    """Settle one uncertain attempt by what its vendor really has."""
    rows = world.database.control.ask(_UNCERTAIN)
    if not rows:
        return
    task_id, account_id, key, provider = (str(column) for column in world.dice.choice(rows))

    async def act(node: Node) -> None:
        task = await node.reader.find(task_id, int(account_id))
        if task is None:
            return
        # Whether what was sent may still arrive is for the gate to know.
        job = world.network.vendors[f"{provider}.test"].job_of(key)
        if job is not None:
            await resolve.found(node.parts, task, job.ref)
        elif world.dice.random() < 0.5:
            await resolve.absent(node.parts, task)
        else:
            await resolve.given_up(node.parts, task)

    try:
        await world.counter.ask(act)
    except (Unheard, Problem) as error:
        world.loop.note(f"not settled: {error!r}")
