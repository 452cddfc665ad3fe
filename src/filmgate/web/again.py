"""Ask for a task's film again: a new task, at today's price, for the same owner."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from filmgate.dialects import DIALECTS
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.domain.task import Owner, Task
from filmgate.engine.again import draft_again
from filmgate.web.accepted import accept_film
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import GATE_NAMES, repeat_by_key, terms_of


class Again(BaseModel):
    """What shall be different."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[int, Field(strict=True)] | None = None
    model: str | None = None


async def wish_again(around: Surroundings, task: Task, changes: Again) -> Draft:
    """Give the request of a task that has ended anew; raise Problem `not_ended`."""
    if not task.state.ended:
        raise Problem("not_ended")
    seed = None if changes.seed is None else str(changes.seed)
    return await draft_again(around.engine, task, seed=seed, model=changes.model)


async def ask_again(
    around: Surroundings, task: Task, owner: Owner, changes: Again, headers: Mapping[str, str]
) -> tuple[Task, bool]:
    """Accept the film of a task that has ended anew; the flag tells that this very wish came before.

    Raise Problem `not_ended`, or whatever a new request may meet.
    """
    draft = await wish_again(around, task, changes)
    spoken = next((dialect for dialect in DIALECTS if task.dialect == dialect.NAME), None)
    return await accept_film(
        around,
        draft,
        owner=owner,
        dialect=task.dialect,
        names=GATE_NAMES if spoken is None else spoken.NAMES,
        repeat=repeat_by_key(headers.get("idempotency-key") or None),
        terms=terms_of(headers),
        record={"retry_of": str(task.id)},
    )
