"""Acts: what each thing that a dialect's clients may want comes to, whatever the dialect."""

from starlette.responses import Response

from filmgate.domain.catalogue import Model
from filmgate.domain.contracts import (
    Accepted,
    Action,
    Cancel,
    Content,
    Converse,
    Create,
    Delete,
    Deleted,
    ListModels,
    ListTasks,
    ModelCard,
    ModelPage,
    Outcome,
    Page,
    Show,
    Status,
)
from filmgate.domain.limits import PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.domain.task import Task
from filmgate.web.accepted import accept_film
from filmgate.web.answers import film_answer, json_answer
from filmgate.web.cancel import cancel_task, delete_task
from filmgate.web.talk import conversation
from filmgate.web.turn import Turn, repeat_of, terms_of


async def act(turn: Turn, action: Action) -> Response:
    """Do what was asked, and answer in the turn's dialect."""
    outcome: Outcome
    match action:
        case Create(draft, form):
            outcome = Accepted(turn.view(await _create(turn, draft)), form)
        case Converse(draft, streamed):
            return await conversation(turn, await _create(turn, draft), streamed=streamed)
        case Content(name, role):
            await turn.find_task(name)
            return await film_answer(turn.request, turn.around, turn.known(), role, turn.headers())
        case Show(name, form):
            await turn.find_task(name)
            outcome = Status(turn.view(turn.known()), form)
        case Delete(name):
            await turn.find_task(name)
            turn.task, cancelled = await delete_task(turn.around, turn.known())
            outcome = Deleted(turn.view(turn.known()), cancelled)
        case Cancel(name):
            await turn.find_task(name)
            turn.task = await cancel_task(turn.around, turn.known())
            outcome = Status(turn.view(turn.known()))
        case ListTasks():
            outcome = await _list(turn, action)
        case ListModels(name):
            outcome = _models(turn, name)
    reply = turn.dialect.render(outcome, strict=turn.strict)
    return json_answer(reply.status, reply.body, {**reply.headers, **turn.headers()})


async def _create(turn: Turn, draft: Draft) -> Task:
    turn.task, turn.replayed = await accept_film(
        turn.around,
        draft,
        owner=turn.mine,
        dialect=turn.dialect.NAME,
        names=turn.dialect.NAMES,
        repeat=repeat_of(turn.request.headers),
        terms=terms_of(turn.request.headers),
    )
    return turn.task


async def _list(turn: Turn, action: ListTasks) -> Page:
    account_id, reader = turn.mine.account_id, turn.around.reader
    after = None
    if action.after is not None:
        after = await reader.place(action.after, account_id)
        if after is None:
            reason, reason_zh = "an id of this list is right.", "应为本列表中的编号。"
            raise Problem("invalid_parameter", field="after", reason=reason, reason_zh=reason_zh)
    tasks, more = await reader.page(
        account_id, after=after, limit=min(action.limit, PAGE_LONGEST), newest_first=action.newest_first
    )
    return Page([turn.view(task) for task in tasks], more)


def _models(turn: Turn, name: str | None) -> ModelPage:
    if name is not None:
        models = [model for model in _offered(turn) if model.name == name]
        if not models:
            raise Problem("not_found")
        return ModelPage([ModelCard(name, models[0].owner, models[0].created)], single=True)
    return ModelPage([ModelCard(model.name, model.owner, model.created) for model in _offered(turn)])


def _offered(turn: Turn) -> list[Model]:
    return [model for model in turn.around.catalogue.models if turn.dialect.NAME in model.offers]
