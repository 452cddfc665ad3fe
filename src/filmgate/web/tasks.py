"""`/gate/v1`: tasks as the gate itself names them; the program's own verbs use nothing else."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from filmgate.dialects.reading import picture
from filmgate.domain.catalogue import GATE
from filmgate.domain.limits import (
    MODEL_CHARACTERS,
    PAGE,
    PAGE_LONGEST,
    SEARCH_CHARACTERS,
    WAIT_LONGEST,
)
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, GivenPicture, PictureRole
from filmgate.domain.states import State
from filmgate.domain.task import Owner, Task
from filmgate.web.accepted import accept_film
from filmgate.web.again import Again, ask_again
from filmgate.web.answers import language_of, named_file_answer
from filmgate.web.cancel import cancel_task, delete_task
from filmgate.web.found import changed, own_task
from filmgate.web.receipts import receipt_out
from filmgate.web.shapes import NewFilm, TaskDetailOut, TaskOut, TaskPageOut
from filmgate.web.shipments import shipments_of
from filmgate.web.showing import task_out
from filmgate.web.surroundings import Surroundings
from filmgate.web.tried import attempts_out
from filmgate.web.turn import GATE_NAMES, repeat_by_key, task_headers, terms_of


def task_routes(around: Surroundings) -> APIRouter:
    """Build the customers' routes."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.post("/tasks", status_code=201)
    async def create(
        request: Request,
        response: Response,
        film: NewFilm,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> TaskOut:
        """Accept a film; the same Idempotency-Key and body give the same task."""
        owner = await around.doorman.owner(request)
        task, replayed = await accept_film(
            around,
            draft_of(film),
            owner=owner,
            dialect=GATE,
            names=GATE_NAMES,
            repeat=repeat_by_key(idempotency_key),
            terms=terms_of(request.headers),
        )
        response.headers.update(task_headers(task) | ({"idempotent-replayed": "true"} if replayed else {}))
        return await task_out(around, task, request)

    _add_page(router, around)
    _add_readers(router, around)
    _add_ends(router, around)
    _add_files(router, around)
    return router


def _add_page(router: APIRouter, around: Surroundings) -> None:
    @router.get("/tasks")
    async def page(
        request: Request,
        state: State | None = None,
        model: Annotated[str | None, Query(max_length=MODEL_CHARACTERS)] = None,
        q: Annotated[
            str | None,
            Query(max_length=SEARCH_CHARACTERS, description="A part of the prompt, or a task's id."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_LONGEST)] = PAGE,
        cursor: str | None = None,
    ) -> TaskPageOut:
        """List tasks, newest first."""
        owner = await around.doorman.owner(request)
        after = await around.reader.place(cursor, owner.account_id) if cursor else None
        if cursor and after is None:
            raise Problem(
                "invalid_parameter",
                field="cursor",
                reason="an id of this list is right.",
                reason_zh="应为本列表中的编号。",
            )
        for field, said in (("model", model), ("q", q)):
            if said is not None and "\0" in said:
                raise Problem("invalid_parameter", field=field, reason="no NUL.", reason_zh="不能含 NUL。")
        tasks, more = await around.reader.page(
            owner.account_id, after=after, limit=limit, state=state, model=model, text=q or None
        )
        shown = [await task_out(around, task, request) for task in tasks]
        return TaskPageOut(data=shown, next_cursor=shown[-1].id if more and shown else None)


def _add_readers(router: APIRouter, around: Surroundings) -> None:
    @router.get("/tasks/{id}")
    async def show(
        request: Request,
        response: Response,
        id: str,  # noqa: A002  # the path's own word
        *,
        wait: Annotated[float, Query(ge=0, le=WAIT_LONGEST.total_seconds())] = 0.0,
        after: int = 0,
        attempts: bool = False,
        receipt: bool = False,
    ) -> TaskDetailOut:
        """Show a task; with `wait`, answer when its version passes `after`, or when the time is over."""
        owner = await around.doorman.owner(request)
        task = await _changed(around, owner, id, wait, after)
        response.headers.update(task_headers(task))
        tried = await around.reader.attempts(task.id, owner.account_id) if attempts else None
        shown = await task_out(around, task, request)
        return TaskDetailOut(
            **shown.model_dump(),
            attempts=None if tried is None else attempts_out(tried, language_of(request)),
            deliveries=await shipments_of(around, task),
            receipt=receipt_out(task) if receipt else None,
        )


def _add_ends(router: APIRouter, around: Surroundings) -> None:
    @router.post("/tasks/{id}/cancel")
    async def cancel(request: Request, response: Response, id: str) -> TaskOut:  # noqa: A002  # the path's own word
        """Cancel a task: 200 once it is, 202 while its provider has not confirmed it."""
        owner = await around.doorman.owner(request)
        task = await cancel_task(around, await own_task(around, owner.account_id, id))
        response.headers.update(task_headers(task))
        response.status_code = 200 if task.state.ended else 202
        return await task_out(around, task, request)

    @router.post("/tasks/{id}/retry", status_code=201)
    async def retry(request: Request, response: Response, id: str, changes: Again) -> TaskOut:  # noqa: A002  # as above
        """Ask for the same film again, as a new task at today's price."""
        owner = await around.doorman.owner(request)
        task = await own_task(around, owner.account_id, id)
        new, replayed = await ask_again(around, task, owner, changes, request.headers)
        response.headers.update(task_headers(new) | ({"idempotent-replayed": "true"} if replayed else {}))
        return await task_out(around, new, request)

    @router.delete("/tasks/{id}", status_code=204)
    async def delete(request: Request, id: str) -> None:  # noqa: A002  # the path's own word
        """Remove a task and its files; one that runs is cancelled first."""
        owner = await around.doorman.owner(request)
        await delete_task(around, await own_task(around, owner.account_id, id))


def _add_files(router: APIRouter, around: Surroundings) -> None:
    async def content(request: Request, id: str, file: str) -> Response:  # noqa: A002  # the path's own word
        """Give `video.mp4`, `thumbnail.webp`, `filmstrip.webp`, `poster.jpg` or `spritesheet.jpg`, whole or by Range."""
        owner = await around.doorman.owner(request)
        task = await own_task(around, owner.account_id, id)
        return await named_file_answer(request, around, task, file, task_headers(task))

    path = "/tasks/{id}/files/{file}"
    router.add_api_route(path, content, methods=["GET"], response_class=Response)
    router.add_api_route(path, content, methods=["HEAD"], response_class=Response, include_in_schema=False)


def draft_of(film: NewFilm) -> Draft:
    return Draft(
        model=film.model,
        prompt=film.prompt,
        size=film.size,
        seconds=None if film.seconds is None else str(film.seconds),
        seed=None if film.seed is None else str(film.seed),
        pictures=_pictures(film),
        prompt_extend=film.prompt_extend,
        enhance=film.enhance,
        upsample=film.upsample,
        sound=film.sound,
        callback_url=film.callback_url or None,
        deliver_to=film.deliver_to,
        start_within_s=film.deadline_s,
    )


def _pictures(film: NewFilm) -> tuple[GivenPicture, ...]:
    first = [picture(film.image, "image", PictureRole.FIRST)] if film.image else []
    last = [picture(film.last_image, "last_image", PictureRole.LAST)] if film.last_image else []
    references = [
        picture(source, f"references[{no}]", PictureRole.REFERENCE)
        for no, source in enumerate(film.references)
    ]
    return (*first, *last, *references)


async def _changed(around: Surroundings, owner: Owner, name: str, wait_s: float, after: int) -> Task:
    """Read a task, and where nothing has happened to it since that version, wait for it."""
    began = around.clock.monotonic()
    task = await own_task(around, owner.account_id, name)
    return await changed(around, task, began + wait_s - around.clock.monotonic(), after)
