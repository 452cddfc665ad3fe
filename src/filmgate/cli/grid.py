"""Tables and lists of facts, as values."""

from collections.abc import Sequence
from dataclasses import dataclass

from filmgate.cli.text import Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `from_width` is the narrowest terminal that has room for it."""

    title: Text
    right: bool = False
    style: str = ""
    shrinks: bool = False
    wraps: bool = False
    from_width: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
