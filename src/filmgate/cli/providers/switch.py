"""`filmgate providers pause` and `resume`."""

from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.providers.shapes import SwitchedShape
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_PAUSED: Final = Text(
    "{name} is paused: it is sent nothing more. Films that it still makes: {count}.",
    "{name} 已暂停，不再接收新任务。仍在生成：{count} 个。",
)
_RESUMED: Final = Text(
    "{name} is sent films again. Films that it makes: {count}.",
    "{name} 已恢复接收任务。正在生成：{count} 个。",
)


def pause(
    name: Annotated[str, Parameter(name="NAME")], /, *, place: Place = HERE, manner: Manner = PLAIN_MANNER
) -> int:
    """Send a provider nothing more; what it makes goes on."""
    return _switch(name, "pause", _PAUSED, place, manner)


def resume(
    name: Annotated[str, Parameter(name="NAME")], /, *, place: Place = HERE, manner: Manner = PLAIN_MANNER
) -> int:
    """Send a provider films again, also where its failures had shut it."""
    return _switch(name, "resume", _RESUMED, place, manner)


def _switch(name: str, action: str, said: Text, place: Place, manner: Manner) -> int:
    session = operator_session(manner, place)
    path = f"/admin/v1/providers/{quote(name, safe='')}/{action}"
    switched = cast("SwitchedShape", session.gate.ask("POST", path))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", switched))
    else:
        output.answer(output.say(said, name=switched["name"], count=switched["running"]))
    return Exit.DONE


pause_app = verb("pause", pause, ("filmgate providers pause relay",))
resume_app = verb("resume", resume, ("filmgate providers resume relay",))
