"""`filmgate tasks retry`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.role import OWN, Role, demand_operator, role_session
from filmgate.cli.shapes import TaskShape, key_name
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_AGAIN: Final = Text(
    "{id} is a new task{whose} ({money} held). Watch it: filmgate tasks watch {id}{again}",
    "{id} 为新任务{whose}（预扣 {money}）。查看：filmgate tasks watch {id}{again}",
)
_WHOSE: Final = Text(" of account {account}, key {key}", "（账户 {account}，密钥 {key}）")
_WHY: Final = "A retry as an operator is paid by the task's owner: say why with --note."


def retry(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    seed: Annotated[int | None, Parameter(help="Another seed.")] = None,
    model: Annotated[str | None, Parameter(help="Another model.")] = None,
    note: Annotated[str, Parameter(help="As an operator: why the owner pays for it again; it is kept.")] = "",
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Ask for a film that has ended again, as a new task at today's price."""
    session = role_session(manner, place, role)
    demand_operator(session, *(["--note"] if note else []))
    if session.operator and not note.strip():
        raise trouble("wrong_usage", reason=_WHY)
    asked = (("seed", seed), ("model", model), ("note", note or None))
    changes = {name: value for name, value in asked if value is not None}
    path = f"{session.api}/tasks/{quote(id_, safe='')}/retry"
    task = cast("TaskShape", session.gate.ask("POST", path, cast("Json", changes)))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", task))
    else:
        account = task.get("account")
        whose = "" if account is None else output.say(_WHOSE, account=account, key=key_name(task))
        held = money(task["hold_micros"])
        output.answer(output.say(_AGAIN, id=task["id"], money=held, whose=whose, again=session.again))
    return Exit.DONE


app = verb(
    "retry",
    retry,
    (
        "filmgate tasks retry ID",
        "filmgate tasks retry ID --seed 7",
        "filmgate tasks retry ID --as-operator --note 'the engine had died'",
    ),
)
