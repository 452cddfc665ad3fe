from io import BytesIO

import pytest

from filmgate.media.boxes import Box, is_faststart, top_level_boxes
from filmgate.media.findings import NotAFilm, TruncatedFilm


def box(kind: bytes, size: int) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


def long_box(kind: bytes, size: int) -> bytes:
    return (1).to_bytes(4, "big") + kind + size.to_bytes(8, "big") + bytes(size - 16)


def test_boxes_are_walked_in_order_with_sizes_of_32_and_64_bits_and_up_to_the_end():
    film = BytesIO(box(b"ftyp", 24) + long_box(b"mdat", 40) + (0).to_bytes(4, "big") + b"moov" + bytes(10))
    assert list(top_level_boxes(film)) == [Box(b"ftyp", 0, 24), Box(b"mdat", 24, 40), Box(b"moov", 64, 18)]


def test_a_box_of_more_than_4_gib_that_is_cut_is_truncated():
    film = BytesIO(box(b"ftyp", 24) + (1).to_bytes(4, "big") + b"mdat" + (5 * 2**30).to_bytes(8, "big"))
    with pytest.raises(TruncatedFilm) as refused:
        list(top_level_boxes(film))
    assert refused.value.reason == "it ends at byte 40, its mdat goes on to byte 5368709144"


@pytest.mark.parametrize("header", [box(b"free", 8)[:3] + b"\x07free", long_box(b"free", 16)[:15] + b"\x0f"])
def test_a_box_smaller_than_its_own_header_is_refused(header):
    with pytest.raises(NotAFilm, match="the box at byte 0 says that it has"):
        list(top_level_boxes(BytesIO(header)))


def test_a_film_starts_fast_where_its_index_comes_first():
    assert is_faststart(BytesIO(box(b"ftyp", 16) + box(b"moov", 16) + box(b"mdat", 16)))
    assert not is_faststart(BytesIO(box(b"ftyp", 16) + long_box(b"mdat", 32) + box(b"moov", 16)))
    assert not is_faststart(BytesIO(box(b"ftyp", 16)))
