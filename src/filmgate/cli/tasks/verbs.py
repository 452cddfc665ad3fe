"""`filmgate tasks`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate tasks list",
    "filmgate tasks show ID --attempts",
    "filmgate tasks watch ID",
    "filmgate tasks download ID -o films/",
    "filmgate tasks cancel ID",
)

app = group(
    "tasks",
    _EXAMPLES,
    (
        ("list", "tasks.list:app", "List films, newest first."),
        ("show", "tasks.show:app", "Show one film's task, and how each attempt went."),
        ("watch", "tasks.watch:app", "Watch films being made, from any machine, over restarts of the gate."),
        ("download", "tasks.download:app", "Fetch films; goes on where it stopped, and checks what came."),
        ("cancel", "tasks.cancel:app", "Cancel films, and say what becomes of the money."),
        ("retry", "tasks.retry:app", "Ask for a film that has ended again, as a new task."),
        ("delete", "tasks.delete:app", "Delete films and their files."),
        ("resolve", "tasks.resolve:app", "Decide what became of a submit whose reply was lost (operators)."),
    ),
)
