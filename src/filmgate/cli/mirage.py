"""`filmgate mirage`: a vendor that is not there."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from filmgate.cli.errors import Exit, trouble
from filmgate.cli.output import PLAIN_MANNER, Manner
from filmgate.cli.verb import verb
from filmgate.mirage.catalogue import listing
from filmgate.mirage.terms import PRIVATE_URL, read_terms

_LIES = Group("Lies", sort_key=1)
_LIMITS = Group("Limits and look-ups", sort_key=2)
_CALLBACKS = Group("Callbacks", sort_key=3)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class _Trade:
    takes: Annotated[float, Parameter(help="How many seconds a job takes.")] = 1.0
    fast: Annotated[bool, Parameter(help="Draw nothing: each job is one tiny film.")] = False
    key: Annotated[
        list[str] | None, Parameter(negative="", help="An API key that it takes; without one, all.")
    ] = None
    poll_after: Annotated[float, Parameter(help="openai-poll-after-ms, in seconds; 0 says none.")] = 0.25
    log_polls: Annotated[bool, Parameter(help="Log polls as well.")] = True


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class _Lying:
    lie: Annotated[
        list[str] | None, Parameter(group=_LIES, negative="", help="Tell this lie of every job.")
    ] = None
    dice: Annotated[
        list[str] | None,
        Parameter(group=_LIES, negative="", help="LIE=SHARE: tell it of a share of the submits, 0 to 1."),
    ] = None
    lose_replies: Annotated[float, Parameter(group=_LIES, help="Short for --dice lost-reply=SHARE.")] = 0.0
    seed: Annotated[int, Parameter(group=_LIES, help="What the dice and the ids are made of.")] = 0
    private_url: Annotated[str, Parameter(group=_LIES, help="Where lies about private addresses lead.")] = (
        PRIVATE_URL
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class _Limits:
    idempotent: Annotated[bool, Parameter(group=_LIMITS, help="Replay by Idempotency-Key.")] = False
    lookup: Annotated[
        bool, Parameter(group=_LIMITS, help="GET /v1/videos?idempotency_key=KEY finds its job.")
    ] = False
    visible_after: Annotated[
        float, Parameter(group=_LIMITS, help="How many seconds lists leave a job out.")
    ] = 0.0
    submits_per_minute: Annotated[
        int | None, Parameter(group=_LIMITS, help="By credential; 429 above it.")
    ] = None
    in_flight: Annotated[
        int | None, Parameter(group=_LIMITS, help="Jobs of a credential at once; 429 above it.")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class _Calling:
    callback: Annotated[
        str | None,
        Parameter(group=_CALLBACKS, help="Where ends of jobs are posted; {id} and {key} are filled in."),
    ] = None
    callback_secret: Annotated[
        str | None,
        Parameter(group=_CALLBACKS, help="Signs them as Standard Webhooks ask; whsec_... or a text."),
    ] = None


_TRADE, _LYING, _LIMITED, _CALLING = _Trade(), _Lying(), _Limits(), _Calling()


def mirage(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 is a free one.")] = 0,
    data: Annotated[
        Path | None, Parameter(help="Where its log and films are kept; else a new folder.")
    ] = None,
    trade: _Trade = _TRADE,
    lying: _Lying = _LYING,
    limits: _Limits = _LIMITED,
    calling: _Calling = _CALLING,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Start a video vendor that is none: it draws test cards, lies on request, and logs what it was asked."""
    del manner
    try:
        terms = read_terms(asdict(trade) | asdict(lying) | asdict(limits) | asdict(calling))
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    from filmgate.mirage.log import LogInUseError  # noqa: PLC0415  # as below
    from filmgate.mirage.program import Place, run  # noqa: PLC0415  # slow to import

    try:
        run(Place(host=host, port=port, folder=data, terms=terms))
    except (LogInUseError, OSError) as error:
        raise trouble("wrong_usage", reason=str(error)) from None
    return Exit.DONE


app = verb(
    "mirage",
    mirage,
    (
        "filmgate mirage --port 9100 --takes 3",
        "filmgate mirage --lie slow-poll:2 --dice lost-reply=0.1 --seed 7",
        "filmgate mirage --fast --lookup --visible-after 3 --submits-per-minute 600",
    ),
)
app.help_epilogue = listing()
