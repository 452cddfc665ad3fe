"""`/admin/v1`: everybody's tasks, and what only an operator can decide of them. Each decision leaves a notice."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.states import State
from filmgate.domain.task import Owner
from filmgate.engine.resolve import absent, found, given_up
from filmgate.store.notices import Notice
from filmgate.store.oversight import SeenTask
from filmgate.web.again import Again, ask_again
from filmgate.web.answers import language_of
from filmgate.web.cancel import cancel_task, cancel_word, charged
from filmgate.web.operators import operator_router
from filmgate.web.shapes import DetailsOut
from filmgate.web.showing import error_of
from filmgate.web.surroundings import Surroundings

# What a provider takes as a job's id; its own check comes when it is asked.
_REF: Final = re.compile(r"[!-~]{1,512}")
_AGAIN: Final = frozenset({State.FAILED, State.EXPIRED})
_NOTE_CHARACTERS: Final = 500

Note = Annotated[str, Field(min_length=1, max_length=_NOTE_CHARACTERS, description="Why; it is kept.")]


class SeenTaskOut(BaseModel):
    id: str
    name: str
    account: str
    key_id: int
    dialect: str
    model: str
    state: State
    progress: int
    prompt: str
    uncertain: bool = Field(description="Whether an attempt waits for a decision.")
    cancel: Literal["requested", "refused"] | None
    error_code: str | None
    error: str | None
    error_details: DetailsOut | None
    hold_micros: int
    cost_micros: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deadline_at: datetime
    version: int


class SeenTaskPage(BaseModel):
    data: list[SeenTaskOut]
    next_cursor: str | None


class SeenAttemptOut(BaseModel):
    clip_no: int
    no: int
    provider: str
    credential: str
    key: str
    state: str
    vendor_ref: str | None
    ticket: dict[str, Any] | None
    result: dict[str, Any] | None
    sent_at: datetime
    closed_at: datetime | None
    vendor_cost_micros: int | None
    error_class: str | None
    error_text: str | None = Field(description="The vendor's own words.")


class SeenWorkOut(BaseModel):
    step: str
    due_at: datetime
    tries: int
    deaths: int
    leased: bool


class SeenTaskDetail(SeenTaskOut):
    attempts: list[SeenAttemptOut]
    work: SeenWorkOut | None = Field(description="What an engine does next; null where the task has ended.")


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
    _add_reads(router, around)
    _add_decisions(router, around)
    return router


def _add_reads(router: APIRouter, around: Surroundings) -> None:
    @router.get("/tasks")
    async def page(
        request: Request,
        state: State | None = None,
        account: str | None = None,
        *,
        uncertain: bool = False,
        parked: bool = False,
        limit: Annotated[int, Query(ge=1, le=PAGE_LONGEST)] = PAGE,
        cursor: UUID | None = None,
    ) -> SeenTaskPage:
        """List everybody's tasks, newest first: by state, account, uncertain attempts, or those that were parked."""
        if account is not None and "\0" in account:
            raise Problem("not_found")
        tasks, more = await around.oversight.page(
            state=state, account=account, uncertain=uncertain, parked=parked, before=cursor, limit=limit
        )
        shown = [_shown(around, seen, language_of(request)) for seen in tasks]
        return SeenTaskPage(data=shown, next_cursor=shown[-1].id if more else None)

    @router.get("/tasks/{id}")
    async def show(request: Request, id: str) -> SeenTaskDetail:  # noqa: A002  # the path's own word
        """Show anybody's task with its attempts, its next step, and the vendor's own words."""
        return await _detail(around, request, await _seen(around, id))

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
        seen = await _seen(around, id)
        task = await cancel_task(around, seen.task)
        await _note(around, "cancelled", task.id, "an operator cancels it")
        response.status_code = 200 if task.state.ended else 202
        return _shown(around, SeenTask(task, seen.account, seen.uncertain), language_of(request))

    @router.post("/tasks/{id}/resolve")
    async def resolve(request: Request, id: str, said: Resolution) -> SeenTaskDetail:  # noqa: A002  # as above
        """Decide what became of a submit whose reply was lost: found under a ref, absent, or given up."""
        seen = await _seen(around, id)
        match said.outcome:
            case "found":
                await found(around.engine, seen.task, said.ref or "", said.note)
            case "absent":
                await absent(around.engine, seen.task, said.note)
            case "give_up":
                await given_up(around.engine, seen.task, said.note)
        return await _detail(around, request, await _seen(around, id))

    @router.post("/tasks/{id}/retry", status_code=201)
    async def retry(request: Request, id: str, changes: AgainFor) -> SeenTaskOut:  # noqa: A002  # as above
        """Try a parked, failed or expired task again for its owner, as a new task at today's price."""
        seen = await _seen(around, id)
        if seen.task.state not in _AGAIN:
            raise Problem("not_failed", state=seen.task.state.value, **charged(seen.task))
        standing = await around.keys.standing(seen.task.key_id)
        gone = Owner(seen.task.account_id, seen.task.key_id, soften=seen.task.request.soften)
        # The operator decides this, so that it does not matter whether the owner's key could.
        owner = gone if standing is None else replace(standing, expired=False)
        new, _ = await ask_again(around, seen.task, owner, changes, request.headers)
        await _note(around, "retried", new.id, f"an operator asks for {seen.task.id} again: {changes.note}")
        return _shown(around, SeenTask(new, seen.account, uncertain=False), language_of(request))


async def _seen(around: Surroundings, name: str) -> SeenTask:
    seen = await around.oversight.task(name)
    if seen is None:
        raise Problem("task_not_found")
    return seen


async def _note(around: Surroundings, kind: str, task_id: UUID, text: str) -> None:
    await around.engine.notices.note(Notice(kind, text), task_id)


async def _detail(around: Surroundings, request: Request, seen: SeenTask) -> SeenTaskDetail:
    attempts = [
        SeenAttemptOut(**{name: getattr(one, name) for name in SeenAttemptOut.model_fields})
        for one in await around.oversight.attempts(seen.task.id)
    ]
    work = await around.oversight.work(seen.task.id)
    next_step = (
        None
        if work is None
        else SeenWorkOut(**{name: getattr(work, name) for name in SeenWorkOut.model_fields})
    )
    shown = _shown(around, seen, language_of(request))
    return SeenTaskDetail(**shown.model_dump(), attempts=attempts, work=next_step)


def _shown(around: Surroundings, seen: SeenTask, language: str) -> SeenTaskOut:
    task = seen.task
    error = error_of(around, task, language)
    return SeenTaskOut(
        id=str(task.id),
        name=task.name,
        account=seen.account,
        key_id=task.key_id,
        dialect=task.dialect,
        model=task.request.model,
        state=task.state,
        progress=task.progress,
        prompt=task.request.prompt,
        uncertain=seen.uncertain,
        cancel=cancel_word(task),
        error_code=None if error is None else error.code,
        error=None if error is None else error.message,
        error_details=None if error is None else error.details,
        hold_micros=task.hold_micros,
        cost_micros=task.cost_micros,
        created_at=task.created_at,
        started_at=task.started_at,
        ended_at=task.ended_at,
        deadline_at=task.deadline_at,
        version=task.version,
    )
