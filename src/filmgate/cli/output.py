"""The output contract: stdout is the answer alone, stderr is everything else.

A terminal gets text and tables, a pipe gets JSON; `--json` and `--plain` force their form. Colour and movement are
only for terminals that want them (NO_COLOR, TERM=dumb and CI are obeyed).
"""

import itertools
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, TextIO, TypeAlias

from cyclopts import Group, Parameter

from filmgate.cli.errors import CliError
from filmgate.cli.grid import Grid
from filmgate.cli.text import Text, folded, printable

if TYPE_CHECKING:
    # Drawing is imported where something is drawn: a pipe must not wait for it.
    from rich.console import Console

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"

OUTPUT_GROUP: Final = Group("Output", sort_key=90)


class Form(StrEnum):
    HUMAN = "human"
    JSON = "json"
    PLAIN = "plain"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Manner:
    """How a verb shall speak; every verb takes these."""

    json: Annotated[
        bool, Parameter(group=OUTPUT_GROUP, negative="", help="One JSON document on stdout, as in a pipe.")
    ] = False
    plain: Annotated[
        bool, Parameter(group=OUTPUT_GROUP, negative="", help="Tab-separated lines, without a heading.")
    ] = False
    lang: Annotated[
        Literal["zh", "en"] | None, Parameter(group=OUTPUT_GROUP, help="The language; else by LANG.")
    ] = None
    quiet: Annotated[
        bool,
        Parameter(
            name=["--quiet", "-q"], group=OUTPUT_GROUP, negative="", help="Only the answer, and errors."
        ),
    ] = False
    verbose: Annotated[
        bool,
        Parameter(
            name=["--verbose", "-v"],
            group=OUTPUT_GROUP,
            negative="",
            help="Also each request, and where a bug is.",
        ),
    ] = False

    @property
    def output(self) -> "Output":
        return Output.of(self, os.environ, sys.stdout, sys.stderr)


PLAIN_MANNER: Final = Manner()


@dataclass(frozen=True, slots=True)
class Output:
    """Where a verb's words go."""

    form: Form
    language: str
    quiet: bool
    verbose: bool
    moves: bool
    errors_as_json: bool
    stdout: TextIO
    stderr: TextIO
    consoles: "dict[bool, Console]" = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, manner: Manner, env: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> "Output":
        if manner.json:
            form = Form.JSON
        elif manner.plain:
            form = Form.PLAIN
        else:
            form = Form.HUMAN if stdout.isatty() else Form.JSON
        still = env.get("TERM") == "dumb" or bool(env.get("CI")) or manner.json or manner.quiet
        return cls(
            form=form,
            language=manner.lang or language_of(env),
            quiet=manner.quiet,
            verbose=manner.verbose,
            moves=stderr.isatty() and not still,
            # A pipe's reader may parse stderr, unless it is a person who looks at it.
            errors_as_json=manner.json or (form is Form.JSON and not stderr.isatty()),
            stdout=stdout,
            stderr=stderr,
        )

    def say(self, text: Text, **parameters: str | float) -> str:
        return text.said(self.language, **parameters)

    def note(self, line: str = "", style: str = "", *, prose: bool = False) -> None:
        """Say something beside the answer; prose is broken between words, all else is left whole to be copied."""
        if not self.quiet:
            self._to_stderr(self._folded(line) if prose else line, style)

    def agreed(self, question: Text) -> bool:
        """Ask whoever sits before the terminal; whatever is no yes is a no."""
        self.stderr.write(question.pick(self.language))
        self.stderr.flush()
        return sys.stdin.readline().strip().lower() in _YES

    def trace(self, line: str) -> None:
        if self.verbose:
            self._to_stderr(line, "dim")

    def document(self, value: Json) -> None:
        """Give the answer as one JSON document."""
        indent = 2 if self.stdout.isatty() else None
        print(json.dumps(value, ensure_ascii=False, indent=indent), file=self.stdout, flush=True)

    def line(self, value: Json) -> None:
        """Give one object of a stream of them."""
        print(json.dumps(value, ensure_ascii=False), file=self.stdout, flush=True)

    def answer(self, line: str) -> None:
        print(line, file=self.stdout, flush=True)

    def styled(self, parts: Sequence[tuple[str, str]]) -> None:
        """Give a line of the answer whose parts have styles."""
        from rich.text import Text as Styled  # noqa: PLC0415  # drawing is slow to import

        line = Styled()
        for text, style in parts:
            line.append(printable(text), style)
        self.console().print(line, soft_wrap=True)

    def rows(self, grid: Grid) -> None:
        """Give a table: for people, or tab-separated."""
        if self.form is Form.HUMAN:
            from filmgate.cli.drawing import draw_grid  # noqa: PLC0415  # drawing is slow to import

            draw_grid(self.console(), grid, self.language)
            return
        for row in grid.rows:
            self.answer("\t".join(printable(cell if isinstance(cell, str) else cell.text) for cell in row))

    def error(self, error: CliError) -> None:
        """Say what went wrong, with the way out."""
        message = error.text.pick(self.language)
        if self.errors_as_json:
            details = {**error.details, "exit_code": int(error.exit_code)}
            document = {"error": {"code": error.code, "message": message, "details": details}}
            print(json.dumps(document, ensure_ascii=False), file=self.stderr, flush=True)
            return
        self._to_stderr(self._folded(message), "bold red" if error.exit_code not in _CALM else "yellow")
        suggestion = error.details.get("suggestion")
        if suggestion:
            self._to_stderr(self._folded(str(suggestion)), "")

    def console(self, *, stderr: bool = False) -> "Console":
        """Give the one console of a stream: a line that it prints goes above a bar that it draws."""
        if stderr not in self.consoles:
            from rich.console import Console  # noqa: PLC0415  # drawing is slow to import

            file = self.stderr if stderr else self.stdout
            self.consoles[stderr] = Console(file=file, highlight=False, emoji=False, markup=False)
        return self.consoles[stderr]

    def _folded(self, line: str) -> str:
        if not self.stderr.isatty():
            return line
        from rich.cells import cell_len  # noqa: PLC0415  # drawing is slow to import

        return folded(line, self.console(stderr=True).width, cell_len)

    def _to_stderr(self, line: str, style: str) -> None:
        if self.stderr.isatty() and (style or True in self.consoles):
            self.console(stderr=True).print(line, style=style or None, soft_wrap=True)
        else:
            print(line, file=self.stderr, flush=True)


_YES: Final = frozenset({"y", "yes", "是"})
# Leaving is no failure.
_CALM: Final = frozenset({8, 130})


def language_of(env: Mapping[str, str]) -> str:
    """Read the language from the locale's variables, the strongest first."""
    said = next((env[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    return "zh" if said.lower().startswith("zh") else "en"


def manner_of(words: Iterable[str]) -> Manner:
    """Read from the bare command line how to speak about an error in it."""
    given = list(words)
    lang = next((after for word, after in itertools.pairwise(given) if word == "--lang"), None)
    lang = next((word.removeprefix("--lang=") for word in given if word.startswith("--lang=")), lang)
    return Manner(
        json="--json" in given,
        plain="--plain" in given,
        lang="zh" if lang == "zh" else "en" if lang == "en" else None,
        quiet="-q" in given or "--quiet" in given,
        verbose="-v" in given or "--verbose" in given,
    )
