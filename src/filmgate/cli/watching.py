"""A task from here to its end, over restarts of the gate; and what is said of an end."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote

from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.measures import clock_time, file_size, money, seconds_of
from filmgate.cli.output import Output
from filmgate.cli.session import Session
from filmgate.cli.shapes import FilmShape, TaskDetailShape, TaskShape
from filmgate.cli.text import ENDS, Text, state_word

WAIT_S: Final = 20
QUEUE_WAIT_S: Final = 3
_AT_ONCE_S: Final = 1.0
_SPARE_S: Final = 15.0
_GOES_ON: Final = Text(
    "The task goes on where it runs. Back: `filmgate tasks watch {id}{again}`",
    "任务仍在继续。返回：`filmgate tasks watch {id}{again}`",
)
_DONE: Final = Text("done in {clock}", "用时 {clock} 完成")
_HELD: Final = Text(" ({money} held)", "（预扣 {money}）")
_CHARGED: Final = Text("charged {money}", "实扣 {money}")
_RETURNED: Final = Text("{money} returned", "退回 {money}")
_ENDED: Final = Text("{word} after {clock}", "{clock} 后{word}")


def timeout_of(written: str | None) -> float | None:
    """Read how long to wait at most; raise CliError for what is no duration."""
    try:
        return None if written is None else seconds_of(written)
    except ValueError as error:
        raise trouble("wrong_usage", reason=str(error)) from None


def read_task(
    session: Session, id_: str, *, attempts: bool = False, receipt: bool = False
) -> TaskDetailShape:
    """Read a task once; raise CliError where there is none, or no gate."""
    asked = [name for name, wanted in (("attempts", attempts), ("receipt", receipt)) if wanted]
    query = "&".join(f"{name}=true" for name in asked)
    return _task(session, id_, f"?{query}" if query else "", 0.0)


def next_change(
    session: Session, id_: str, *, version: int, wait_s: float, until: float | None
) -> TaskDetailShape:
    """Wait for a task's next change, at most `wait_s`; a gate that restarts meanwhile is waited for."""
    after = _GOES_ON.filled(id=id_, again=session.again)
    query = f"?wait={wait_s:g}&after={version}" if wait_s > 0 else ""
    return session.persist(lambda: _task(session, id_, query, wait_s), after=after, until=until)


def follow(session: Session, task: TaskShape, timeout_s: float | None) -> Iterator[TaskShape]:
    """Yield the task as it is, and again on each change, until it has ended; raise CliError `timeout`."""
    until = None if timeout_s is None else session.clock.monotonic() + timeout_s
    yield task
    while task["state"] not in ENDS:
        left_s = WAIT_S if until is None else until - session.clock.monotonic()
        if left_s <= 0:
            raise trouble("timeout", seconds=f"{timeout_s:g}", ids=task["id"], again=session.again)
        # A place in the queue changes without the task: ask for it more often.
        wait_s = min(QUEUE_WAIT_S if task["state"] == "queued" else WAIT_S, max(left_s, 0.1))
        asked = session.clock.monotonic()
        try:
            seen = next_change(session, task["id"], version=task["version"], wait_s=wait_s, until=until)
        except CliError as error:
            if (
                error.exit_code == Exit.UNREACHABLE
                and until is not None
                and session.clock.monotonic() >= until
            ):
                raise trouble(
                    "timeout", seconds=f"{timeout_s:g}", ids=task["id"], again=session.again
                ) from error
            raise
        if _moment(seen) != _moment(task):
            yield seen
        elif session.clock.monotonic() - asked < _AT_ONCE_S:
            # A gate that stops answers a wait at once, and must not be asked in a circle.
            session.sleep(min(_AT_ONCE_S, left_s))
        task = seen


def _moment(task: TaskShape) -> tuple[int, str, int, int | None]:
    return task["version"], task["state"], task["progress"], task["queue_position"]


def ending(task: TaskShape, output: Output, path: Path | None = None) -> str:
    """Say how a task ended, with its receipt, in one line."""
    clock, receipt = clock_time(task["waited_s"] + task["running_s"]), _receipt(task, output)
    if task["state"] != "succeeded":
        word = output.say(_ENDED, word=state_word(task["state"], output.language), clock=clock)
        return " · ".join([word, *receipt])
    parts = [output.say(_DONE, clock=clock), *receipt]
    film = task["film"]
    measures = "" if film is None else film_measures(film)
    if path is not None:
        parts.append(f"{path} ({measures})" if measures else str(path))
    elif measures:
        parts.append(measures)
    return " · ".join(parts)


def _receipt(task: TaskShape, output: Output) -> Sequence[str]:
    """Say what was charged, and what came back of what was held."""
    charged, held = task["cost_micros"], task["hold_micros"]
    if charged is None:
        return []
    parts = [output.say(_CHARGED, money=money(charged))] if charged or task["state"] == "succeeded" else []
    return parts + ([output.say(_RETURNED, money=money(held - charged))] if held > charged else [])


def film_measures(film: FilmShape) -> str:
    """Give `8.0 s, 1280x720, 24 fps, 1.1 MB`, all read from the file."""
    size = f"{film['width']}x{film['height']}"
    return f"{film['seconds']:.1f} s, {size}, {film['fps']:g} fps, {file_size(film['size_bytes'])}"


def detached(tasks: Sequence[TaskShape], again: str = "") -> CliError:
    """Give the words with which someone who stops watching is let go: nothing stops with them."""
    held_micros = sum(task["hold_micros"] for task in tasks)
    held = _HELD.filled(money=money(held_micros)) if held_micros else ""
    return trouble("detached", held=held, ids=" ".join(task["id"] for task in tasks), again=again)


def failure(task: TaskShape) -> CliError:
    """Give the error with which a task that made no film ends a verb."""
    error = task["error"]
    code = task["state"] if error is None else error["code"]
    message = f"{task['state']}." if error is None else error["message"]
    said = Text(f"{message} [{code}]", f"{message} [{code}]")
    details = {} if error is None else {**error.get("details", {})}
    details.pop("exit_code", None)
    return CliError(code, Exit.FAILED, said, {"task": task["id"], **details})


def _task(session: Session, id_: str, query: str, wait_s: float) -> TaskDetailShape:
    path = f"{session.api}/tasks/{quote(id_, safe='')}{query}"
    return cast("TaskDetailShape", session.gate.ask("GET", path, timeout_s=wait_s + _SPARE_S))
