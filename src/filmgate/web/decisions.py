"""`/admin/v1`: what only an operator can decide of tasks, and what operators are told. Each decision leaves a notice."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.states import State
from filmgate.domain.task import Owner
from filmgate.engine.resolve import absent, found, given_up
from filmgate.store.notices import Notice
from filmgate.web.again import Again, ask_again
from filmgate.web.cancel import cancel_task, charged
from filmgate.web.operators import operator_router
from filmgate.web.seen import SeenTaskDetail, SeenTaskOut, find_seen, seen_detail, seen_out
from filmgate.web.surroundings import Surroundings

# What a provider takes as a job's id; its own check comes when it is asked.
_REF: Final = re.compile(r"[!-~]{1,512}")
_AGAIN: Final = frozenset({State.FAILED, State.EXPIRED})
_NOTE_CHARACTERS: Final = 500

Note = Annotated[str, Field(min_length=1, max_length=_NOTE_CHARACTERS, description="Why; it is kept.")]


class NoticeOut(BaseModel):
    id: int
    kind: str
    task_id: UUID | None
    provider: str | None
    text: str
    at: datetime


class NoticePage(BaseModel):
    data: list[NoticeOut]
    next_cursor: int | None


class Resolution(BaseModel):
    """What became of an uncertain attempt; `ref` is the vendor's id of the job that was found."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["found", "absent", "give_up"]
    ref: str | None = None
    note: str = Field("", max_length=_NOTE_CHARACTERS)

    @model_validator(mode="after")
    def _named(self) -> "Resolution":
        if (self.outcome == "found") is (self.ref is None):
            raise ValueError("`ref` belongs to the outcome `found`, and to no other")
        if self.ref is not None and _REF.fullmatch(self.ref) is None:
            raise ValueError("`ref` is 1 to 512 visible ASCII characters")
        return self


class AgainFor(Again):
    """An operator's retry is paid by the task's owner, so it says why."""

    note: Note


def decision_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around)
    _add_notices(router, around)
    _add_decisions(router, around)
    return router


def _add_notices(router: APIRouter, around: Surroundings) -> None:
    @router.get("/notices")
    async def notices(
        kind: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_]+$")] = None,
        task: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_LONGEST)] = PAGE,
        cursor: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    ) -> NoticePage:
        """List what operators should look at, newest first: orphans, parked tasks, uncertain submits, and more."""
        found = await around.oversight.notices(kind=kind, task_id=task, before=cursor, limit=limit + 1)
        data = [
            NoticeOut(**{name: getattr(one, name) for name in NoticeOut.model_fields})
            for one in found[:limit]
        ]
        return NoticePage(data=data, next_cursor=data[-1].id if len(found) > limit else None)


def _add_decisions(router: APIRouter, around: Surroundings) -> None:
    @router.post("/tasks/{id}/cancel")
    async def cancel(request: Request, response: Response, id: str) -> SeenTaskOut:  # noqa: A002  # as above
        """Cancel anybody's task: 200 once it is, 202 while its provider has not confirmed it."""
        seen = await find_seen(around, id)
        task = await cancel_task(around, seen.task)
        await _note(around, "cancelled", task.id, "an operator cancels it")
        response.status_code = 200 if task.state.ended else 202
        return await seen_out(around, replace(seen, task=task), request)

    @router.post("/tasks/{id}/resolve")
    async def resolve(request: Request, id: str, said: Resolution) -> SeenTaskDetail:  # noqa: A002  # as above
        """Decide what became of a submit whose reply was lost: found under a ref, absent, or given up."""
        seen = await find_seen(around, id)
        match said.outcome:
            case "found":
                await found(around.engine, seen.task, said.ref or "", said.note)
            case "absent":
                await absent(around.engine, seen.task, said.note)
            case "give_up":
                await given_up(around.engine, seen.task, said.note)
        return await seen_detail(around, await find_seen(around, id), request)

    @router.post("/tasks/{id}/retry", status_code=201)
    async def retry(request: Request, id: str, changes: AgainFor) -> SeenTaskOut:  # noqa: A002  # as above
        """Try a parked, failed or expired task again for its owner, as a new task at today's price."""
        seen = await find_seen(around, id)
        if seen.task.state not in _AGAIN:
            raise Problem("not_failed", state=seen.task.state.value, **charged(seen.task))
        standing = await around.keys.standing(seen.task.key_id)
        gone = Owner(seen.task.account_id, seen.task.key_id, soften=seen.task.request.soften)
        # The operator decides this, so that it does not matter whether the owner's key could.
        owner = gone if standing is None else replace(standing, expired=False)
        new, _ = await ask_again(around, seen.task, owner, changes, request.headers)
        await _note(around, "retried", new.id, f"an operator asks for {seen.task.id} again: {changes.note}")
        return await seen_out(around, replace(seen, task=new, uncertain=False), request)


async def _note(around: Surroundings, kind: str, task_id: UUID, text: str) -> None:
    await around.engine.notices.note(Notice(kind, text), task_id)
