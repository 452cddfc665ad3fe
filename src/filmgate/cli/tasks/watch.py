"""`filmgate tasks watch`."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.board import open_board, sight_of
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.measures import seconds_of
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.session import Session, open_session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.sight import Board
from filmgate.cli.text import ENDS
from filmgate.cli.verb import verb
from filmgate.cli.watching import detached, ending, failure, follow, next_change, read_task

_ROUND_S: Final = 1.0


def watch(
    ids: Annotated[list[str], Parameter(name="ID", negative="")],
    /,
    *,
    timeout: Annotated[str | None, Parameter(help="Watch at most 90, 90s or 5m; the films go on.")] = None,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Watch films being made, from any machine, over restarts of the gate. Leaving stops nothing."""
    try:
        timeout_s = None if timeout is None else seconds_of(timeout)
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    session = open_session(manner, place)
    tasks: dict[str, TaskShape] = {}
    for id_ in dict.fromkeys(ids):
        found = read_task(session, id_)
        tasks[found["id"]] = found
    try:
        with open_board(session.output) as board:
            for task in _changes(session, list(tasks.values()), timeout_s):
                tasks[task["id"]] = task
                _show(session, board, task, alone=len(tasks) == 1)
    except KeyboardInterrupt:
        open_ = [task for task in tasks.values() if task["state"] not in ENDS]
        raise detached(open_) from None
    return _verdict(session, list(tasks.values()))


def _changes(session: Session, tasks: Sequence[TaskShape], timeout_s: float | None) -> Iterator[TaskShape]:
    if len(tasks) == 1:
        yield from follow(session, tasks[0], timeout_s)
        return
    until = None if timeout_s is None else session.clock.monotonic() + timeout_s
    yield from tasks
    running = {task["id"]: task for task in tasks if task["state"] not in ENDS}
    while running:
        if until is not None and session.clock.monotonic() >= until:
            raise trouble("timeout", seconds=f"{timeout_s:g}", ids=" ".join(running))
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
    failed = [task for task in tasks if task["state"] != "succeeded"]
    for task in failed[:-1]:
        session.output.error(failure(task))
    if failed:
        raise failure(failed[-1])
    return Exit.DONE


app = verb("watch", watch, ("filmgate tasks watch ID", "filmgate tasks watch ID1 ID2 --timeout 10m"))
