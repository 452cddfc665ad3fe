"""`filmgate tasks cancel`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.session import Session, open_session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

# The gate itself waits a few seconds for what a provider answers.
_ANSWER_S: Final = 30.0
_CANCELLED: Final = Text("{id} is cancelled; {money} returned.", "{id} 已取消，退回 {money}。")
_REQUESTED: Final = Text(
    "{id}: its provider was asked to stop and has not confirmed it yet; {money} stays held."
    " See: filmgate tasks watch {id}",
    "{id}：已请求上游停止，尚未确认，{money} 暂时预扣。查看：filmgate tasks watch {id}",
)


def cancel(
    ids: Annotated[list[str], Parameter(name="ID", negative="")],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Cancel films: what is not sent is free; what runs is stopped where its provider can, and free then."""
    session = open_session(manner, place)
    session.each(ids, lambda id_: _cancel(session, id_))
    return Exit.DONE


def _cancel(session: Session, id_: str) -> None:
    path = f"/gate/v1/tasks/{quote(id_, safe='')}/cancel"
    task = cast("TaskShape", session.gate.ask("POST", path, timeout_s=_ANSWER_S))
    output = session.output
    if output.form is Form.JSON:
        output.line(cast("Json", task))
        return
    said = _CANCELLED if task["state"] == "cancelled" else _REQUESTED
    output.answer(output.say(said, id=task["id"], money=money(task["hold_micros"])))


app = verb("cancel", cancel, ("filmgate tasks cancel ID", "filmgate tasks cancel ID1 ID2"))
