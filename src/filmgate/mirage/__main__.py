"""`python -m filmgate.mirage`: the vendor as a program of its own."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filmgate.mirage.catalogue import listing
from filmgate.mirage.log import LogInUseError
from filmgate.mirage.program import Place, run
from filmgate.mirage.terms import PRIVATE_URL, read_terms


def main(arguments: Sequence[str] | None = None) -> None:
    """Run by these arguments, else by the process's own; a wrong one ends the process with status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        place = Place(host=given.host, port=given.port, folder=given.data, terms=read_terms(vars(given)))
    except ValueError as error:
        parser.error(str(error))
    try:
        run(place)
    except (LogInUseError, OSError) as error:
        sys.exit(f"filmgate mirage: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="filmgate mirage",
        description="A video vendor for tests, with the API of OpenAI Videos.",
        epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_place(parser.add_argument)
    _add_lies(parser.add_argument)
    _add_terms(parser.add_argument)
    return parser


def _add_place(add: Callable[..., Any]) -> None:
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 is a free one")
    add("--data", type=Path, metavar="DIR", help="where its log and films are kept; a new folder by default")


def _add_lies(add: Callable[..., Any]) -> None:
    add("--lie", action="append", default=[], metavar="LIE", help="tell this lie of every job")
    add("--dice", action="append", default=[], metavar="LIE=SHARE", help="and this one of a share, 0 to 1")
    add("--lose-replies", type=float, default=0.0, metavar="SHARE", help="short for --dice lost-reply=SHARE")
    add("--seed", type=int, default=0, help="what the dice and the ids are made of")
    add("--private-url", default=PRIVATE_URL, metavar="URL", help="where lies about private addresses lead")


def _add_terms(add: Callable[..., Any]) -> None:
    switch = argparse.BooleanOptionalAction
    add("--takes", type=float, default=1.0, metavar="SECONDS", help="how long a job takes")
    add("--fast", action=switch, default=False, help="draw nothing: each job is one tiny film")
    add("--key", action="append", default=[], help="an API key that it takes; none lets everyone in")
    add("--idempotent", action=switch, default=False, help="replay by Idempotency-Key")
    add("--lookup", action=switch, default=False, help="GET /v1/videos?idempotency_key=KEY finds its job")
    add("--visible-after", type=float, default=0.0, metavar="SECONDS", help="how long lists leave a job out")
    add("--submits-per-minute", type=int, metavar="N", help="by credential; 429 above it")
    add("--in-flight", type=int, metavar="N", help="jobs of a credential at once; 429 above it")
    add("--poll-after", type=float, default=0.25, metavar="SECONDS", help="openai-poll-after-ms; 0 says none")
    add("--callback", metavar="URL", help="where the ends of jobs are posted; {id} and {key} are filled in")
    add(
        "--callback-secret", metavar="SECRET", help="signs them as Standard Webhooks ask; whsec_... or a text"
    )
    add("--log-polls", action=switch, default=True, help="log polls as well")


if __name__ == "__main__":
    main()
