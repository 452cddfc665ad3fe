"""Tables and facts for people, drawn with rich."""

from collections.abc import Sequence

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.text import printable

# One thin rule under the heading, and nothing else: the rows speak.
_RULE = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
_GAP = 3
_NARROWEST = 8


def draw_grid(console: Console, grid: Grid, language: str) -> None:
    """Draw a table; columns that need more width than there is are left out. Without columns it is a list of facts."""
    if not grid.columns:
        _draw_facts(console, grid)
        return
    shown = [index for index, column in enumerate(grid.columns) if console.width >= column.from_width]
    rows = [[_styled(row[index]) for index in shown] for row in grid.rows]
    columns = [grid.columns[index] for index in shown]
    table = Table(
        box=_RULE, header_style="dim", border_style="dim", show_edge=False, pad_edge=False, padding=(0, 1)
    )
    for column, width in zip(columns, _widths(console.width, columns, rows, language), strict=True):
        table.add_column(
            column.title.pick(language),
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            width=width,
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _widths(
    room: int, columns: Sequence[Column], rows: Sequence[Sequence[Styled]], language: str
) -> Sequence[int]:
    """Give every column what it needs; what is missing is taken from the one that may shrink."""
    needed = [
        max([cell_len(column.title.pick(language)), *(row[index].cell_len for row in rows)])
        for index, column in enumerate(columns)
    ]
    missing = sum(needed) + _GAP * (len(needed) - 1) - room
    if missing <= 0:
        return needed
    return [
        max(_NARROWEST, width - missing) if column.shrinks or column.wraps else width
        for column, width in zip(columns, needed, strict=True)
    ]


def _draw_facts(console: Console, grid: Grid) -> None:
    styled = [[_styled(cell) for cell in row] for row in grid.rows]
    width = max((title.cell_len for title, _ in styled), default=0)
    for title, value in styled:
        # A link stays one line, which the terminal itself may break and can be copied whole.
        padding = " " * (width - title.cell_len + _GAP - 1)
        console.print(Styled.assemble(title, padding, value), soft_wrap=True)


def _styled(cell: Cell | str) -> Styled:
    return Styled(printable(cell)) if isinstance(cell, str) else Styled(printable(cell.text), cell.style)
