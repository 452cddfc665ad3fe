"""`filmgate mirage`: a vendor that is not there."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from filmgate.cli.errors import Exit, trouble
from filmgate.cli.output import PLAIN_MANNER, Manner
from filmgate.cli.verb import verb


def mirage(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 is a free one.")] = 0,
    data: Annotated[
        Path | None, Parameter(help="Where its log and films are kept; else a new folder.")
    ] = None,
    lie: Annotated[
        list[str] | None,
        Parameter(negative="", help="Tell this lie of every job (also in a prompt: --mirage=LIE)."),
    ] = None,
    takes: Annotated[float, Parameter(help="How many seconds a job takes.")] = 1.0,
    lose_replies: Annotated[
        float, Parameter(help="The share of replies that are lost, 0 to 1, by the seed.")
    ] = 0.0,
    seed: int = 0,
    idempotent: Annotated[bool, Parameter(help="Replay by Idempotency-Key.")] = False,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Start a video vendor that is none: it draws test cards, lies on request, and logs what it was asked."""
    del manner
    from filmgate.mirage import MirageSettings, run  # noqa: PLC0415  # slow to import

    try:
        settings = MirageSettings(
            host=host,
            port=port,
            data=data,
            lies=frozenset(lie or ()),
            takes_s=takes,
            lose_replies=lose_replies,
            seed=seed,
            idempotent=idempotent,
        )
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    run(settings)
    return Exit.DONE


app = verb(
    "mirage",
    mirage,
    ("filmgate mirage --port 9100 --takes 3", "filmgate mirage --lie fail --lose-replies 0.2"),
)
