"""`filmgate quote`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.generate import RUN, read_prompt
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.measures import clip_lengths, clock_time, moment, money
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.session import Session, open_session
from filmgate.cli.shapes import ModelPageShape, QuoteShape
from filmgate.cli.spending import arithmetic, ask_price, shortage
from filmgate.cli.tasks.receipt import line_row
from filmgate.cli.text import Text
from filmgate.cli.verb import verb
from filmgate.cli.wish import PLAIN_FILM, FilmOptions, Wish

_LINE_COLUMNS: Final = (
    Column(Text("what", "项目")),
    Column(Text("arithmetic", "计算"), right=True, style="dim"),
    Column(Text("amount", "金额"), right=True),
)
_MODEL_COLUMNS: Final = (
    Column(Text("model", "模型"), style="bold"),
    Column(Text("seconds", "秒"), right=True),
    Column(Text("size", "尺寸"), right=True, from_width=70),
    Column(Text("arithmetic", "计算"), right=True, style="dim", shrinks=True, from_width=70),
    Column(Text("price", "价格"), right=True),
    Column(Text("left after", "之后剩余"), right=True),
)
_TOTAL: Final = Text("total", "合计")
_LEFT: Final = Text("left now", "当前剩余")
_AFTER: Final = Text("left after", "之后剩余")
_UNLIMITED: Final = Text("no limit", "不限")
_BINDS: Final = Text(
    "The price binds for {clock}, once, with this header:", "报价 {clock} 内有效，限用一次，请带上请求头："
)
_CANNOT: Final = Text("{count} more models cannot make it: {names}", "另有 {count} 个模型无法生成：{names}")


def quote(
    prompt: Annotated[
        str, Parameter(help="What the film shows; `-` reads it from stdin.", allow_leading_hyphen=True)
    ],
    /,
    *,
    film: FilmOptions = PLAIN_FILM,
    every: Annotated[
        bool, Parameter(name="--all", group=RUN, negative="", help="Compare every model that can make it.")
    ] = False,
    for_key: Annotated[
        str | None,
        Parameter(
            group=RUN, help="What this key would pay, by its id or name; for operators, and nothing binds."
        ),
    ] = None,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Say what a film would cost, and what is left then; nothing is started. Exit 5 where it cannot be paid."""
    wish = Wish(read_prompt(prompt), film)
    if every and film.model is not None:
        raise trouble("wrong_usage", reason="--all compares every model: leave --model out.")
    session = open_session(manner, place) if for_key is None else operator_session(manner, place)
    if every:
        return _compared(session, wish.body(), for_key)
    quoted = ask_price(session, wish.body(), key=for_key)
    if session.output.form is Form.JSON:
        session.output.document(cast("Json", quoted))
    else:
        _tell(session, quoted)
    short = shortage(quoted)
    if short is not None:
        raise short
    return Exit.DONE


def _tell(session: Session, quoted: QuoteShape) -> None:
    output = session.output
    if output.form is Form.HUMAN:
        output.styled(
            [(" · ".join((quoted["model"], clip_lengths(quoted["clips"]), quoted["size"])), "bold")]
        )
        output.answer("")
    output.rows(Grid(_LINE_COLUMNS, _lines(quoted, output)))
    for warning in quoted["warnings"]:
        output.note(warning, "yellow")
    expires = moment(quoted.get("expires_at"))
    if expires is not None:
        left_s = max(0.0, (expires - session.clock.now()).total_seconds())
        output.note()
        output.note(output.say(_BINDS, clock=clock_time(left_s)), "dim")
        output.note(f"X-Filmgate-Quote: {quoted['quote_id']}", "dim")


def _lines(quoted: QuoteShape, output: Output) -> Sequence[Sequence[Cell | str]]:
    rows = [line_row(line, output) for line in quoted["lines"]]
    if output.form is Form.PLAIN:
        return [*rows, ["total", "", str(quoted["amount_micros"])]]
    left = quoted["remaining_micros"]
    rows.append([Cell(output.say(_TOTAL), "bold"), "", Cell(money(quoted["amount_micros"]), "bold")])
    rows.append([output.say(_LEFT), "", output.say(_UNLIMITED) if left is None else money(left)])
    if left is not None:
        after = left - quoted["amount_micros"]
        rows.append([output.say(_AFTER), "", Cell(money(after), "red" if after < 0 else "")])
    return rows


def _compared(session: Session, body: Mapping[str, Json], key: str | None) -> int:
    """Quote the same film for each model; those that cannot make it are named beside the table."""
    page = cast("ModelPageShape", session.gate.ask("GET", "/gate/v1/models"))
    found: list[QuoteShape] = []
    refused: list[tuple[str, CliError]] = []
    for model in page["data"]:
        if not model["available"]:
            continue
        try:
            found.append(ask_price(session, {**body, "model": model["name"]}, key=key))
        except CliError as error:
            if error.exit_code not in {Exit.USAGE, Exit.MONEY, Exit.FAILED}:
                raise
            refused.append((model["name"], error))
    found.sort(key=lambda one: (one["amount_micros"], one["model"]))
    output = session.output
    if output.form is Form.JSON:
        said = [
            {"model": name, "code": error.code, "message": error.text.pick(output.language)}
            for name, error in refused
        ]
        output.document({"data": cast("Json", found), "refused": cast("Json", said)})
    else:
        output.rows(Grid(_MODEL_COLUMNS, [_row(one, output) for one in found]))
        if refused:
            names = ", ".join(name for name, _ in refused)
            output.note()
            output.note(output.say(_CANNOT, count=len(refused), names=names), "dim", prose=True)
    return _payable(found, refused)


def _payable(found: Sequence[QuoteShape], refused: Sequence[tuple[str, CliError]]) -> int:
    if not found:
        raise refused[-1][1] if refused else trouble("wrong_usage", reason="No model is available here.")
    short = shortage(found[0])
    if short is not None:
        raise short
    return Exit.DONE


def _row(quoted: QuoteShape, output: Output) -> Sequence[Cell | str]:
    left, price = quoted["remaining_micros"], quoted["amount_micros"]
    sums = arithmetic(quoted["lines"])
    if output.form is Form.PLAIN:
        after = "" if left is None else str(left - price)
        return [quoted["model"], str(sum(quoted["clips"])), quoted["size"], sums, str(price), after]
    after = output.say(_UNLIMITED) if left is None else money(left - price)
    style = "red" if left is not None and left < price else ""
    return [
        quoted["model"],
        str(sum(quoted["clips"])),
        quoted["size"],
        sums,
        money(price),
        Cell(after, style),
    ]


app = verb(
    "quote",
    quote,
    (
        'filmgate quote "a paper boat on a rainy street" --model veo3.1 --seconds 8',
        'filmgate quote "a paper boat" --size 9:16 --all',
        'filmgate quote "a paper boat" --json | jq .amount_micros',
        'filmgate quote "a paper boat" --for-key shop',
    ),
)
