"""`filmgate tasks watch`."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.board import open_board, sight_of
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.session import Session
from filmgate.cli.shapes import TaskPageShape, TaskShape
from filmgate.cli.sight import Board
from filmgate.cli.tasks.events import events as told_events
from filmgate.cli.text import ENDS, STATES, Text
from filmgate.cli.verb import verb
from filmgate.cli.watching import detached, ending, failure, follow, next_change, read_task, timeout_of

_ROUND_S: Final = 1.0
_PAGE: Final = 100
_SOME_OR_ALL: Final = "Name the films to watch, or say --all."
_ONE_STORY: Final = "--events tells of one film, or of --all."
_ONE_FILM: Final = "As an operator, --events tells of one film: name it, or leave --events out."
_NONE: Final = Text("Nothing is being made.", "当前没有正在生成的视频。")


def watch(
    *ids: Annotated[str, Parameter(name="ID", negative="")],
    every: Annotated[
        bool, Parameter(name="--all", negative="", help="All that are being made now, instead of some.")
    ] = False,
    events: Annotated[
        bool, Parameter(negative="", help="Each event as it is told; with --all for ever, also of new films.")
    ] = False,
    timeout: Annotated[str | None, Parameter(help="Watch at most 90, 90s or 5m; the films go on.")] = None,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Watch films being made, from any machine, over restarts of the gate. Leaving stops nothing."""
    timeout_s = timeout_of(timeout)
    if bool(ids) == every:
        raise trouble("wrong_usage", reason=_SOME_OR_ALL)
    if events and len(ids) > 1:
        raise trouble("wrong_usage", reason=_ONE_STORY)
    session = role_session(manner, place, role)
    if events:
        if session.operator and every:
            raise trouble("wrong_usage", reason=_ONE_FILM)
        return _told(session, ids[0] if ids else None, timeout_s)
    tasks = _unfinished(session) if every else _named(session, ids)
    if not tasks:
        session.output.note(session.output.say(_NONE))
        return Exit.DONE
    try:
        with open_board(session.output) as board:
            for task in _changes(session, list(tasks.values()), timeout_s):
                tasks[task["id"]] = task
                _show(session, board, task, alone=len(tasks) == 1)
    except KeyboardInterrupt:
        open_ = [task for task in tasks.values() if task["state"] not in ENDS]
        raise detached(open_, session.again) from None
    return _verdict(session, list(tasks.values()))


def _named(session: Session, ids: Sequence[str]) -> dict[str, TaskShape]:
    found = [read_task(session, id_) for id_ in dict.fromkeys(ids)]
    return {task["id"]: task for task in found}


def _unfinished(session: Session) -> dict[str, TaskShape]:
    """Read what is being made, the oldest first; a state has at most a page of it."""
    found: dict[str, TaskShape] = {}
    for state in STATES:
        if state not in ENDS:
            path = f"{session.api}/tasks?state={state}&limit={_PAGE}"
            page = cast("TaskPageShape", session.gate.ask("GET", path))
            found |= {task["id"]: task for task in page["data"]}
    return dict(sorted(found.items()))


def _told(session: Session, id_: str | None, timeout_s: float | None) -> int:
    """Pass on each event as it is told, until the film has ended."""
    output, last = session.output, None
    try:
        for event in told_events(session, id_, timeout_s):
            last = event.task
            if output.form is Form.JSON:
                output.line({"id": event.id, "event": event.kind, "data": cast("Json", event.task)})
            else:
                at, shown = session.clock.now().astimezone().strftime("%H:%M:%S"), event.task
                parts = (at, event.kind, shown["id"], shown["state"], f"{shown['progress']} %")
                output.answer(("\t" if output.form is Form.PLAIN else "  ").join(parts))
    except KeyboardInterrupt:
        raise (
            trouble("stopped") if last is None or id_ is None else detached([last], session.again)
        ) from None
    return Exit.DONE if last is None or id_ is None else _verdict(session, [last])


def _changes(session: Session, tasks: Sequence[TaskShape], timeout_s: float | None) -> Iterator[TaskShape]:
    if len(tasks) == 1:
        yield from follow(session, tasks[0], timeout_s)
        return
    until = None if timeout_s is None else session.clock.monotonic() + timeout_s
    yield from tasks
    running = {task["id"]: task for task in tasks if task["state"] not in ENDS}
    while running:
        if until is not None and session.clock.monotonic() >= until:
            raise trouble("timeout", seconds=f"{timeout_s:g}", ids=" ".join(running), again=session.again)
        session.sleep(_ROUND_S)
        for known in list(running.values()):
            task = next_change(session, known["id"], version=known["version"], wait_s=0, until=until)
            if task["version"] > known["version"] or task["state"] in ENDS:
                running[task["id"]] = task
                yield task
            if task["state"] in ENDS:
                del running[task["id"]]


def _show(session: Session, board: Board, task: TaskShape, *, alone: bool) -> None:
    output = session.output
    label = "" if alone else task["prompt"]
    if task["state"] in ENDS:
        said = ending(task, output)
        board.end(task["id"], said if alone else f"{task['prompt']} · {said}", task["state"])
    else:
        board.see(task["id"], sight_of(task, output, label))
    if output.form is Form.JSON:
        output.line(cast("Json", task))
    elif output.form is Form.PLAIN:
        output.answer(f"{task['id']}\t{task['state']}\t{task['progress']}")


def _verdict(session: Session, tasks: Sequence[TaskShape]) -> int:
    session.fail([failure(task) for task in tasks if task["state"] != "succeeded"])
    return Exit.DONE


app = verb(
    "watch",
    watch,
    (
        "filmgate tasks watch ID",
        "filmgate tasks watch ID1 ID2 --timeout 10m",
        "filmgate tasks watch --all",
        "filmgate tasks watch --all --as-operator",
        "filmgate tasks watch --all --events | jq -r .data.state",
    ),
)
