"""How `/gate/v1` shows a task: where it stands, how far it is, and how long it may take."""

from typing import Final

from starlette.requests import Request

from filmgate.domain.details import details
from filmgate.domain.eta import RUNS_KEPT, Outlook, RunKind, coarse_s
from filmgate.domain.record import ProgressSource
from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.engine.advice import without_pictures
from filmgate.engine.whereabouts import Position, elapsed_s
from filmgate.web.answers import language_of
from filmgate.web.cancel import cancel_word
from filmgate.web.shapes import (
    Addresses,
    BasisOut,
    DetailsOut,
    ErrorOut,
    EtaOut,
    FilmOut,
    RecordOut,
    SpanOut,
    TaskOut,
)
from filmgate.web.surroundings import Surroundings

OWN_API: Final = "/gate/v1"
ADMIN_API: Final = "/admin/v1"


async def task_out(around: Surroundings, task: Task, request: Request, api: str = OWN_API) -> TaskOut:
    """Show a task; `api` is where its reader asks for more of it."""
    facts = task.film.facts if task.film else None
    position = await around.whereabouts.of(task)
    waited_s, running_s = elapsed_s(task, around.clock.now())
    return TaskOut(
        id=str(task.id),
        name=task.name,
        dialect=task.dialect,
        state=task.state,
        progress=task.progress,
        progress_source=_source(task),
        model=task.request.model,
        prompt=task.request.prompt,
        size=str(task.request.size),
        seconds=task.request.seconds,
        queue_position=position.queue_position,
        waiting_for=position.waiting_for,
        queue_eta=_queue(position),
        eta=None if task.state.ended else await _eta(around, task, running_s),
        hold_micros=task.hold_micros,
        cost_micros=task.cost_micros,
        created_at=task.created_at,
        started_at=task.started_at,
        start_by=task.start_by,
        ended_at=task.ended_at,
        clips=list(task.request.clips),
        record=RecordOut(**{name: getattr(task.record, name) for name in RecordOut.model_fields}),
        waited_s=round(waited_s, 3),
        running_s=round(running_s, 3),
        version=task.version,
        cancel=cancel_word(task),
        error=error_of(around, task, language_of(request)),
        film=None
        if facts is None
        else FilmOut(**{name: getattr(facts, name) for name in FilmOut.model_fields}),
        urls=_addresses(around, task, request, api),
    )


def eta_out(kind: RunKind, outlook: Outlook, running_s: float | None = None) -> EtaOut:
    """Show what is known of a run; `running_s` is None where it has not begun."""
    known = outlook.shown
    basis = BasisOut(
        provider=kind.provider,
        model=kind.model,
        seconds=kind.seconds,
        size=kind.size,
        days=RUNS_KEPT.days,
    )
    if known is None:
        withheld = outlook.estimate is not None
        return EtaOut(
            low_s=None, high_s=None, sample=outlook.sample, basis=basis, left=None, withheld=withheld
        )
    past = running_s is not None and running_s > known.high_s
    left = None
    if running_s is not None and not past:
        left = SpanOut(
            low_s=coarse_s(max(known.low_s - running_s, 0)), high_s=coarse_s(known.high_s - running_s)
        )
    return EtaOut(
        low_s=round(known.low_s, 1),
        high_s=round(known.high_s, 1),
        sample=outlook.sample,
        basis=basis,
        past=past,
        left=left,
    )


async def _eta(around: Surroundings, task: Task, running_s: float) -> EtaOut:
    kind, outlook = await around.whereabouts.outlook(task)
    return eta_out(kind, outlook, None if task.started_at is None else running_s)


def _source(task: Task) -> ProgressSource:
    if task.state is State.SUCCEEDED:
        # That the film is there needs nobody to say so.
        return ProgressSource.MEASURED
    return ProgressSource(task.record.progress_source or ProgressSource.NONE)


def _queue(position: Position) -> SpanOut | None:
    span = position.queue
    return None if span is None else SpanOut(low_s=coarse_s(span.low_s), high_s=coarse_s(span.high_s))


def _addresses(around: Surroundings, task: Task, request: Request, api: str) -> Addresses:
    links = around.links(task, request)
    origin = around.origin(request)
    own = f"{origin}{api}/tasks/{task.id}"
    return Addresses(
        self=own,
        events=f"{own}/events",
        cancel=f"{own}/cancel",
        console=f"{origin}/#{task.id}",
        video=links.video,
        thumbnail=links.thumbnail,
        poster=links.poster,
        first=links.first,
        source=links.source,
    )


def error_of(around: Surroundings, task: Task, language: str) -> ErrorOut | None:
    """Say why a task ended without its film; None where it did not."""
    failure = task.failure
    if failure is None:
        return None
    parameters = {**failure.parameters, **without_pictures(around.catalogue, task.request, failure.code)}
    known = details(failure.code, parameters, language, charged_micros=task.cost_micros)
    return ErrorOut(
        code=failure.code, message=failure.text(language), details=DetailsOut.model_validate(known.as_json())
    )
