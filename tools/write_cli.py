"""Write docs/cli.md from the program's own help; a test holds the page against it."""

from collections.abc import Iterator
from pathlib import Path

from cyclopts import App, Argument, Group

from filmgate.cli.address import GATE_GROUP
from filmgate.cli.errors import EXIT_TEXTS
from filmgate.cli.output import OUTPUT_GROUP
from filmgate.cli.program import make_program

HEAD = """# The command line

`filmgate VERB --help` says the same, and `filmgate help exit-codes` the codes below. stdout is the answer alone, all
else goes to stderr: a terminal gets text and tables, a pipe gets one JSON document (or one object a line, where answers
come one after the other). Prices are said before anything is sent, and what is above $1 is asked about. Ctrl-C never
cancels a film.

Verbs that talk to a gate find it by `--base-url`, `FILMGATE_BASE_URL`, or the data folder of a gate on this machine;
their key stands in `FILMGATE_API_KEY`, that of operators in `FILMGATE_ADMIN_KEY` (each may be a file instead:
`FILMGATE_API_KEY_FILE`). On the gate's own machine its data folder is enough. A secret is never an option.
"""
SHARED = (OUTPUT_GROUP, GATE_GROUP)


def page() -> str:
    program = make_program()
    listing = next(_verbs(program["tasks"], ("tasks",)))[1]
    parts = [HEAD]
    for group, title in zip(
        SHARED, ("Every verb takes", "Every verb that talks to a gate takes"), strict=True
    ):
        parts.append(
            f"{title}:\n\n{_table([one for one in _options(listing) if _group(one) == group.name])}\n"
        )
    codes = "\n".join(f"| {int(code)} | {text.en} | {text.zh} |" for code, text in EXIT_TEXTS.items())
    parts.append(f"## Exit codes\n\n| code | meaning | 含义 |\n|---|---|---|\n{codes}\n")
    parts += [_section(path, app) for path, app in _verbs(program)]
    return "\n".join(parts)


def _verbs(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    for name in app:
        if not name.startswith("-"):
            yield (*path, name), app[name]
            yield from _verbs(app[name], (*path, name))


def _section(path: tuple[str, ...], app: App) -> str:
    examples = "\n".join(line.strip() for line in (app.help_prologue or "").strip().splitlines())
    parts = [f"{'#' * (len(path) + 1)} filmgate {' '.join(path)}\n", f"{_said(app)}\n"]
    if app.default_command is not None:
        parts.append(f"```sh\n{examples}\n```\n")
        own = [one for one in _options(app) if _group(one) not in {group.name for group in SHARED}]
        if own:
            parts.append(f"{_table(own)}\n")
    return "\n".join(parts)


def _said(app: App) -> str:
    """Give a verb's help as one paragraph a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in app.help.split("\n\n"))


def _options(app: App) -> list[Argument]:
    return [one for one in app.assemble_argument_collection() if one.show and one.names]


def _group(option: Argument) -> str:
    groups = option.parameter.group
    return groups.name if isinstance(groups, Group) else next((one.name for one in _several(groups)), "")


def _several(groups: object) -> Iterator[Group]:
    yield from (one for one in groups if isinstance(one, Group)) if isinstance(groups, tuple) else ()


def _table(options: list[Argument]) -> str:
    rows = [f"| {_named(one)} | {_meaning(one)} |" for one in options]
    return "\n".join(["| option | what it does |", "|---|---|", *rows])


def _named(option: Argument) -> str:
    return ", ".join(f"`{name}`" for name in option.names)


def _meaning(option: Argument) -> str:
    choices = option.get_choices()
    said = option.parameter.help or ""
    if choices:
        said += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    if option.required:
        said += " Needed."
    return said.strip().replace("|", "\\|")


def main() -> None:
    (Path(__file__).parents[1] / "docs" / "cli.md").write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
