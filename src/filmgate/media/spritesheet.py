"""A film as a sheet of small pictures, evenly spread over its duration, row by row."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image

from filmgate.media.frames import images_at
from filmgate.media.source import Source

COLUMNS: Final = 5
ROWS: Final = 4
CELL_WIDTH: Final = 256


def spritesheet(
    source: Source, columns: int = COLUMNS, rows: int = ROWS, cell_width: int = CELL_WIDTH
) -> bytes:
    """Encode the sheet as JPEG. Each cell is the middle of its part of the film."""
    shares = cell_shares(columns * rows)
    return sheet(images_at(source, shares, [cell_width] * len(shares)), columns)


def cell_shares(cells: int) -> list[float]:
    return [(cell + 0.5) / cells for cell in range(cells)]


def sheet(images: Sequence[Image.Image], columns: int) -> bytes:
    width, height = images[0].size
    whole = Image.new("RGB", (width * columns, height * -(-len(images) // columns)))
    for cell, image in enumerate(images):
        whole.paste(image, (cell % columns * width, cell // columns * height))
    out = BytesIO()
    whole.save(out, "JPEG", quality=80)
    return out.getvalue()
