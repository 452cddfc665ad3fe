"""`filmgate worker`: an engine beside the one of a gate, on another machine or in another data folder."""

from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from filmgate.cli.errors import trouble
from filmgate.cli.output import PLAIN_MANNER, Form, Manner
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_STARTED: Final = Text("Working on the gate's films; Ctrl-C stops.", "正在处理网关的任务，Ctrl-C 停止。")
_STOPPED: Final = Text("Stopped.", "已停止。")


def worker(
    *,
    data: Annotated[
        Path | None, Parameter(help="A data folder of its own; else FILMGATE_DATA, else this user's own.")
    ] = None,
    config: Annotated[
        Path | None, Parameter(help="The settings file; else FILMGATE_CONFIG, else ./filmgate.toml.")
    ] = None,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Run an engine that shares the database, bucket and secret of a gate elsewhere: no web, no database."""
    from filmgate.settings import BadSettingsError, Settings  # noqa: PLC0415  # slow to import
    from filmgate.supervisor import CannotServeError, work  # noqa: PLC0415  # slow to import

    output = manner.output
    flags: dict[str, Any] = {} if data is None else {"data": data.expanduser()}

    def greet() -> None:
        output.note(output.say(_STARTED), "green")
        if output.form is Form.JSON:
            output.document({"data": str(settings.data)})

    try:
        settings = Settings.load(flags, config)
        code = work(settings, flags, config, output.note, greet)
    except BadSettingsError as error:
        raise trouble("bad_settings", reason=str(error)) from None
    except CannotServeError as error:
        raise trouble("cannot_serve", reason=str(error)) from None
    output.note("\n" + output.say(_STOPPED), "dim")
    return code


app = verb("worker", worker, ("filmgate worker", "filmgate worker --data /var/lib/filmgate-worker"))
