"""`filmgate tasks cancel`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.session import Session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

# The gate itself waits a few seconds for what a provider answers.
_ANSWER_S: Final = 30.0
_CANCELLED: Final = Text("{id} is cancelled; {money} returned{whom}.", "{id} 已取消，退回 {money}{whom}。")
_TO: Final = Text(" to account {account}", "（账户 {account}）")
_OF: Final = Text(" of account {account}", "（账户 {account}）")
_REQUESTED: Final = Text(
    "{id}: its provider was asked to stop and has not confirmed it yet; {money} stays held{whom}."
    " See: filmgate tasks watch {id}{again}",
    "{id}：已请求上游停止，尚未确认，{money} 暂时预扣{whom}。查看：filmgate tasks watch {id}{again}",
)


def cancel(
    ids: Annotated[list[str], Parameter(name="ID", negative="")],
    /,
    *,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Cancel films: what is not sent is free; what runs is stopped where its provider can, and free then."""
    session = role_session(manner, place, role)
    session.each(ids, lambda id_: _cancel(session, id_))
    return Exit.DONE


def _cancel(session: Session, id_: str) -> None:
    path = f"{session.api}/tasks/{quote(id_, safe='')}/cancel"
    task = cast("TaskShape", session.gate.ask("POST", path, timeout_s=_ANSWER_S))
    output = session.output
    if output.form is Form.JSON:
        output.line(cast("Json", task))
        return
    cancelled, account = task["state"] == "cancelled", task.get("account")
    whom = "" if account is None else output.say(_TO if cancelled else _OF, account=account)
    said = _CANCELLED if cancelled else _REQUESTED
    amount = money(task["hold_micros"])
    output.answer(output.say(said, id=task["id"], money=amount, whom=whom, again=session.again))


app = verb(
    "cancel",
    cancel,
    ("filmgate tasks cancel ID", "filmgate tasks cancel ID1 ID2", "filmgate tasks cancel ID --as-operator"),
)
