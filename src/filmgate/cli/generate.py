"""`filmgate generate`: from a prompt to a file."""

import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, cast
from uuid import UUID

from cyclopts import Group, Parameter

from filmgate.cli.address import HERE, Place, find_address, reason_of
from filmgate.cli.board import download_sight, open_board, sight_of
from filmgate.cli.client import AwayError, UnreachableError
from filmgate.cli.curl import curl_line
from filmgate.cli.download import fetch_film
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.measures import file_size, moment
from filmgate.cli.naming import film_name
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.saying import Dialect, say
from filmgate.cli.session import STRANGER_S, Session, open_session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.sight import Board
from filmgate.cli.spending import CAREFUL, Consent, Spending, agree, ask_price, price_line
from filmgate.cli.text import ENDS, Text
from filmgate.cli.verb import verb
from filmgate.cli.watching import detached, ending, failure, follow, timeout_of
from filmgate.cli.wish import PLAIN_FILM, FilmOptions, Wish

RUN: Final = Group("Run", sort_key=20)

_CREATE_S: Final = 60.0
# A quote that is about to expire might be refused on the way.
_QUOTE_SPARE: Final = timedelta(minutes=3)
_MAYBE_ARRIVED: Final = Text(
    "If the request arrived, the film is being made: `filmgate tasks list`",
    "若请求已送达，视频正在生成：`filmgate tasks list`",
)
_SAME_WITH_CURL: Final = Text("The same with curl:", "等价的 curl 命令：")
_KEY_LIES_IN: Final = Text(
    "FILMGATE_API_KEY is `api_key` in {path}", "FILMGATE_API_KEY 即 {path} 中的 `api_key`"
)
_ACCEPTED: Final = Text(
    "accepted · watch it: `filmgate tasks watch {id}`", "已受理 · 查看进度：`filmgate tasks watch {id}`"
)


def generate(
    prompt: Annotated[
        str, Parameter(help="What the film shows; `-` reads it from stdin.", allow_leading_hyphen=True)
    ],
    /,
    *,
    film: FilmOptions = PLAIN_FILM,
    output: Annotated[
        str | None,
        Parameter(name=["--output", "-o"], group=RUN, help="File or folder; else named after the prompt."),
    ] = None,
    detach: Annotated[bool, Parameter(group=RUN, negative="", help="Do not wait; give the task.")] = False,
    timeout: Annotated[
        str | None, Parameter(group=RUN, help="Wait at most 90, 90s or 5m; the film goes on.")
    ] = None,
    curl: Annotated[
        bool, Parameter(group=RUN, negative="", help="Print the equivalent curl line, and send nothing.")
    ] = False,
    dialect: Annotated[Dialect | None, Parameter(group=RUN, help="The dialect of the curl line.")] = None,
    spending: Spending = CAREFUL,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Make a film, wait for it, and put it into this folder. Its price is said before, and its receipt after."""
    wish = Wish(read_prompt(prompt), film)
    if curl:
        manner.output.answer(curl_line(wish, find_address(place, os.environ).base_url, dialect))
        return Exit.DONE
    # What cannot be said is refused while nothing has been sent.
    say(wish, dialect)
    wait_s, consent = timeout_of(timeout), spending.consent(os.environ)
    target = None if detach else _writable(_target(wish.prompt, output))
    session = open_session(manner, place)
    task = _accepted(session, wish.body(), consent)
    if target is None:
        return _detached(session, task)
    try:
        task, path = _made(session, task, target, wait_s)
    except KeyboardInterrupt:
        raise _left(task) from None
    return _told(session, wish, dialect, task, path)


def read_prompt(given: str) -> str:
    prompt = sys.stdin.read().strip() if given == "-" else given
    if not prompt.strip():
        raise trouble("empty_prompt")
    return prompt


def _target(prompt: str, output: str | None) -> Path:
    if output is None:
        return Path(film_name(prompt))
    path = Path(output).expanduser()
    return path / film_name(prompt) if path.is_dir() or output.endswith(("/", os.sep)) else path


def _writable(target: Path) -> Path:
    """Refuse now what could not be written after the film was made."""
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            return target
    except OSError as error:
        raise trouble("unwritable", path=str(target), reason=f"{folder}: {reason_of(error)}") from None


def _accepted(session: Session, body: Mapping[str, Json], consent: Consent) -> TaskShape:
    """Agree on a price, and have the film accepted at that price."""
    quote = ask_price(session, body)
    session.output.note(price_line(quote, session.output), "bold")
    for warning in quote["warnings"]:
        session.output.note(warning, "yellow")
    agree(session.output, quote, consent)
    asked, expires = session.clock.now(), moment(quote["expires_at"])
    if expires is not None and expires - asked < _QUOTE_SPARE:
        # Somebody thought about it for long: what was agreed to stays the most that it may cost.
        return _sent(session, body, {"x-filmgate-max-cost": str(quote["amount_micros"])})
    return _sent(session, body, {"x-filmgate-quote": quote["quote_id"], **consent.headers})


def _sent(session: Session, body: Mapping[str, Json], terms: Mapping[str, str]) -> TaskShape:
    """Send the wish until it is answered, always with the same key, so that it is made once."""
    key = str(UUID(bytes=session.chance.bytes(16), version=4))
    tries = _Tries()

    def send() -> TaskShape:
        with tries:
            headers = {"idempotency-key": key, **terms}
            answer = session.gate.ask("POST", "/gate/v1/tasks", body, headers=headers, timeout_s=_CREATE_S)
            return cast("TaskShape", answer)

    try:
        return session.persist(send, stranger_s=STRANGER_S, after=_MAYBE_ARRIVED)
    except KeyboardInterrupt:
        raise trouble("unanswered" if tries.unanswered else "not_started") from None


class _Tries:
    """Remembers whether a request may have arrived although no answer came."""

    def __init__(self) -> None:
        self.unanswered = False

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, UnreachableError):
            self.unanswered |= error.sent
        elif isinstance(error, KeyboardInterrupt):
            self.unanswered = True
        elif not isinstance(error, AwayError):
            self.unanswered = False


def _detached(session: Session, task: TaskShape) -> int:
    output = session.output
    output.note(output.say(_ACCEPTED, id=task["id"]), "dim")
    if output.form is Form.JSON:
        output.document(cast("dict[str, str]", task))
    else:
        output.answer(task["id"])
    return Exit.DONE


def _made(
    session: Session, task: TaskShape, target: Path, wait_s: float | None
) -> tuple[TaskShape, Path | None]:
    output = session.output
    with open_board(output) as board:
        for seen in follow(session, task, wait_s):
            task = seen
            if task["state"] not in ENDS:
                board.see(task["id"], sight_of(task, output))
        path = None
        if task["state"] == "succeeded":
            path = fetch_film(session, task, target, on_bytes(board, task, output))
        board.end(task["id"], ending(task, output, path), task["state"])
    return task, path


def on_bytes(board: Board, task: TaskShape, output: Output, label: str = "") -> Callable[[int, int], None]:
    """Give what shows a download in the film's own line."""
    elapsed_s = task["waited_s"] + task["running_s"]

    def seen(have: int, total: int) -> None:
        detail = f"{file_size(have)} / {file_size(total)}"
        board.see(task["id"], download_sight(output, label, 100 * have // max(total, 1), detail, elapsed_s))

    return seen


def _left(task: TaskShape) -> CliError:
    if task["state"] == "succeeded":
        return trouble("detached_done", ids=task["id"])
    return detached([task])


def _told(session: Session, wish: Wish, dialect: Dialect | None, task: TaskShape, path: Path | None) -> int:
    output, address = session.output, session.gate.address
    if output.form is Form.JSON:
        output.document(
            cast("dict[str, str]", {**task, "path": None if path is None else str(path.absolute())})
        )
    elif path is not None:
        output.answer(str(path))
    if path is None:
        raise failure(task)
    output.note()
    output.note(output.say(_SAME_WITH_CURL), "dim")
    output.note(curl_line(wish, address.base_url, dialect), "dim")
    if address.key_source.endswith(".json"):
        output.note("# " + output.say(_KEY_LIES_IN, path=shlex.quote(address.key_source)), "dim")
    return Exit.DONE


app = verb(
    "generate",
    generate,
    (
        'filmgate generate "a paper boat on a rainy street"',
        'filmgate generate "雨巷里的纸船" --seconds 4 --size 9:16 -o boat.mp4',
        'filmgate generate "it wakes up" --image fox.png --json | jq -r .path',
        'filmgate generate "night falls" --image dusk.png --last night.png',
        'filmgate generate "a cat in a garden" --extend "it begins to snow" --upsample',
        'filmgate generate "a cat in a garden" --model veo3.1 --max-cost 5',
        "filmgate generate - --detach < prompt.txt",
    ),
)
