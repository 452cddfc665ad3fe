"""All that is wanted of a film once it has come: proof, facts, and its pictures, each frame decoded once."""

import bisect

from filmgate.media.findings import Inspection
from filmgate.media.frames import images_at
from filmgate.media.probe import validate
from filmgate.media.source import Source
from filmgate.media.spritesheet import CELL_WIDTH, COLUMNS, ROWS, cell_shares, sheet
from filmgate.media.thumbnail import AT, WIDTH, encoded


def inspect(source: Source) -> Inspection:
    """Raise NotAFilm or TruncatedFilm where there is nothing to show."""
    facts = validate(source)
    shares = cell_shares(COLUMNS * ROWS)
    poster = bisect.bisect(shares, AT)
    shares.insert(poster, AT)
    widths = [CELL_WIDTH] * len(shares)
    widths[poster] = WIDTH
    images = images_at(source, shares, widths)
    still = images.pop(poster)
    return Inspection(
        facts=facts,
        thumbnail_webp=encoded(still, "webp"),
        thumbnail_jpeg=encoded(still, "jpeg"),
        spritesheet_jpeg=sheet(images, COLUMNS),
    )
