"""`filmgate keys revoke`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import PLAIN_MANNER, Form, Manner
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_REVOKED: Final = Text("{count} revoked.", "已吊销 {count} 个密钥。")


def revoke(
    key: Annotated[str, Parameter(name="ID-OR-NAME")],
    /,
    *,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Revoke a key by its id, or all keys of a name; what they made stays their account's."""
    session = operator_session(manner, place)
    answer = cast("dict[str, int]", session.gate.ask("DELETE", f"/admin/v1/keys/{quote(key, safe='')}"))
    output = session.output
    if output.form is Form.JSON:
        output.document(answer)
    else:
        output.answer(output.say(_REVOKED, count=answer["revoked"]))
    return Exit.DONE


app = verb("revoke", revoke, ("filmgate keys revoke 7", "filmgate keys revoke ci"))
