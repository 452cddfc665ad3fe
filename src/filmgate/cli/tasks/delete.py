"""`filmgate tasks delete`."""

import sys
from typing import Annotated, Final
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Manner
from filmgate.cli.session import Session, open_session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import ENDS, Text
from filmgate.cli.verb import verb
from filmgate.cli.watching import read_task

_ANSWER_S: Final = 45.0
_ASKED: Final = Text("Delete {id} ({prompt}) and its files? [y/N] ", "删除 {id}（{prompt}）及其文件？[y/N] ")
_ASKED_RUNNING: Final = Text(
    "{id} ({prompt}) is still being made, with {money} held. Cancel and delete it? [y/N] ",
    "{id}（{prompt}）仍在生成，预扣 {money}。取消并删除？[y/N] ",
)
_DELETED: Final = Text("{id} is deleted; its receipt is kept.", "{id} 已删除，账单保留。")
_KEPT: Final = Text("{id} is kept.", "{id} 已保留。")
_UNASKED: Final = "Nobody can be asked here: say --yes to delete."


def delete(
    ids: Annotated[list[str], Parameter(name="ID", negative="")],
    /,
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Do not ask.")] = False,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Delete films and their files; one that is being made is cancelled first."""
    if not yes and not sys.stdin.isatty():
        raise trouble("wrong_usage", reason=_UNASKED)
    session = open_session(manner, place)
    session.each(ids, lambda id_: _delete(session, read_task(session, id_), yes=yes))
    return Exit.DONE


def _delete(session: Session, task: TaskShape, *, yes: bool) -> None:
    output = session.output
    if not yes and not _agreed(session, task):
        output.note(output.say(_KEPT, id=task["id"]))
        return
    session.gate.ask("DELETE", f"/gate/v1/tasks/{quote(task['id'], safe='')}", timeout_s=_ANSWER_S)
    if output.form is Form.JSON:
        output.line({"id": task["id"], "deleted": True})
    else:
        output.answer(output.say(_DELETED, id=task["id"]))


def _agreed(session: Session, task: TaskShape) -> bool:
    asked = _ASKED if task["state"] in ENDS else _ASKED_RUNNING
    said = asked.filled(id=task["id"], prompt=task["prompt"], money=money(task["hold_micros"]))
    return session.output.agreed(said)


app = verb("delete", delete, ("filmgate tasks delete ID", "filmgate tasks delete ID1 ID2 --yes"))
