import dataclasses

import av
import pytest

from filmgate.media.boxes import top_level_boxes
from filmgate.media.faststart import faststart
from filmgate.media.findings import NotAFilm
from filmgate.media.probe import validate


def packets(path, kind):
    with av.open(str(path)) as film:
        stream = film.streams.best(kind)
        return [(packet.pts, bytes(packet)) for packet in film.demux(stream) if packet.size]


def test_a_film_with_its_index_at_the_end_is_copied_packet_by_packet(films, tmp_path):
    into = tmp_path / "fast.mp4"
    assert faststart(films.moov_last, into) is True
    with into.open("rb") as film:
        assert [box.kind for box in top_level_boxes(film)] == [b"ftyp", b"moov", b"free", b"mdat"]
    assert packets(into, "video") == packets(films.moov_last, "video")
    assert packets(into, "audio") == packets(films.moov_last, "audio")
    before, after = validate(films.moov_last), validate(into)
    assert after == dataclasses.replace(before, faststart=True, size_bytes=into.stat().st_size)


def test_a_film_that_starts_fast_is_left_alone(films, tmp_path):
    into = tmp_path / "fast.mp4"
    assert faststart(films.whole, into) is False
    assert not into.exists()


def test_what_cannot_be_opened_cannot_be_copied(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")
    with pytest.raises(NotAFilm):
        faststart(broken, tmp_path / "fast.mp4")


@pytest.mark.parametrize(("codec", "tag"), [("libsvtav1", "av01"), ("libx265", "hvc1")])
def test_other_codecs_are_copied_under_their_own_tag(draw, tmp_path, codec, tag):
    film, into = (
        draw(tmp_path / "film.mp4", codec=codec, options={"x265-params": "log-level=none"}),
        tmp_path / "fast.mp4",
    )
    if tag == "hvc1":
        retagged = tmp_path / "hvc1.mp4"
        retagged.write_bytes(film.read_bytes().replace(b"hev1", b"hvc1"))
        film = retagged
    assert faststart(film, into) is True
    assert tag.encode() in into.read_bytes()
    assert packets(into, "video") == packets(film, "video")
