"""Which children a test has made; the run's own PostgreSQL is none of them."""

import psutil


class Family:
    """The children of this process, beside those that were there before."""

    def __init__(self) -> None:
        self._before = set(psutil.Process().children(recursive=True))

    def new(self) -> list[psutil.Process]:
        return [child for child in psutil.Process().children(recursive=True) if child not in self._before]
