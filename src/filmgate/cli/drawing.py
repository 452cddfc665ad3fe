"""Tables and lines for people, drawn with rich."""

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from filmgate.cli.output import Cell, Grid
from filmgate.cli.text import printable

# One thin rule under the heading, and nothing else: the rows speak.
_RULE = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")


def draw_grid(console: Console, grid: Grid, language: str) -> None:
    """Draw a table; columns that need more width than there is are left out. Without columns it is a list of facts."""
    if not grid.columns:
        _draw_facts(console, grid)
        return
    shown = [index for index, column in enumerate(grid.columns) if console.width >= column.from_width]
    table = Table(box=_RULE, header_style="dim", border_style="dim", pad_edge=False, padding=(0, 1))
    for index in shown:
        column = grid.columns[index]
        table.add_column(
            column.title.pick(language),
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            ratio=1 if column.shrinks else None,
            min_width=8 if column.shrinks else None,
        )
    for row in grid.rows:
        table.add_row(*(_styled(row[index]) for index in shown))
    console.print(table)


def _draw_facts(console: Console, grid: Grid) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in grid.rows:
        table.add_row(*(_styled(cell) for cell in row))
    console.print(table)


def _styled(cell: Cell | str) -> Styled:
    return Styled(printable(cell)) if isinstance(cell, str) else Styled(printable(cell.text), cell.style)
