from fractions import Fraction

import av
import numpy as np
import pytest

from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.probe import validate
from filmgate.media.scale import scale


@pytest.fixture(scope="module")
def doubled(animatics, tmp_path_factory):
    into = tmp_path_factory.mktemp("scaled") / "scaled.mp4"
    scale(animatics.first, into, 512, 288)
    return into


def shown_at(path):
    """Give when each picture is shown, and when the last one is no more, in seconds."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        times = sorted(p.pts for p in film.demux(stream) if p.size and p.pts is not None)
        return [float(time * (stream.time_base or 0)) for time in (*times, stream.duration or 0)]


def sound(path):
    with av.open(str(path)) as film:
        return [(p.pts, p.duration, bytes(p)) for p in film.demux(audio=0) if p.size]


def pictures(path, **form):
    with av.open(str(path)) as film:
        return [frame.to_ndarray(**form) for frame in film.decode(video=0)]


def test_a_scaled_film_has_the_size_that_was_asked(doubled):
    facts = validate(doubled)
    assert (facts.width, facts.height, facts.video_codec, facts.faststart) == (512, 288, "h264", True)


def test_a_scaled_film_is_exactly_as_long(animatics, doubled):
    assert shown_at(doubled) == shown_at(animatics.first)
    with av.open(str(doubled)) as film:
        lasting = [Fraction(stream.duration or 0) * (stream.time_base or 0) for stream in film.streams]
        assert (film.duration, lasting) == (2_666_667, [Fraction(8, 3)] * 2)


def test_the_sound_of_a_scaled_film_is_copied(animatics, doubled):
    assert sound(doubled) == sound(animatics.first)


def test_a_scaled_film_says_of_itself_what_it_said(animatics, doubled):
    with av.open(str(doubled)) as film, av.open(str(animatics.first)) as source:
        assert film.metadata == source.metadata


def test_the_same_film_is_scaled_to_the_same_bytes(animatics, doubled, tmp_path):
    scale(animatics.first, tmp_path / "again.mp4", 512, 288)
    assert (tmp_path / "again.mp4").read_bytes() == doubled.read_bytes()


def test_a_scaled_film_shows_the_same_pictures(animatics, doubled):
    with av.open(str(animatics.first)) as source:
        wanted = [
            frame.reformat(width=512, height=288, interpolation="LANCZOS").to_ndarray()
            for frame in source.decode(video=0)
        ]
    for shown, meant in zip(pictures(doubled), wanted, strict=True):
        noise = np.mean((shown.astype(float) - meant) ** 2)
        assert 10 * np.log10(255**2 / noise) > 38


@pytest.mark.parametrize(
    ("height", "colorspace", "named"), [(96, 2, "ITU601"), (720, 2, "ITU709"), (720, 6, "ITU601")]
)
def test_colours_stay_what_players_took_them_for(tmp_path, height, colorspace, named):
    path, into = tmp_path / "film.mp4", tmp_path / "scaled.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, height, "yuv420p"
        stream.codec_context.colorspace = colorspace
        paint = av.VideoFrame.from_ndarray(np.full((height, 128, 3), (20, 180, 60), np.uint8), format="rgb24")
        frame = paint.reformat(format="yuv420p", dst_colorspace=named)
        frame.colorspace = colorspace
        film.mux(stream.encode(frame))
        film.mux(stream.encode())
    scale(path, into, 256, 2 * height)
    with av.open(str(into)) as film:
        context = film.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1)
    shown = pictures(into, format="rgb24", src_colorspace="ITU709")[0][10:-10, 10:-10].mean(axis=(0, 1))
    assert np.abs(shown - (20, 180, 60)).max() < 4


def test_pictures_of_different_lengths_keep_them(tmp_path):
    path, into = tmp_path / "film.mp4", tmp_path / "scaled.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=30, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, lasting in ((0, 40), (40, 200), (240, 33), (273, 500)):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.duration, frame.time_base = at, lasting, Fraction(1, 1000)
            film.mux(stream.encode(frame))
        *others, last = stream.encode()
        last.duration = 500
        film.mux([*others, last])
    scale(path, into, 128, 128)
    assert shown_at(into) == shown_at(path) == [0, 0.04, 0.24, 0.273, 0.773]


def test_of_a_film_of_another_shape_the_middle_is_left(tmp_path):
    path, into = tmp_path / "film.mp4", tmp_path / "scaled.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        thirds = np.zeros((64, 128, 3), np.uint8)
        thirds[:, :32], thirds[:, 32:96], thirds[:, 96:] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
        film.mux(stream.encode(av.VideoFrame.from_ndarray(thirds, format="rgb24")))
        film.mux(stream.encode())
    scale(path, into, 128, 128)
    shown = pictures(into, format="rgb24", src_colorspace="ITU709")[0]
    assert np.abs(shown[:, 8:-8].mean(axis=(0, 1)) - (0, 200, 0)).max() < 6


def test_a_film_without_sound_is_scaled_without(draw, tmp_path):
    into = tmp_path / "scaled.mp4"
    scale(draw(tmp_path / "film.mp4", sound=False), into, 64, 48)
    assert (validate(into).width, validate(into).frames, validate(into).audio_codec) == (64, 24, None)


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_films_of_any_codec_are_scaled(draw, tmp_path, codec):
    into = tmp_path / "scaled.mp4"
    scale(draw(tmp_path / "film.mp4", codec=codec), into, 256, 192)
    assert (validate(into).video_codec, validate(into).frames) == ("h264", 24)


def test_what_is_no_whole_film_is_not_scaled(films, pierce, tmp_path):
    broken, into = tmp_path / "broken.mp4", tmp_path / "scaled.mp4"
    broken.write_bytes(films.whole.read_bytes()[:9000])
    with pytest.raises(TruncatedFilm, match="it ends at byte 9000"):
        scale(broken, into, 256, 192)
    with pytest.raises(NotAFilm):
        scale(pierce(films.whole, tmp_path / "hole.mp4", 5), into, 256, 192)
