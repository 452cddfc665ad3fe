"""`/gate/v1`: tasks and models as the gate itself names them; the program's own verbs use nothing else."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from filmgate.dialects.reading import picture
from filmgate.domain.catalogue import GATE
from filmgate.domain.limits import LOOK_AGAIN, PAGE, PAGE_LONGEST, WAIT_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, GivenPicture, PictureRole
from filmgate.domain.states import State
from filmgate.domain.task import Attempt, Owner, Task
from filmgate.engine.accept import Repeat
from filmgate.web.again import Again, ask_again
from filmgate.web.answers import film_answer, language_of
from filmgate.web.cancel import cancel_task, cancel_word, delete_task
from filmgate.web.shapes import (
    Addresses,
    AttemptOut,
    ErrorOut,
    FilmOut,
    ModelOut,
    ModelPageOut,
    NewFilm,
    RecordOut,
    TaskDetailOut,
    TaskOut,
    TaskPageOut,
)
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import GATE_NAMES, repeat_of, task_headers, terms_of


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
        repeat = repeat_of({"idempotency-key": idempotency_key}) if idempotency_key is not None else Repeat()
        task, replayed = await around.acceptance.accept(
            draft_of(film),
            owner=owner,
            dialect=GATE,
            names=GATE_NAMES,
            repeat=repeat,
            terms=terms_of(request.headers),
        )
        around.bell.set()
        around.telemetry.accepted(GATE, task.request.model)
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
        tasks, more = await around.reader.page(owner.account_id, after=after, limit=limit, state=state)
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
    ) -> TaskDetailOut:
        """Show a task; with `wait`, answer when its version passes `after`, or when the time is over."""
        owner = await around.doorman.owner(request)
        task = await _changed(around, owner, id, wait, after)
        response.headers.update(task_headers(task))
        tried = await around.reader.attempts(task.id, owner.account_id) if attempts else None
        shown = await task_out(around, task, request)
        return TaskDetailOut(**shown.model_dump(), attempts=None if tried is None else _attempts(tried))

    @router.get("/models")
    async def models(request: Request) -> ModelPageOut:
        """Say what each model can do."""
        await around.doorman.owner(request)
        return ModelPageOut(data=_models(around))


def _add_ends(router: APIRouter, around: Surroundings) -> None:
    @router.post("/tasks/{id}/cancel")
    async def cancel(request: Request, response: Response, id: str) -> TaskOut:  # noqa: A002  # the path's own word
        """Cancel a task: 200 once it is, 202 while its provider has not confirmed it."""
        owner = await around.doorman.owner(request)
        task = await cancel_task(around, await _mine(around, owner, id))
        response.headers.update(task_headers(task))
        response.status_code = 200 if task.state.ended else 202
        return await task_out(around, task, request)

    @router.post("/tasks/{id}/retry", status_code=201)
    async def retry(request: Request, response: Response, id: str, changes: Again) -> TaskOut:  # noqa: A002  # as above
        """Ask for the same film again, as a new task at today's price."""
        owner = await around.doorman.owner(request)
        task = await _mine(around, owner, id)
        new, replayed = await ask_again(around, task, owner, changes, request.headers)
        response.headers.update(task_headers(new) | ({"idempotent-replayed": "true"} if replayed else {}))
        return await task_out(around, new, request)

    @router.delete("/tasks/{id}", status_code=204)
    async def delete(request: Request, id: str) -> None:  # noqa: A002  # the path's own word
        """Remove a task and its files; one that runs is cancelled first."""
        owner = await around.doorman.owner(request)
        await delete_task(around, await _mine(around, owner, id))


def _add_files(router: APIRouter, around: Surroundings) -> None:
    @router.get("/tasks/{id}/files/{file}", response_class=Response)
    async def content(request: Request, id: str, file: str) -> Response:  # noqa: A002  # the path's own word
        """Give `video.mp4`, `thumbnail.webp` or `poster.jpg`, whole or by Range."""
        owner = await around.doorman.owner(request)
        task = await _mine(around, owner, id)
        return await film_answer(request, around, task, file.partition(".")[0], task_headers(task))


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
    )


def _pictures(film: NewFilm) -> tuple[GivenPicture, ...]:
    first = [picture(film.image, "image", PictureRole.FIRST)] if film.image else []
    last = [picture(film.last_image, "last_image", PictureRole.LAST)] if film.last_image else []
    references = [
        picture(source, f"references[{no}]", PictureRole.REFERENCE)
        for no, source in enumerate(film.references)
    ]
    return (*first, *last, *references)


async def _mine(around: Surroundings, owner: Owner, name: str) -> Task:
    task = await around.reader.find(name, owner.account_id)
    if task is None:
        raise Problem("task_not_found")
    return task


async def _changed(around: Surroundings, owner: Owner, name: str, wait: float, after: int) -> Task:
    give_up = around.clock.monotonic() + wait
    task = await _mine(around, owner, name)
    # It is watched before it is read again: a change between the two is not slept through.
    with around.listener.task(task.id) as watch:
        while task.version <= after and not task.state.ended and not around.draining.is_set():
            left_s = give_up - around.clock.monotonic()
            if left_s <= 0:
                break
            task = await _mine(around, owner, str(task.id))
            if task.version <= after:
                await watch.changed(min(left_s, LOOK_AGAIN.total_seconds()))
                task = await _mine(around, owner, str(task.id))
    return task


async def task_out(around: Surroundings, task: Task, request: Request) -> TaskOut:
    links = around.links(task, request)
    facts = task.film.facts if task.film else None
    now = task.ended_at or around.clock.now()
    started = task.started_at or now
    return TaskOut(
        id=str(task.id),
        name=task.name,
        dialect=task.dialect,
        state=task.state,
        progress=task.progress,
        model=task.request.model,
        prompt=task.request.prompt,
        size=str(task.request.size),
        seconds=task.request.seconds,
        queue_position=await _ahead(around, task) if task.state is State.QUEUED else None,
        hold_micros=task.hold_micros,
        cost_micros=task.cost_micros,
        created_at=task.created_at,
        started_at=task.started_at,
        ended_at=task.ended_at,
        clips=list(task.request.clips),
        record=RecordOut(**{name: getattr(task.record, name) for name in RecordOut.model_fields}),
        waited_s=round((started - task.created_at).total_seconds(), 3),
        running_s=round((now - started).total_seconds(), 3),
        version=task.version,
        cancel=cancel_word(task),
        error=_error(task, language_of(request)),
        film=None
        if facts is None
        else FilmOut(**{name: getattr(facts, name) for name in FilmOut.model_fields}),
        urls=Addresses(
            self=f"{around.origin(request)}/gate/v1/tasks/{task.id}",
            cancel=f"{around.origin(request)}/gate/v1/tasks/{task.id}/cancel",
            video=links.video,
            thumbnail=links.thumbnail,
            poster=links.poster,
            first=links.first,
            source=links.source,
        ),
    )


async def _ahead(around: Surroundings, task: Task) -> int:
    models = [model.name for model in around.catalogue.models]
    sharing = around.acceptance.router.sharing(task.request.model, models)
    return await around.engine.starts.ahead(task.id, sharing)


def _error(task: Task, language: str) -> ErrorOut | None:
    if task.failure is None:
        return None
    return ErrorOut(code=task.failure.code, message=task.failure.text(language))


def _attempts(attempts: Sequence[Attempt]) -> list[AttemptOut]:
    return [
        AttemptOut(**{name: getattr(attempt, name) for name in AttemptOut.model_fields})
        for attempt in attempts
    ]


def _models(around: Surroundings) -> list[ModelOut]:
    shown = []
    for model in around.catalogue.models:
        offer = model.offers[GATE]
        counts = {role.value: count for role, count in offer.pictures.counts.items()}
        shown.append(
            ModelOut(
                name=model.name,
                owner=model.owner,
                about=model.about,
                dialects=sorted(set(model.offers) - {GATE}),
                seconds=list(offer.seconds.allowed),
                default_seconds=offer.seconds.default,
                sizes=[str(size) for size in offer.sizes],
                prompt_characters=offer.prompt_characters,
                pictures=counts,
                sound=model.sound,
                available=around.acceptance.sells(model.name),
            )
        )
    return shown
