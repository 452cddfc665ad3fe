"""`filmgate webhooks replay`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.text import Text
from filmgate.cli.verb import verb
from filmgate.cli.webhooks.shapes import DeliveryShape, deliveries_path

_DUE: Final = Text("{id} is told again now, to {url}.", "{id} 正在重新投递至 {url}。")


def replay(
    delivery: Annotated[str, Parameter(name="ID")],
    /,
    *,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Tell one delivery again, with the same id and the same bytes."""
    session = role_session(manner, place, role)
    path = f"{deliveries_path(session)}/{quote(delivery, safe='')}/replay"
    answer = cast("DeliveryShape", session.gate.ask("POST", path))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", answer))
    else:
        output.answer(output.say(_DUE, id=answer["id"], url=answer["url"]))
    return Exit.DONE


app = verb(
    "replay",
    replay,
    (
        "filmgate webhooks replay wh_01a1feef57bc7b10acdae21ab74422fc",
        "filmgate webhooks replay wh_01a1feef57bc7b10acdae21ab74422fc --as-operator",
    ),
)
