"""The top-level boxes of an MP4 file: ISO/IEC 14496-12, section 4.2."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from filmgate.media.findings import NotAFilm, TruncatedFilm

HEADER_BYTES: Final = 8
LONG_HEADER_BYTES: Final = 16
# Without the whole of one of these a film cannot be whole; junk behind them harms nobody.
NEEDED: Final = frozenset({b"ftyp", b"moov", b"mdat", b"moof"})


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int
    size: int


def top_level_boxes(film: BinaryIO) -> Iterator[Box]:
    """Walk the boxes in their order; raise TruncatedFilm where a needed one goes on past the file's end."""
    end = film.seek(0, os.SEEK_END)
    start = 0
    while end - start >= HEADER_BYTES:
        box = _read(film, start, end)
        if start + box.size > end:
            if box.kind in NEEDED:
                kind = box.kind.decode()
                raise TruncatedFilm(f"it ends at byte {end}, its {kind} goes on to byte {start + box.size}")
            return
        yield box
        start += box.size


def is_faststart(film: BinaryIO) -> bool:
    """Tell whether a player can start before it has the whole file: `moov` stands before `mdat`."""
    for box in top_level_boxes(film):
        if box.kind in {b"moov", b"mdat"}:
            return box.kind == b"moov"
    return False


def _read(film: BinaryIO, start: int, end: int) -> Box:
    film.seek(start)
    header = film.read(LONG_HEADER_BYTES)
    size, kind = int.from_bytes(header[:4], "big"), header[4:8]
    smallest = HEADER_BYTES
    if size == 0:
        size = end - start
    elif size == 1:
        size, smallest = int.from_bytes(header[8:16], "big"), LONG_HEADER_BYTES
    if size < smallest:
        raise NotAFilm(f"the box at byte {start} says that it has {size} bytes")
    return Box(kind, start, size)
