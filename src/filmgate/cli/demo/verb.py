"""`filmgate demo`: a gate for a moment, and films in every dialect over real HTTP."""

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, cast
from urllib.parse import quote

from cyclopts import Parameter

from filmgate.cli.board import open_board
from filmgate.cli.client import Gate
from filmgate.cli.demo.film import Customer, Seen
from filmgate.cli.demo.gate import DemoGate, run_gate
from filmgate.cli.demo.hosting import serve_pictures
from filmgate.cli.demo.orders import DUSK_URL, NIGHT_URL, ORDERS
from filmgate.cli.demo.report import tell
from filmgate.cli.demo.wire import Wire, open_wire
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.measures import clock_time
from filmgate.cli.output import PLAIN_MANNER, Manner, Output
from filmgate.cli.shapes import TaskDetailShape
from filmgate.cli.sight import Board, Sight
from filmgate.cli.text import Text
from filmgate.cli.verb import verb
from filmgate.domain.clock import Clock
from filmgate.world import SystemClock

_FILMS: Final = "films"
_STARTING: Final = Text("starting", "启动中")
_SENDING: Final = Text("sending", "发送中")
_GATE: Final = Text("a gate of its own", "独立网关")
_READY: Final = Text(
    "{base_url} · ready in {seconds} s · {films} films in {dialects} dialects · {wire}",
    "{base_url} · {seconds} 秒后就绪 · {dialects} 种方言共 {films} 个视频 · {wire}",
)
_MADE: Final = Text("All of it took {seconds} s.", "总用时 {seconds} 秒。")
_STOPPED: Final = Text(
    "The gate stopped cleanly. The films are in {folder}", "网关已正常停止。视频位于 {folder}"
)
_KEPT: Final = Text(
    "The gate's data folder is kept: filmgate serve --data {data}",
    "网关数据已保留：filmgate serve --data {data}",
)


def demo(
    *,
    keep: Annotated[
        Path | None,
        Parameter(help="Put films and gate into this folder, and keep both; else only films/ stays."),
    ] = None,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Start a gate for a moment, and make a film in every dialect; exit 0 when every film arrived whole."""
    output, clock = manner.output, SystemClock()
    folder = (keep or Path(_FILMS)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with _in_order(), _data_folder(folder if keep else None) as data:
        gate, seen = _play(output, clock, folder, data)
    tell(output, seen, folder)
    missing = [one for one in seen if one.error]
    if missing or gate.exit_code:
        raise _failed(missing, gate, len(seen))
    output.note(output.say(_STOPPED, folder=str(folder)), "green")
    if keep:
        output.note(output.say(_KEPT, data=str(data)), "dim")
    return Exit.DONE


def _play(output: Output, clock: Clock, folder: Path, data: Path) -> tuple[DemoGate, Sequence[Seen]]:
    from filmgate.cli.demo.picture import draw_pictures  # noqa: PLC0415  # slow to import

    with tempfile.TemporaryDirectory(prefix="filmgate-demo-") as desk, ExitStack() as stack:
        wire, began = open_wire(), clock.monotonic()
        with open_board(output) as board:
            board.see("gate", Sight(output.say(_GATE), "starting", output.say(_STARTING), None, "", 0.0))
            pictures = dict(zip((DUSK_URL, NIGHT_URL), draw_pictures(Path(desk)), strict=True))
            pair = stack.enter_context(serve_pictures(tuple(pictures.values())))
            gate = stack.enter_context(run_gate(data, pair, clock))
            board.end("gate", _ready(output, gate, wire), "succeeded")
        output.note()
        urls = {word: f"http://{pair}/{path.name}" for word, path in pictures.items()}
        customer = Customer(wire, gate.base_url, gate.key, pictures, urls, clock, threading.Event())
        seen = _make_all(output, customer, gate.client, folder)
        output.note(output.say(_MADE, seconds=f"{clock.monotonic() - began:.0f}"), "dim")
    return gate, seen


def _ready(output: Output, gate: DemoGate, wire: Wire) -> str:
    dialects = len({order.tongue.name for order in ORDERS})
    said = {"base_url": gate.base_url, "seconds": f"{gate.ready_s:.1f}", "wire": wire.name}
    return output.say(_READY, films=len(ORDERS), dialects=dialects, **said)


def _make_all(output: Output, customer: Customer, gate: Gate, folder: Path) -> Sequence[Seen]:
    """Make all films at once, each in a thread that mostly waits."""
    films = [Seen(order, line=str(no)) for no, order in enumerate(ORDERS)]
    with open_board(output) as board, ThreadPoolExecutor(len(films)) as threads:

        def make(seen: Seen) -> None:
            customer.make(seen, folder, board)
            if customer.leaving.is_set():
                return
            seen.task = _task(gate, seen)
            _end(board, seen)

        for seen in films:
            board.see(seen.line, Sight(seen.label, "sending", output.say(_SENDING), None, "", 0.0))
        making = [threads.submit(make, seen) for seen in films]
        try:
            for film in making:
                film.result()
        except BaseException:
            # The threads are waited for, and must not wait for films that nobody wants any more.
            customer.leaving.set()
            raise
    return films


def _end(board: Board, seen: Seen) -> None:
    if seen.error or seen.film is None or seen.path is None:
        board.end(seen.line, f"{seen.label} · {seen.error}", "failed")
    else:
        board.end(seen.line, f"{seen.label} · {clock_time(seen.took_s)}", "succeeded")


def _task(gate: Gate, seen: Seen) -> TaskDetailShape | None:
    """Ask the gate, which no dialect tells, who drew the film, and in which steps."""
    if not seen.id:
        return None
    path = f"/gate/v1/tasks/{quote(seen.id, safe='')}?attempts=true"
    try:
        return cast("TaskDetailShape", gate.ask("GET", path))
    except CliError:
        return None


def _failed(missing: Sequence[Seen], gate: DemoGate, total: int) -> CliError:
    if missing:
        return trouble("demo_failed", count=len(missing), total=total)
    return trouble("gate_stopped_badly", code=gate.exit_code or 0)


@contextmanager
def _data_folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept / "gate"
        return
    data = Path(tempfile.mkdtemp(prefix="filmgate-demo-"))
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _in_order() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does, so that its gate is stopped too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    signals = [
        number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
    ]
    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


app = verb("demo", demo, ("filmgate demo", "filmgate demo --keep ./demo"))
