"""Customers: they ask, ask again when nothing is heard, look, cancel, delete, and write down what they were told."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.domain.task import Owner, Task
from filmgate.engine.accept import NO_TERMS, Repeat, Terms
from filmgate.engine.cancel import Standing, cancel
from filmgate.store.patience import AWAY
from kit.logs import Told
from simulation.loop import SimulatedLoop
from simulation.nodes import Node
from simulation.script import Customer

Answer = TypeVar("Answer")
PATIENCE_S = 65.0
_PEEPS = 0.2
LOST = (TimeoutError, *AWAY)


class Unheard(Exception):  # noqa: N818  # it is what happened
    """No answer came, or one that says nothing."""


@dataclass
class Counter:
    """Where customers ask: whichever node is open, over a network that loses answers."""

    loop: SimulatedLoop
    dice: random.Random
    nodes: Callable[[], Sequence[Node]]
    lost: float = 0.0
    told: list[Told] = field(default_factory=list)

    async def ask(self, act: Callable[[Node], Awaitable[Answer]]) -> Answer:
        """Ask a node; raise Problem for what it refuses, Unheard where nobody knows what became of it."""
        nodes = [node for node in self.nodes() if node.open and node.process.alive]
        if not nodes:
            raise Unheard
        try:
            answer = await self.dice.choice(nodes).ask(act, PATIENCE_S)
        except LOST as error:
            raise Unheard from error
        except Problem:
            raise
        except Exception as error:
            # A 500: it may have been obeyed or not.
            self.loop.note(f"500 {error!r}")
            raise Unheard from error
        if self.dice.random() < self.lost:
            raise Unheard
        return answer


class Shopper:
    """One wish of a customer, from asking to the end."""

    def __init__(self, counter: Counter, customer: Customer, number: int, addresses: Sequence[str]) -> None:
        self.counter = counter
        self.customer = customer
        self.dice = counter.dice
        self.owner = Owner(customer.id, customer.id, soften=customer.soften)
        self.wish = f"wish {customer.id}.{number}"
        self.addresses = addresses
        self.key = f"key {customer.id}.{number}" if self.dice.random() < 0.7 else None
        self.task: str | None = None

    async def go(self) -> None:
        await asyncio.sleep(self.dice.uniform(0, 60))
        draft = self._draft()
        twin = self.key is not None and self.dice.random() < 0.2
        asking = [self._submit(draft) for _ in range(1 + twin)]
        if self.key is not None and self.dice.random() < 0.1:
            # The same key with another wish is refused, or this one comes first and the other is.
            asking.append(self._submit(replace(draft, prompt=f"{self.wish} otherwise")))
        await asyncio.gather(*asking)
        if self.task is None:
            return
        mood = self.dice.random()
        await asyncio.gather(
            self._watch(deletes=0.25 < mood < 0.5), *([self._cancel()] if mood < 0.25 else [])
        )

    def _draft(self) -> Draft:
        model = self.dice.choice(("plain", "plain", "long", "large"))
        own = self.dice.random() < 0.3
        return Draft(
            model=model,
            prompt=self.wish,
            prompt_extend="and on" if model == "long" and self.dice.random() < 0.8 else None,
            upsample=model == "large",
            enhance=self.dice.random() < 0.2,
            callback_url=self.dice.choice(self.addresses) if own and self.addresses else None,
        )

    async def _submit(self, draft: Draft) -> None:
        for attempt in range(12):
            began = self.counter.loop.time()
            try:
                terms = await self._terms(draft)
                task, _ = await self.counter.ask(partial(self._accept, draft, terms, attempt))
            except Unheard:
                if self.key is None and attempt > 1:
                    return
                await asyncio.sleep(self.dice.uniform(0.1, 20))
            except Problem as problem:
                self._note("refused", began, None)
                if problem.code not in {"rate_limited", "too_many_tasks"}:
                    return
                await asyncio.sleep(self.dice.uniform(20, 200))
            else:
                self._note("accepted", began, task)
                self.task = str(task.id)
                return

    async def _terms(self, draft: Draft) -> Terms:
        if self.key is None or self.dice.random() < 0.8:
            return NO_TERMS
        quoted = await self.counter.ask(
            lambda node: node.acceptance.quote(draft, owner=self.owner, dialect="gate")
        )
        return Terms(quote_id=quoted.id)

    async def _accept(self, draft: Draft, terms: Terms, attempt: int, node: Node) -> tuple[Task, bool]:
        return await node.acceptance.accept(
            draft,
            owner=self.owner,
            dialect="gate",
            names={"id": "video_{hex:48}"},
            repeat=Repeat(self.key, attempt if self.key is None else None),
            terms=terms,
        )

    async def _watch(self, *, deletes: bool) -> None:
        pause_s = self.dice.choice((10, 40, 200))
        while True:
            await asyncio.sleep(self.dice.uniform(0, 2 * pause_s))
            task = await self._look()
            if task is not None and task.state.ended:
                break
        if deletes:
            await self._delete(task)

    async def _look(self) -> Task | None:
        began, name = self.counter.loop.time(), str(self.task)
        try:
            task = await self.counter.ask(lambda node: node.reader.find(name, self.owner.account_id))
            stranger = None
            if self.dice.random() < _PEEPS:
                stranger = await self.counter.ask(lambda node: node.reader.find(name, 99))
        except Unheard:
            return None
        if task is not None:
            self._note("shown", began, task)
        if stranger is not None:
            self.counter.told.append(
                Told(client=99, what="shown", began=began, ended=self.counter.loop.time(), task=name)
            )
        return task

    async def _cancel(self) -> None:
        await asyncio.sleep(self.dice.uniform(0, 200))
        name, began = str(self.task), self.counter.loop.time()

        async def act(node: Node) -> tuple[Task | None, Standing | None]:
            task = await node.reader.find(name, self.owner.account_id)
            standing = None if task is None else await cancel(node.parts, task)
            return await node.reader.find(name, self.owner.account_id), standing

        for _ in range(5):
            try:
                task, standing = await self.counter.ask(act)
            except Unheard:
                await asyncio.sleep(self.dice.uniform(1, 30))
            else:
                if task is not None:
                    self._note("cancelled" if standing is Standing.CANCELLED else "shown", began, task)
                return

    async def _delete(self, task: Task) -> None:
        began = self.counter.loop.time()
        try:
            await self.counter.ask(lambda node: node.files.delete_task(task.id, task.account_id))
        except Unheard:
            return
        self._note("deleted", began, None)

    def _note(self, what: str, began: float, task: Task | None) -> None:
        self.counter.loop.note(f"{self.wish} {what} {task.state if task else ''}")
        self.counter.told.append(
            Told(
                client=self.owner.account_id,
                what=what,
                began=began,
                ended=self.counter.loop.time(),
                task=None if task is None else str(task.id),
                wish=self.wish,
                idempotency_key=self.key,
                state=None if task is None else task.state.value,
                progress=None if task is None else task.progress,
                cost_micros=None if task is None else task.cost_micros,
            )
        )
