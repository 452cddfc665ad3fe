"""Which children a test has made; the run's own PostgreSQL is none of them."""

import psutil


class Family:
    """The children of this process, beside those that were there before."""

    def __init__(self) -> None:
        self._before = set(psutil.Process().children(recursive=True))

    def new(self) -> list[psutil.Process]:
        """Give the new ones; what an older child begets, such as a worker of PostgreSQL, is that one's."""
        older = {child.pid for child in self._before}
        fresh = [child for child in psutil.Process().children(recursive=True) if child not in self._before]
        return [child for child in fresh if _parent(child) not in {*older, None}]


def _parent(child: psutil.Process) -> int | None:
    """Give who made it, or nothing where it has gone since it was seen."""
    try:
        return child.ppid()
    except psutil.NoSuchProcess:
        return None
