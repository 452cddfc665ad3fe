"""What nobody but an operator, or a reply that came too late, can decide about an attempt."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from filmgate.domain.contracts_provider import Ticket
from filmgate.domain.limits import SUBMIT_LEASE
from filmgate.domain.states import AttemptState, Step
from filmgate.store.notices import Notice, insert_notices
from filmgate.store.patience import whole_again
from filmgate.store.pool import Connection, Pool
from filmgate.store.work import Claim, held, taken

_ATTEMPT: Final = (
    "select task_id, clip_no, provider, state, vendor_ref from attempts where key = $1 for update"
)

_ORPHAN: Final = "update attempts set ticket = $2, vendor_ref = $3 where key = $1"

_UNDECIDED: Final[Mapping[Step, AbstractSet[AttemptState]]] = {Step.RECONCILE: {AttemptState.UNCERTAIN}}
# A reply of its own sender is as good as one that was looked for.
_UNHEARD: Final[Mapping[Step, AbstractSet[AttemptState]]] = {
    **_UNDECIDED,
    Step.SUBMIT: {AttemptState.SENDING},
}


@dataclass(frozen=True, slots=True)
class Late:
    """A ticket whose sender had lost its lease: `claim` where its attempt is still open, else it is an orphan."""

    claim: Claim | None = None
    orphan: bool = False


class Decisions:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @whole_again
    async def take(self, task_id: UUID) -> Claim | None:
        """Claim a task whose attempt is uncertain, from whoever looks for it; None where there is none."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await _taken(connection, task_id, _UNDECIDED)

    @whole_again
    async def unsent(self, task_id: UUID, key: str) -> Claim | None:
        """Claim the task of an attempt that its own sender never sent, and nobody else did under its key.

        None where what came of it is known by now, or it was repeated meanwhile.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            return await _taken(connection, task_id, _UNHEARD, key, once=True)

    @whole_again
    async def late(self, task_id: UUID, key: str, ticket: Ticket) -> Late:
        """Claim the task of an attempt of which nobody knew more until now; else keep the ticket as an orphan."""
        async with self._pool.acquire() as connection, connection.transaction():
            claim = await _taken(connection, task_id, _UNHEARD, key)
            if claim is not None:
                return Late(claim)
            row = await connection.fetchrow(_ATTEMPT, key)
            if row is None or row["vendor_ref"] == ticket.ref:
                return Late()
            kept = row["vendor_ref"] is None and await _keep(connection, key, ticket)
            where = "is kept with it" if kept else "was not stored: another attempt has that name"
            text = f"{ticket.ref} was made for attempt {key}, which is {row['state']}; the ticket {where}"
            await insert_notices(connection, [(task_id, Notice("orphan", text, row["provider"]))])
        return Late(orphan=True)


async def _taken(
    connection: Connection,
    task_id: UUID,
    states: Mapping[Step, AbstractSet[AttemptState]],
    key: str | None = None,
    *,
    once: bool = False,
) -> Claim | None:
    claim = await held(connection, task_id)
    attempt = None if claim is None else claim.attempt
    if claim is None or attempt is None or attempt.state not in states.get(claim.step, ()):
        return None
    if (key is not None and attempt.key != key) or (once and attempt.repeated_at is not None):
        return None
    return await taken(connection, claim, SUBMIT_LEASE)


async def _keep(connection: Connection, key: str, ticket: Ticket) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(_ORPHAN, key, dict(ticket.memory), ticket.ref)
    except asyncpg.UniqueViolationError:
        return False
    return True
