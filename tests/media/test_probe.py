import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from filmgate.domain.film import FilmFacts
from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.probe import probe, validate


def written(folder: Path, content: bytes) -> Path:
    path = folder / "film.mp4"
    path.write_bytes(content)
    return path


def facts_of(path: Path, *, faststart: bool) -> FilmFacts:
    return FilmFacts(
        video_codec="h264",
        width=128,
        height=96,
        fps=24.0,
        frames=24,
        seconds=1.0,
        audio_codec="aac",
        audio_rate_hz=48000,
        size_bytes=path.stat().st_size,
        faststart=faststart,
    )


def test_a_film_is_told_by_its_packets(films):
    assert probe(films.whole) == facts_of(films.whole, faststart=True)


def test_a_whole_film_is_valid_wherever_its_index_is(films):
    assert validate(films.whole) == facts_of(films.whole, faststart=True)
    assert validate(films.moov_last) == facts_of(films.moov_last, faststart=False)


def test_a_fragmented_film_announces_no_pictures_and_is_valid(films):
    assert validate(films.fragmented) == facts_of(films.fragmented, faststart=True)


def test_a_silent_film_has_no_sound_facts(draw, tmp_path):
    facts = validate(draw(tmp_path / "silent.mp4", sound=False))
    assert (facts.audio_codec, facts.audio_rate_hz, facts.seconds) == (None, None, 1.0)


@pytest.mark.parametrize(
    ("codec", "options", "name"),
    [
        ("libx264", {"x264-params": "open-gop=1:keyint=8:bframes=3"}, "h264"),
        ("libx264", {"g": "1"}, "h264"),
        ("libx265", {"x265-params": "open-gop=1:keyint=8:log-level=none"}, "hevc"),
        ("libvpx-vp9", {"g": "12", "cpu-used": "8"}, "vp9"),
        ("mpeg4", {}, "mpeg4"),
    ],
)
def test_the_codecs_of_vendors_are_valid(draw, tmp_path, codec, options, name):
    facts = validate(draw(tmp_path / "film.mp4", codec=codec, options=options, sound=False))
    assert (facts.video_codec, facts.frames, facts.seconds) == (name, 24, 1.0)


def test_a_file_that_was_opened_earlier_is_read_from_its_start_and_stays_open(films):
    with films.whole.open("rb") as file:
        file.seek(100)
        assert validate(file) == facts_of(films.whole, faststart=True)
        assert not file.closed


def test_a_film_of_one_picture_is_a_film(draw, tmp_path):
    facts = validate(draw(tmp_path / "still.mp4", frames=1, sound=False))
    assert (facts.frames, facts.seconds) == (1, 0.041667)


def test_a_film_that_hides_its_first_half_by_an_edit_list_is_whole(draw, tmp_path):
    whole, later = draw(tmp_path / "whole.mp4", sound=False), tmp_path / "later.mp4"
    unshifted = {"avoid_negative_ts": "disabled"}
    with av.open(str(whole)) as source, av.open(str(later), "w", options=unshifted) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts is not None and stream.time_base is not None:
                half = int(0.5 / stream.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - half, packet.dts - half, copy
                target.mux(packet)
    facts = validate(later)
    assert (facts.frames, facts.seconds) == (12, 0.5)


def test_a_film_cut_short_with_its_index_in_front_is_truncated(films, tmp_path):
    content = films.whole.read_bytes()
    with pytest.raises(TruncatedFilm) as refused:
        validate(written(tmp_path, content[: len(content) // 2]))
    half, size = len(content) // 2, len(content)
    assert refused.value.reason == f"it ends at byte {half}, its mdat goes on to byte {size}"


def test_a_film_cut_short_with_its_index_at_the_end_is_truncated(films, tmp_path):
    content = films.moov_last.read_bytes()
    with pytest.raises(TruncatedFilm, match="its mdat goes on to byte"):
        validate(written(tmp_path, content[: len(content) // 2]))


def test_a_film_without_an_index_is_truncated(films, tmp_path):
    content = films.moov_last.read_bytes()
    with pytest.raises(TruncatedFilm, match="it has no moov box"):
        validate(written(tmp_path, content[: content.index(b"moov") - 4]))


def test_a_film_whose_size_was_mended_after_the_cut_is_still_truncated(films, tmp_path):
    content = films.whole.read_bytes()
    start = content.index(b"mdat") - 4
    kept = content[: len(content) // 2]
    mended = kept[:start] + (len(kept) - start).to_bytes(4, "big") + kept[start + 4 :]
    with pytest.raises(TruncatedFilm, match=r"it has \d+ of the 24 pictures that it announces"):
        validate(written(tmp_path, mended))


def test_a_film_that_ends_in_nothing_but_zeros_is_refused(films, tmp_path):
    content = films.whole.read_bytes()
    kept = len(content) * 3 // 4
    with pytest.raises(NotAFilm, match=r"its picture at 0\.50 s cannot be decoded"):
        validate(written(tmp_path, content[:kept] + bytes(len(content) - kept)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (
            b"<!DOCTYPE html>\n<h1>502 Bad\n Gateway</h1>",
            "it is text: '<!DOCTYPE html> <h1>502 Bad Gateway</h1>'",
        ),
        (
            b'\xef\xbb\xbf {"url": "https://cdn.example/a.mp4"}',
            """it is text: '{"url": "https://cdn.example/a.mp4"}'""",
        ),
        (b"{" + b"x" * 1000, "it is text: '{" + "x" * 119 + "'"),
        (
            b"GIF89a" + bytes(100),
            r"it begins with b'GIF89a\x00\x00\x00\x00\x00\x00', an MP4 file with its ftyp box",
        ),
    ],
)
def test_what_is_no_film_is_quoted_shortly(tmp_path, content, reason):
    with pytest.raises(NotAFilm) as refused:
        validate(written(tmp_path, content))
    assert (type(refused.value), refused.value.reason) == (NotAFilm, reason)


def test_a_real_gif_and_a_real_jpeg_are_no_films(animate, encode, tmp_path):
    for content in (animate("GIF"), encode("JPEG")):
        with pytest.raises(NotAFilm, match="it begins with"):
            validate(written(tmp_path, content))
        with pytest.raises(NotAFilm, match="it cannot be opened as MP4"):
            probe(written(tmp_path, content))


def test_ftyp_alone_is_truncated(films, tmp_path):
    content = films.whole.read_bytes()
    with pytest.raises(TruncatedFilm, match="it has no moov box"):
        validate(written(tmp_path, content[: int.from_bytes(content[:4], "big")]))


def test_an_avif_picture_is_no_film(tmp_path):
    path = tmp_path / "film.mp4"
    Image.new("RGB", (64, 64), "red").save(path, "AVIF")
    with pytest.raises(NotAFilm):
        validate(path)


def test_a_film_of_sound_alone_is_no_film(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as film:
        tone = film.add_stream("aac", rate=48000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 48000
        film.mux(tone.encode(silence))
        film.mux(tone.encode())
    with pytest.raises(NotAFilm) as refused:
        validate(path)
    assert refused.value.reason == "it holds no moving picture"


def test_junk_behind_a_whole_film_harms_nobody(films, tmp_path):
    path = tmp_path / "film.mp4"
    shutil.copy(films.whole, path)
    with path.open("ab") as file:
        file.write(b"\x7f\xff\xff\xffjunkjunk")
    assert validate(path) == facts_of(path, faststart=True)
