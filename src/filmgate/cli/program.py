"""The command line: its verbs, and how each run of it ends."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.exceptions import UnknownOptionError

from filmgate import __version__
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.output import Output, manner_of
from filmgate.cli.pages import QuietPages

_START: Final = Group("Start", sort_key=1)
_FILMS: Final = Group("Films", sort_key=2)
_OPERATE: Final = Group("Operate", sort_key=3)
_ALSO: Final = Group("Also", sort_key=99)
_SECRET_FLAG: Final = re.compile(r"--(?:api-?|admin-?)?(?:key|token|secret|password)\b")

_EXAMPLES: Final = """
  filmgate serve --open
  filmgate generate "a paper boat on a rainy street / 雨巷里的纸船"

"""


def make_program() -> App:
    """Build the program; a verb's module is imported when the verb is used."""
    program = App(
        name="filmgate",
        help="One self-hosted gate in front of all video models.",
        help_prologue=_EXAMPLES,
        help_epilogue="Each verb: filmgate VERB --help · Exit codes: filmgate help exit-codes\n",
        help_format="plaintext",
        help_formatter=QuietPages(),
        version=__version__,
        default_parameter=Parameter(show_default=False),
        exit_on_error=False,
        print_error=False,
        help_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for order, (name, path, group, help_) in enumerate(_VERBS):
        program.command(f"filmgate.cli.{path}", name=name, group=group, sort_key=order, help=help_)
    for flag in ("--help", "--version"):
        program[flag].group = (_ALSO,)
    return program


_VERBS: Final = (
    ("serve", "serve:app", _START, "Start a gate: server, engine and database."),
    ("demo", "demo.verb:app", _START, "Start a gate for a moment, and make a film in every dialect."),
    ("generate", "generate:app", _FILMS, "Make a film, wait for it, and put it into this folder."),
    ("tasks", "tasks.verbs:app", _FILMS, "List, show, watch, download, cancel and retry films."),
    ("quote", "quote:app", _FILMS, "Say what a film would cost; nothing is started."),
    ("models", "models:app", _FILMS, "Say what each model can do, what it costs, and how long it takes."),
    ("keys", "keys.verbs:app", _OPERATE, "Create, list, change, rotate and revoke keys."),
    ("accounts", "accounts.verbs:app", _OPERATE, "List, open, limit and top up accounts."),
    ("providers", "providers.verbs:app", _OPERATE, "List, test, pause and resume providers."),
    ("prices", "prices:app", _OPERATE, "Say what each model costs, and what it costs us."),
    ("ledger", "ledger.verbs:app", _OPERATE, "Check the books, and export them."),
    ("webhooks", "webhooks.verbs:app", _OPERATE, "List what was told of films, and tell it again."),
    ("doctor", "doctor.verb:app", _OPERATE, "Check everything that a gate needs."),
    ("worker", "worker:app", _OPERATE, "Run an engine for a gate on another machine."),
    ("mirage", "mirage:app", _OPERATE, "Start a vendor that is not there, for rehearsals."),
    ("help", "topics:app", _OPERATE, "Explain a verb, or `exit-codes`."),
)


def run(words: Sequence[str]) -> int:
    """Run one command line and give its exit code; nothing but this code and the two streams comes out of it."""
    output = Output.of(manner_of(words), os.environ, sys.stdout, sys.stderr)
    try:
        code = make_program()(list(words))
        sys.stdout.flush()
    except CliError as error:
        output.error(error)
        return error.exit_code
    except CycloptsError as error:
        output.error(_usage(error))
        return Exit.USAGE
    except KeyboardInterrupt:
        output.error(trouble("stopped"))
        return Exit.DETACHED
    except BrokenPipeError:
        # The reader has what it wanted; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except Exception as error:  # noqa: BLE001  # whatever escapes is a bug, and is said as one
        output.trace(traceback.format_exc())
        output.error(trouble("bug", reason=f"{type(error).__name__}: {error}"))
        return Exit.BUG
    return code if isinstance(code, int) else Exit.DONE


def _usage(error: CycloptsError) -> CliError:
    error.verbose = False
    said = str(error)
    if isinstance(error, UnknownOptionError) and _SECRET_FLAG.search(said):
        return trouble("secret_as_flag")
    return trouble("wrong_usage", reason=said)
