"""`python -m filmgate.mirage`: the vendor as a program of its own."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from filmgate.mirage import MirageSettings, run
from filmgate.mirage.lies import LIES


def main(arguments: Sequence[str] | None = None) -> None:
    """Run by these arguments, else by the process's own; a wrong one ends the process with status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        settings = MirageSettings(
            host=given.host,
            port=given.port,
            data=given.data,
            lies=frozenset(given.lie),
            takes_s=given.takes,
            lose_replies=given.lose_replies,
            seed=given.seed,
            idempotent=given.idempotent,
            key=given.key,
        )
    except ValueError as error:
        parser.error(str(error))
    run(settings)


def _parser() -> argparse.ArgumentParser:
    lies = "".join(f"\n  {name:20}{meaning}" for name, meaning in LIES.items())
    parser = argparse.ArgumentParser(
        prog="filmgate mirage",
        description="A video vendor for tests, with the API of OpenAI Videos.",
        epilog=f"Lies, also in a prompt as --mirage=LIE:{lies}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 is a free one")
    parser.add_argument("--data", type=Path, help="where its log and films are kept; a new folder by default")
    parser.add_argument(
        "--lie", action="append", default=[], metavar="LIE", help="tell this lie of every job"
    )
    parser.add_argument("--takes", type=float, default=1.0, metavar="SECONDS", help="how long a job takes")
    parser.add_argument(
        "--lose-replies", type=float, default=0.0, metavar="SHARE", help="0 to 1, by the seed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--key", default="", help="the API key that it demands; none lets everyone in")
    parser.add_argument(
        "--idempotent", action=argparse.BooleanOptionalAction, default=False, help="replay by Idempotency-Key"
    )
    return parser


if __name__ == "__main__":
    main()
