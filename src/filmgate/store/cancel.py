"""Wishes to cancel: noted on the task, and the only claim that is made by somebody who is no engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from filmgate.domain.limits import STEP_LEASE
from filmgate.store.listen import tell
from filmgate.store.patience import whole_again
from filmgate.store.pool import Pool
from filmgate.store.work import OWNED, Claim, Unreadable, held, readable, taken

_WISH: Final = """
update tasks set cancel_requested_at = coalesce(cancel_requested_at, now()), record = record - 'cancel',
    changed_at = now(), version = version + 1
where id = $1
"""

# A poll that is in hand is not taken away from its worker.
_SOON: Final = "update work set due_at = now() where task_id = $1 and step = 'poll' and lease_by is null"

_LEFT: Final = f"""
with due as (
    select w.task_id from tasks t join work w on w.task_id = t.id
    where t.cancel_requested_at is not null and t.ended_at is null
        and w.step = 'prepare' and (w.lease_by is null or w.due_at < now())
    order by w.due_at limit $1 for update of w skip locked
), mine as (
    update work w set fence = w.fence + 1, lease_by = null, due_at = now() + $2::interval
    from due where w.task_id = due.task_id returning w.*
)
{OWNED}
"""  # noqa: S608  # the columns are ours


class Choice(Enum):
    """What becomes of a wish to cancel."""

    END = "end"
    """Nothing is sent: the task ends at once, by whoever asked."""
    NOTE = "note"
    """The engine does what can be done."""
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Considered:
    """The choice, and the task's step as it was then: owned by the asker where the task is to end."""

    choice: Choice
    claim: Claim


class Wishes:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @whole_again
    async def consider(self, task_id: UUID, choose: Callable[[Claim], Choice]) -> Considered | None:
        """Choose with the task held still, and write the choice down; None where the task has ended."""
        async with self._pool.acquire() as connection, connection.transaction():
            claim = await held(connection, task_id)
            if claim is None:
                return None
            choice = choose(claim)
            if choice is not Choice.DECLINE:
                await connection.execute(_WISH, task_id)
                await connection.execute(_SOON, task_id)
                await tell(connection, [(task_id, claim.task.account_id)])
            if choice is Choice.END:
                claim = await taken(connection, claim, STEP_LEASE)
        return Considered(choice, claim)

    async def left(self, limit: int, since: float, on_unreadable: Unreadable) -> Sequence[Claim]:
        """Claim tasks that are to be cancelled and of which nothing is sent or in hand."""
        return readable(await self._pool.fetch(_LEFT, limit, STEP_LEASE), since, on_unreadable)
