"""Everybody's tasks as operators see them: all that their owners see, whose they are, and the vendors' own words."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from filmgate.domain.limits import PAGE, PAGE_LONGEST, WAIT_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.states import State
from filmgate.store.oversight import SeenTask
from filmgate.web.answers import named_file_answer
from filmgate.web.found import changed
from filmgate.web.operators import operator_router
from filmgate.web.receipts import receipt_out
from filmgate.web.shapes import ReceiptOut, ShipmentOut, TaskOut
from filmgate.web.shipments import shipments_of
from filmgate.web.showing import ADMIN_API, task_out
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import task_headers


class SeenTaskOut(TaskOut):
    account: str
    key_id: int
    key: str | None = Field(description="The name of the key that asked for it.")
    uncertain: bool = Field(description="Whether an attempt waits for a decision.")
    error_code: str | None
    deadline_at: datetime


class SeenTaskPage(BaseModel):
    data: list[SeenTaskOut]
    next_cursor: str | None


class SeenAttemptOut(BaseModel):
    clip: int
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
    deliveries: list[ShipmentOut] = Field(description="Where the film went, or goes, beside this gate.")
    attempts: list[SeenAttemptOut]
    receipt: ReceiptOut
    work: SeenWorkOut | None = Field(description="What an engine does next; null where the task has ended.")


def seen_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around, "/tasks")

    @router.get("")
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
        shown = [await seen_out(around, seen, request) for seen in tasks]
        return SeenTaskPage(data=shown, next_cursor=shown[-1].id if more else None)

    @router.get("/{id}")
    async def show(
        request: Request,
        id: str,  # noqa: A002  # the path's own word
        *,
        wait: Annotated[float, Query(ge=0, le=WAIT_LONGEST.total_seconds())] = 0.0,
        after: int = 0,
    ) -> SeenTaskDetail:
        """Show anybody's task with its attempts, its next step, and the vendor's own words; `wait` for its next change."""
        began = around.clock.monotonic()
        seen = await find_seen(around, id)
        task = await changed(around, seen.task, began + wait - around.clock.monotonic(), after)
        if task is not seen.task:
            seen = await find_seen(around, str(task.id))
        return await seen_detail(around, seen, request)

    async def content(request: Request, id: str, file: str) -> Response:  # noqa: A002  # as above
        """Give a file of anybody's film, such as `video.mp4`, whole or by Range."""
        seen = await find_seen(around, id)
        return await named_file_answer(request, around, seen.task, file, task_headers(seen.task))

    path = "/{id}/files/{file}"
    router.add_api_route(path, content, methods=["GET"], response_class=Response)
    router.add_api_route(path, content, methods=["HEAD"], response_class=Response, include_in_schema=False)
    return router


async def find_seen(around: Surroundings, name: str) -> SeenTask:
    """Find anybody's task by one of its names; raise Problem `task_not_found`."""
    seen = await around.oversight.task(name)
    if seen is None:
        raise Problem("task_not_found")
    return seen


async def seen_out(around: Surroundings, seen: SeenTask, request: Request) -> SeenTaskOut:
    task = seen.task
    shown = await task_out(around, task, request, ADMIN_API)
    return SeenTaskOut(
        **shown.model_dump(),
        account=seen.account,
        key_id=task.key_id,
        key=seen.key,
        uncertain=seen.uncertain,
        error_code=None if task.failure is None else task.failure.code,
        deadline_at=task.deadline_at,
    )


async def seen_detail(around: Surroundings, seen: SeenTask, request: Request) -> SeenTaskDetail:
    """Show all that is known of a task."""
    attempts = [
        SeenAttemptOut(**{name: getattr(one, name) for name in SeenAttemptOut.model_fields})
        for one in await around.oversight.attempts(seen.task.id)
    ]
    work = await around.oversight.work(seen.task.id)
    shown = await seen_out(around, seen, request)
    return SeenTaskDetail(
        **shown.model_dump(),
        deliveries=await shipments_of(around, seen.task),
        attempts=attempts,
        receipt=receipt_out(seen.task),
        work=None
        if work is None
        else SeenWorkOut(**{name: getattr(work, name) for name in SeenWorkOut.model_fields}),
    )
