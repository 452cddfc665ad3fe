"""`filmgate tasks resolve`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.spending import spent_text
from filmgate.cli.text import Text, state_text
from filmgate.cli.verb import verb

_ONE: Final = "Say one of --found REF, --absent and --give-up: what became of the submit?"
_RESOLVED: Final = Text("{id} is {state} now; {said}.", "{id} 现为{state}，{said}。")


def resolve(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    found: Annotated[str | None, Parameter(help="The vendor has it, under this id: go on with it.")] = None,
    absent: Annotated[bool, Parameter(negative="", help="The vendor has none: send it once more.")] = False,
    give_up: Annotated[bool, Parameter(negative="", help="End the task; all is returned.")] = False,
    note: Annotated[str, Parameter(help="Why; it is kept.")] = "",
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Decide what became of a submit whose reply was lost (operators)."""
    outcomes = [("found", found is not None), ("absent", absent), ("give_up", give_up)]
    chosen = [name for name, given in outcomes if given]
    if len(chosen) != 1:
        raise trouble("wrong_usage", reason=_ONE)
    session = operator_session(manner, place)
    said = {"outcome": chosen[0], "note": note} | ({} if found is None else {"ref": found})
    path = f"/admin/v1/tasks/{quote(id_, safe='')}/resolve"
    task = cast("dict[str, Json]", session.gate.ask("POST", path, cast("Json", said)))
    output = session.output
    if output.form is Form.JSON:
        output.document(task)
        return Exit.DONE
    spent = spent_text(cast("int | None", task["cost_micros"]), cast("int", task["hold_micros"]))
    state = state_text(str(task["state"]))
    output.answer(_RESOLVED.filled(id=str(task["id"]), state=state, said=spent).pick(output.language))
    return Exit.DONE


app = verb(
    "resolve",
    resolve,
    (
        "filmgate tasks resolve ID --found video_123",
        "filmgate tasks resolve ID --give-up --note 'not billed'",
    ),
)
