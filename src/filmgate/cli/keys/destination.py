"""`filmgate keys destination`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_NONE: Final = "none"
_SET: Final = Text(
    "Films of key {id} go into {destination}, if its requests say nothing else.",
    "密钥 {id} 的视频默认投递到 {destination}，请求另有指定的除外。",
)
_UNSET: Final = Text(
    "Films of key {id} go nowhere else, unless its requests say so.",
    "密钥 {id} 的视频默认不再投递，请求另有指定的除外。",
)


def destination(
    id_: Annotated[int, Parameter(name="ID")],
    name: Annotated[str, Parameter(name="DESTINATION")],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Say into which destination the films of a key go, if its requests say nothing else; `none` for none."""
    session = operator_session(manner, place)
    wanted = None if name == _NONE else name
    path = f"/admin/v1/keys/{quote(str(id_), safe='')}/destination"
    answer = cast("dict[str, Json]", session.gate.ask("POST", path, {"destination": wanted}))
    output = session.output
    if output.form is Form.JSON:
        output.document(answer)
    else:
        output.answer(output.say(_UNSET if wanted is None else _SET, id=id_, destination=name))
    return Exit.DONE


app = verb(
    "destination",
    destination,
    ("filmgate keys destination 7 team-bucket", "filmgate keys destination 7 none"),
)
