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
    out = BytesIO()
    _pasted(images, columns).save(out, "JPEG", quality=80)
    return out.getvalue()


def filmstrip(images: Sequence[Image.Image]) -> bytes:
    """Encode every other picture of a sheet as WebP, side by side, for scrubbing through."""
    out = BytesIO()
    frames = images[::2]
    _pasted(frames, len(frames)).save(out, "WEBP", quality=75, method=2)
    return out.getvalue()


def _pasted(images: Sequence[Image.Image], columns: int) -> Image.Image:
    width, height = images[0].size
    whole = Image.new("RGB", (width * columns, height * -(-len(images) // columns)))
    for cell, image in enumerate(images):
        whole.paste(image, (cell % columns * width, cell // columns * height))
    return whole
