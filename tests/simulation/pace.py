"""When something is due next: whoever waits for that need not ask every moment until then."""

import random
from dataclasses import dataclass, field
from typing import Final

from simulation.database import Database

_NEXT: Final = """
with due(at) as (
    select due_at from film.work union all select blocked_until from film.credentials
    union all select probing_until from film.credentials
    union all select deadline_at from film.tasks where ended_at is null
), told(at) as (select due_at from film.deliveries where state = 'due')
select extract(epoch from (select min(at) from due where at > {now})) - {then},
    extract(epoch from (select min(at) from told where at > {now})) - {then},
    exists (select from film.work where due_at <= {now})
        or exists (select from film.tasks t where t.ended_at is null
            and (t.deadline_at <= {now} or not exists (select from film.work w where w.task_id = t.id))),
    exists (select from told where at <= {now})
"""
LONGEST_S: Final = 900.0
SOONEST_S: Final = 0.25
AGAIN_S: Final = 2.0
SWEEP_S: Final = 10.0


@dataclass
class Pace:
    database: Database
    dice: random.Random
    late_s: float = 0.5
    _known: tuple[tuple[float, int], float, float, bool, bool] | None = field(default=None)

    def rest_s(self) -> float:
        due_s, _, overdue, _ = self._look()
        return self._after(due_s, overdue=overdue)

    def deliver_s(self) -> float:
        _, told_s, _, overdue = self._look()
        return self._after(told_s, overdue=overdue)

    def sweep_s(self) -> float:
        due_s, _, overdue, _ = self._look()
        return SWEEP_S if overdue else max(SWEEP_S, due_s + self.dice.uniform(0, SWEEP_S))

    def beat_s(self) -> float:
        due_s, _, _, _ = self._look()
        return max(5.0, due_s)

    def _after(self, next_s: float, *, overdue: bool) -> float:
        wait_s = AGAIN_S if overdue and next_s > AGAIN_S else next_s
        return max(SOONEST_S, wait_s + self.dice.uniform(0, self.late_s))

    def _look(self) -> tuple[float, float, bool, bool]:
        database = self.database
        moment = database.now, database.calls
        if self._known is None or self._known[0] != moment:
            then = f"{database.now:.6f}"
            [row] = database.control.ask(_NEXT.format(now=f"to_timestamp({then})", then=then))
            due, told = (LONGEST_S if one is None else min(float(one), LONGEST_S) for one in row[:2])
            self._known = moment, due, told, row[2] == "t", row[3] == "t"
        return self._known[1:]
