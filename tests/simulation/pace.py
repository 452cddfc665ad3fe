"""When something is due next: whoever waits for that need not ask every moment until then.

The gate looks four times a second for what is due. Here it looks when something can be: at the time that the database
has written down, and whenever somebody writes.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulation.database import Database

PREPARED: Final = """
prepare agenda(timestamptz) as with due(at) as (
    select due_at from film.work union all select blocked_until from film.credentials
    union all select probing_until from film.credentials
    union all select deadline_at from film.tasks where ended_at is null
), told(at) as (select due_at from film.deliveries where state = 'due')
select extract(epoch from (select min(at) from due where at > $1)) - extract(epoch from $1),
    extract(epoch from (select min(at) from told where at > $1)) - extract(epoch from $1),
    exists (select from film.work where due_at <= $1),
    exists (select from told where at <= $1),
    exists (select from film.tasks t left join film.work w on w.task_id = t.id where t.ended_at is null
        and (w.task_id is null or (t.deadline_at <= $1 and w.step in ('prepare', 'poll') and w.lease_by is null))),
    extract(epoch from (select min(deadline_at) from film.tasks where ended_at is null and deadline_at > $1))
        - extract(epoch from $1)
"""
LONGEST_S: Final = 50_000.0
BEAT_S: Final = 900.0
SOONEST_S: Final = 0.25
SWEEP_S: Final = 10.0
SETTLED_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Agenda:
    """In how many seconds the next step, event and deadline come, and whether any is late."""

    step_s: float
    event_s: float
    deadline_s: float
    step: bool
    event: bool
    sweep: bool


@dataclass
class Pace:
    database: Database
    dice: random.Random
    late_s: float = 0.5
    again_s: float = 2.0
    calm_at: float | None = None
    _sleepers: list["asyncio.Future[None]"] = field(default_factory=list)
    _known: tuple[tuple[float, int], Agenda] | None = None

    def calm(self) -> None:
        self.late_s, self.again_s, self.calm_at = 0.5, 15.0, self.database.loop.time()

    def changed(self) -> None:
        """Somebody has written: whoever waits looks anew for when it goes on."""
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def rest(self, wake: asyncio.Event, next_s: Callable[[], float]) -> None:
        """Wait until `wake` is set, or it is time; that may come nearer meanwhile."""
        loop = asyncio.get_running_loop()
        at = loop.time() + next_s()
        while not wake.is_set() and loop.time() < at:
            changed = loop.create_future()
            self._sleepers.append(changed)
            waking = asyncio.ensure_future(wake.wait())
            try:
                await asyncio.wait(
                    [waking, changed], timeout=at - loop.time(), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                waking.cancel()
            at = min(at, loop.time() + next_s())

    def rest_s(self) -> float:
        agenda = self._look()
        return self._after(agenda.step_s, late=agenda.step)

    def deliver_s(self) -> float:
        agenda = self._look()
        return self._after(agenda.event_s, late=agenda.event)

    def sweep_s(self) -> float:
        """Sweep now and then while faults last; later only when there is something to find."""
        settled = self.calm_at is not None and self.database.loop.time() > self.calm_at + SETTLED_S
        often_s = LONGEST_S if settled else SWEEP_S + self.dice.uniform(0, 5 * SWEEP_S)
        return min(often_s, self.deadline_s())

    def deadline_s(self) -> float:
        agenda = self._look()
        return SWEEP_S if agenda.sweep else max(SWEEP_S, agenda.deadline_s + 1)

    def beat_s(self) -> float:
        return min(BEAT_S, max(5.0, self._look().step_s))

    def _after(self, next_s: float, *, late: bool) -> float:
        wait_s = min(next_s, self.again_s) if late else next_s
        return max(SOONEST_S, wait_s + self.dice.uniform(0, self.late_s))

    def _look(self) -> Agenda:
        database = self.database
        moment = database.now, database.calls
        if self._known is None or self._known[0] != moment:
            [row] = database.control.ask(f"execute agenda(to_timestamp({database.now:.6f}))")
            step_s, event_s, deadline_s = map(_seconds, (row[0], row[1], row[5]))
            step, event, sweep = (row[no] == "t" for no in (2, 3, 4))
            self._known = moment, Agenda(step_s, event_s, deadline_s, step, event, sweep)
        return self._known[1]


def _seconds(text: str | None) -> float:
    return LONGEST_S if text is None else min(float(text), LONGEST_S)
