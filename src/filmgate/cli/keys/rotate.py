"""`filmgate keys rotate`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.keys.create import tell_once
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import moment
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.shapes import RotatedKeyShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_FORMER: Final = Text(
    "The former key ({id}) goes on until {until}; a budget went over to the new one. Sooner: filmgate keys revoke {id}",
    "原密钥（{id}）在 {until} 前仍可使用，预算已转到新密钥。立即停用：filmgate keys revoke {id}",
)


def rotate(
    key: Annotated[str, Parameter(name="ID-OR-NAME")],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Put a new key in a key's place, with the same settings; the former one lives on for a day.

    A budget goes over to the new key with what is left of it, so that the two together never pass it. The former one
    then starts only what costs nothing, and reads everything.
    """
    session = operator_session(manner, place)
    made = cast("RotatedKeyShape", session.gate.ask("POST", f"/admin/v1/keys/{quote(key, safe='')}/rotate"))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", made))
        return Exit.DONE
    output.answer(made["key"])
    if output.form is Form.HUMAN:
        until = moment(made["former"]["expires_at"])
        said = "" if until is None else until.astimezone().strftime("%Y-%m-%d %H:%M")
        output.note(output.say(_FORMER, id=made["former"]["id"], until=said))
        tell_once(session, made)
    return Exit.DONE


app = verb("rotate", rotate, ("filmgate keys rotate 7", "filmgate keys rotate ci --json | jq -r .key"))
