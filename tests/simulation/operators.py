"""Operators: they look at a vendor's own pages, and settle what the gate cannot find out by itself."""

from typing import Final

from filmgate.domain.problems import Problem
from filmgate.engine import resolve
from simulation.customers import Unheard
from simulation.nodes import Node
from simulation.world import World

_UNCERTAIN: Final = """
select t.id::text, t.account_id, a.key, a.provider, extract(epoch from a.sent_at) from film.work w
join film.tasks t on t.id = w.task_id join film.attempts a on a.task_id = t.id and a.state = 'uncertain'
where w.step = 'reconcile' order by a.key
"""
# By then nothing that was sent is still on its way.
_SURE_S: Final = 120.0


async def settle(world: World) -> None:
    """Settle one uncertain attempt by what its vendor really has."""
    rows = world.database.control.ask(_UNCERTAIN)
    if not rows:
        return
    task_id, account_id, key, provider, intended_at = (str(column) for column in world.dice.choice(rows))
    job = world.network.vendors[f"{provider}.test"].job_of(key)
    sent_at = world.network.first_sent.get(key)
    age_s = world.database.now - float(intended_at) if sent_at is None else world.loop.time() - sent_at
    if job is None and age_s < _SURE_S:
        return

    async def act(node: Node) -> None:
        task = await node.reader.find(task_id, int(account_id))
        if task is None:
            return
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
