"""`filmgate tasks retry`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.measures import money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.session import open_session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_AGAIN: Final = Text(
    "{id} is a new task ({money} held). Watch it: filmgate tasks watch {id}",
    "{id} 为新任务（预扣 {money}）。查看：filmgate tasks watch {id}",
)


def retry(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    seed: Annotated[int | None, Parameter(help="Another seed.")] = None,
    model: Annotated[str | None, Parameter(help="Another model.")] = None,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Ask for a film that has ended again, as a new task at today's price."""
    session = open_session(manner, place)
    changes = {name: value for name, value in (("seed", seed), ("model", model)) if value is not None}
    path = f"/gate/v1/tasks/{quote(id_, safe='')}/retry"
    task = cast("TaskShape", session.gate.ask("POST", path, cast("Json", changes)))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", task))
    else:
        output.answer(output.say(_AGAIN, id=task["id"], money=money(task["hold_micros"])))
    return Exit.DONE


app = verb("retry", retry, ("filmgate tasks retry ID", "filmgate tasks retry ID --seed 7"))
