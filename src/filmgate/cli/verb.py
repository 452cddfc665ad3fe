"""How a verb is declared: its function, and its examples, which come first in its help."""

from collections.abc import Callable, Sequence

from cyclopts import App


def verb(name: str, function: Callable[..., int], examples: Sequence[str]) -> App:
    app = App(name=name, help_prologue=examples_text(examples))
    app.default(function)
    return app


def group(name: str, examples: Sequence[str], verbs: Sequence[tuple[str, str, str]]) -> App:
    """Declare a verb of verbs: each has a name, a module with its attribute, and one sentence."""
    app = App(name=name, help_prologue=examples_text(examples))
    for order, (child, path, help_) in enumerate(verbs):
        app.command(f"filmgate.cli.{path}", name=child, sort_key=order, help=help_)
    return app


def examples_text(examples: Sequence[str]) -> str:
    return "\n" + "\n".join(f"  {line}" for line in examples) + "\n\n"
