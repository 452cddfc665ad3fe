"""`filmgate tasks download`."""

from pathlib import Path
from typing import Annotated, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.board import open_board
from filmgate.cli.download import fetch_film
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.generate import on_bytes
from filmgate.cli.naming import film_name
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.session import Session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import ENDS, state_text
from filmgate.cli.verb import verb
from filmgate.cli.watching import failure, film_measures, read_task


def download(
    ids: Annotated[list[str], Parameter(name="ID", negative="")],
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="The folder; else this one.")
    ] = None,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Fetch films; goes on where it stopped, and checks what came."""
    session = role_session(manner, place, role)
    folder = output or Path()
    left = list(dict.fromkeys(ids))

    def fetch(id_: str) -> None:
        del left[: left.index(id_)]
        task = _ended(session, id_)
        path = _fetch(session, task, folder)
        if session.output.form is Form.JSON:
            session.output.line(cast("Json", {**task, "path": str(path.absolute())}))
        else:
            session.output.answer(str(path))

    try:
        session.each(ids, fetch)
    except KeyboardInterrupt:
        raise trouble("detached_done", ids=" ".join(left), again=session.again) from None
    return Exit.DONE


def _ended(session: Session, id_: str) -> TaskShape:
    task = read_task(session, id_)
    if task["state"] not in ENDS:
        raise trouble("not_done", id=task["id"], state=state_text(task["state"]), again=session.again)
    if task["state"] != "succeeded":
        raise failure(task)
    return task


def _fetch(session: Session, task: TaskShape, folder: Path) -> Path:
    said = session.output
    with open_board(said) as board:
        path = fetch_film(
            session, task, folder / film_name(task["prompt"]), on_bytes(board, task, said, task["prompt"])
        )
        measures = "" if task["film"] is None else f" ({film_measures(task['film'])})"
        board.end(task["id"], f"{path}{measures}", task["state"])
    return path


app = verb("download", download, ("filmgate tasks download ID", "filmgate tasks download ID1 ID2 -o films/"))
