"""All that is wanted of a film once it has come: proof, facts, and its pictures, each frame decoded once."""

import bisect
from typing import BinaryIO

from filmgate.domain.film import FilmFacts
from filmgate.media.findings import Inspection
from filmgate.media.frames import decodes_exactly, images_of
from filmgate.media.probe import decode_ends, examine
from filmgate.media.source import Source, opened
from filmgate.media.spritesheet import CELL_WIDTH, COLUMNS, ROWS, cell_shares, filmstrip, sheet
from filmgate.media.thumbnail import AT, WIDTH, encoded
from filmgate.media.track import Track


def inspect(source: Source) -> Inspection:
    """Raise NotAFilm or TruncatedFilm where there is nothing to show."""
    with opened(source) as file:
        facts, track = examine(file)
        if not decodes_exactly(track):
            decode_ends(file, track)
        return _pictured(file, facts, track)


def _pictured(file: BinaryIO, facts: FilmFacts, track: Track) -> Inspection:
    shares = cell_shares(COLUMNS * ROWS)
    poster = bisect.bisect(shares, AT)
    shares.insert(poster, AT)
    widths = [CELL_WIDTH] * len(shares)
    widths[poster] = WIDTH
    images = images_of(file, track, shares, widths, to_end=True)
    still = images.pop(poster)
    return Inspection(
        facts=facts,
        thumbnail_webp=encoded(still, "webp"),
        thumbnail_jpeg=encoded(still, "jpeg"),
        spritesheet_jpeg=sheet(images, COLUMNS),
        filmstrip_webp=filmstrip(images),
    )
