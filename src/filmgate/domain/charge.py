"""What is paid of a price once it is known what came of the task."""

from filmgate.domain.price import Line
from filmgate.domain.states import State
from filmgate.domain.task import Film, Task


def charge(task: Task, state: State, film: Film | None) -> tuple[Line, ...]:
    """Give the lines of what is delivered: each clip that is there, at the size in which it is there."""
    if film is None:
        return ()
    # A film that ended otherwise well is whole; else its first clip is all that is kept.
    delivered = [line for line in task.price.lines if state is State.SUCCEEDED or line.clip == 1]
    if is_at_its_size(task, film):
        return tuple(delivered)
    return tuple(line.as_made(task.request.size) for line in delivered)


def is_at_its_size(task: Task, film: Film) -> bool:
    """Tell whether a film is as large as was asked for: what was scaled up or joined is kept beside what it was."""
    return task.request.upsample_to is None or not film.files.keys().isdisjoint({"source", "first"})
