"""`filmgate help`: a verb's help, or a topic's."""

from typing import Final

from cyclopts import App

from filmgate.cli.errors import EXIT_TEXTS, Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.output import PLAIN_MANNER, Form, Manner
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_COLUMNS: Final = (
    Column(Text("code", "退出码"), right=True, style="bold"),
    Column(Text("meaning", "含义"), wraps=True),
)


def help_(*topic: str, manner: Manner = PLAIN_MANNER) -> int:
    """Explain a verb, or `exit-codes`."""
    if topic != ("exit-codes",):
        from filmgate.cli.program import make_program  # noqa: PLC0415  # the program imports this module too

        program: App = make_program()
        program([*topic, "--help"])
        return Exit.DONE
    output = manner.output
    if output.form is Form.JSON:
        output.document({str(int(code)): output.say(text) for code, text in EXIT_TEXTS.items()})
        return Exit.DONE
    output.rows(
        Grid(_COLUMNS, [[Cell(str(int(code))), output.say(text)] for code, text in EXIT_TEXTS.items()])
    )
    return Exit.DONE


app = verb("help", help_, ("filmgate help generate", "filmgate help exit-codes"))
