import re
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from filmgate.media.boxes import top_level_boxes
from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.join import join
from filmgate.media.probe import validate
from kit.encoding import fairly

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def joined(animatics, tmp_path_factory):
    """A film and its continuation, where the sound may be cut."""
    into = tmp_path_factory.mktemp("joined") / "joined.mp4"
    assert join([animatics.first, animatics.later], into) is True
    return into


def packets(path, kind):
    with av.open(str(path)) as film:
        stream = film.streams.best(kind)
        return [packet for packet in film.demux(stream) if packet.size] if stream else []


def steps(path, kind):
    """Give how decoding times go on, in seconds."""
    times = [(packet.dts or 0) * packet.time_base for packet in packets(path, kind)]
    return {after - before for before, after in pairwise(times)}


def durations(path):
    """Give those of the whole, of the pictures and of the sound, exactly."""
    with av.open(str(path)) as film:
        assert film.duration is not None
        ends = [Fraction(stream.duration or 0) * (stream.time_base or 0) for stream in film.streams]
        return Fraction(film.duration, 1_000_000), *ends


def pictures(path):
    with av.open(str(path)) as film:
        return [frame.to_ndarray() for frame in film.decode(video=0)]


def wave(path):
    """Give the sound that a player plays: nothing before the start or after the end."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        length = round((stream.duration or 0) * (stream.time_base or 0) * stream.rate)
        return np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)[:, :length]


def colour(path, number):
    """Give the mean of a picture as RGB."""
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
        return frames[number].to_ndarray(format="rgb24", src_colorspace="ITU709").mean(axis=(0, 1))


def paint(path, colours, *, size=(128, 96), codec="libx264", rate=24, pixels="yuv420p", frames=24):
    """Draw a silent film of bands of colour, one above the other."""
    with fairly(), av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        rows = np.repeat(np.array(colours, np.uint8), size[1] // len(colours), axis=0)
        image = np.ascontiguousarray(np.broadcast_to(rows[:, None], (size[1], size[0], 3)))
        for _ in range(frames):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(stream.encode())
    return path


def hum(path, *, rate_hz=RATE_HZ, layout="stereo", frames=24, hz=440):
    """Draw a film of a single grey with a tone at half its loudest."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        tone = film.add_stream("aac", rate=rate_hz, layout=layout)
        grey = np.full((96, 128, 3), 128, np.uint8)
        for _ in range(frames):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        film.mux(stream.encode())
        sine = np.sin(np.arange(frames * rate_hz // 24) * hz / rate_hz * 2 * np.pi).astype(np.float32) / 2
        channels = 1 if layout == "mono" else 2
        samples = av.AudioFrame.from_ndarray(np.stack([sine] * channels), format="fltp", layout=layout)
        samples.sample_rate, samples.pts = rate_hz, 0
        film.mux(tone.encode(samples))
        film.mux(tone.encode())
    return path


def test_a_continuation_is_joined_packet_by_packet(animatics, joined):
    clips = animatics.first, animatics.later
    assert [bytes(p) for p in packets(joined, "video")] == [
        bytes(p) for c in clips for p in packets(c, "video")
    ]
    assert (len(packets(joined, "audio")), steps(joined, "audio")) == (189, {Fraction(1024, RATE_HZ)})
    assert steps(joined, "video") == {Fraction(1, 24)}


def test_a_joined_film_lasts_exactly_as_long_as_its_clips(joined):
    assert durations(joined) == (4, 4, 4)
    facts = validate(joined)
    assert (facts.frames, facts.seconds, facts.fps, facts.faststart) == (96, 4.0, 24.0, True)


def test_a_joined_film_shows_every_picture_of_its_clips(animatics, joined):
    wanted = [*pictures(animatics.first), *pictures(animatics.later)]
    assert all(np.array_equal(*pair) for pair in zip(pictures(joined), wanted, strict=True))


def test_a_joined_film_can_be_entered_anywhere(joined):
    every = pictures(joined)
    for number in (0, 47, 48, 63, 64, 65, 95):
        with av.open(str(joined)) as film:
            film.seek(number * 512, stream=film.streams.video[0])
            frame = next(f for f in film.decode(video=0) if f.pts == number * 512)
            assert np.array_equal(frame.to_ndarray(), every[number])


def test_a_joined_film_sounds_as_if_it_had_never_been_cut(animatics, joined):
    error = np.abs(wave(joined) - wave(animatics.continuous)).max(axis=0)
    seam = 64 * 2000
    assert error.shape == (4 * RATE_HZ,)
    # The first clip had nothing before it to learn from, and the last packet nothing behind it.
    assert error[seam - 480 : seam + 1024].max() < 0.005
    assert error[2048:-1024].max() < 0.01


def test_a_joined_film_says_of_itself_what_its_first_clip_said(animatics, joined):
    with av.open(str(joined)) as film, av.open(str(animatics.first)) as first:
        assert film.metadata == first.metadata
        assert set(film.metadata) >= {"title", "comment", "description"}
    with joined.open("rb") as film:
        assert [box.kind for box in top_level_boxes(film)] == [b"ftyp", b"moov", b"free", b"mdat"]


def test_the_same_clips_give_the_same_bytes(animatics, joined, tmp_path):
    join([animatics.first, animatics.later], tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == joined.read_bytes()


def test_where_sound_cannot_be_cut_it_alone_is_encoded_again(animatics, tmp_path):
    into = tmp_path / "joined.mp4"
    clips = [animatics.odd_first, animatics.odd_later]
    assert join(clips, into) is False
    assert [bytes(p) for p in packets(into, "video")] == [
        bytes(p) for c in clips for p in packets(c, "video")
    ]
    assert (durations(into), steps(into, "audio")) == ((2.5, 2.5, 2.5), {Fraction(1024, RATE_HZ)})
    seam = 36 * 2000
    error = np.abs(wave(into) - wave(animatics.continuous)[:, : 60 * 2000]).max(axis=0)
    assert error[seam - 480 : seam + 480].max() < 0.02
    assert error[2048:-1024].max() < 0.02


def test_sound_that_would_click_is_not_copied(animatics, tmp_path):
    into = tmp_path / "joined.mp4"
    # Between them lies no continuation: the film begins again.
    assert join([animatics.first, animatics.first], into) is False
    sound, seam = wave(into), 64 * 2000
    around = np.abs(np.diff(sound[:, seam - 4800 : seam + 4800], axis=1)).max(axis=0)
    assert around[4799] <= around.max() < 0.1
    assert np.abs(sound[:, seam + 480 : seam + 2000] - wave(animatics.first)[:, 480:2000]).max() < 0.02


def test_three_clips_are_joined_like_two(animatics, tmp_path):
    into = tmp_path / "joined.mp4"
    join([animatics.first, animatics.later, animatics.first], into)
    assert (len(packets(into, "video")), steps(into, "video")) == (160, {Fraction(1, 24)})
    assert durations(into)[0] == Fraction(6_666_667, 1_000_000)


def test_clips_without_sound_are_copied_without_sound(draw, tmp_path):
    clip, into = draw(tmp_path / "clip.mp4", sound=False), tmp_path / "joined.mp4"
    assert join([clip, clip], into) is True
    assert (durations(into), validate(into).audio_codec) == ((2, 2), None)


@pytest.mark.parametrize("silent_first", [True, False])
def test_a_clip_without_sound_is_silent_in_the_film(tmp_path, silent_first):
    loud = hum(tmp_path / "loud.mp4")
    silent, into = tmp_path / "silent.mp4", tmp_path / "joined.mp4"
    with av.open(str(loud)) as source, av.open(str(silent), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    assert join([silent, loud] if silent_first else [loud, silent], into) is False
    assert durations(into) == (2, 2, 2)
    halves = wave(into)[:, :RATE_HZ], wave(into)[:, RATE_HZ:]
    quiet, heard = halves if silent_first else halves[::-1]
    assert np.abs(quiet[:, 2048:-2048]).max() < 0.001
    assert 0.45 < np.abs(heard[:, 2048:-2048]).max() < 0.55


@pytest.mark.parametrize(
    ("first", "later", "rate_hz", "layout"),
    [
        ((44_100, "mono"), (48_000, "stereo"), 44_100, "stereo"),
        ((48_000, "stereo"), (22_050, "mono"), 48_000, "stereo"),
        ((32_000, "mono"), (48_000, "mono"), 32_000, "mono"),
    ],
)
def test_sound_of_different_rates_is_brought_to_the_first(tmp_path, first, later, rate_hz, layout):
    clips = [
        hum(tmp_path / f"{number}.mp4", rate_hz=rate, layout=channels, hz=400)
        for number, (rate, channels) in enumerate((first, later))
    ]
    into = tmp_path / "joined.mp4"
    assert join(clips, into) is False
    with av.open(str(into)) as film:
        assert (film.streams.audio[0].rate, film.streams.audio[0].layout.name) == (rate_hz, layout)
    assert durations(into) == (2, 2, 2)
    sound = wave(into)[0]
    for half in (sound[: len(sound) // 2], sound[len(sound) // 2 :]):
        loudest = np.abs(np.fft.rfft(half[: rate_hz // 2])).argmax() * 2
        assert loudest == 400


def test_a_clip_of_another_size_is_brought_to_that_of_the_first(tmp_path):
    first = paint(tmp_path / "first.mp4", [(200, 0, 0)], size=(320, 180))
    later = paint(tmp_path / "later.mp4", [(0, 0, 200)], size=(640, 360))
    into = tmp_path / "joined.mp4"
    assert join([first, later], into) is False
    facts = validate(into)
    assert (facts.video_codec, facts.width, facts.height, facts.frames) == ("h264", 320, 180, 48)
    assert (durations(into), steps(into, "video"), facts.faststart) == ((2, 2), {Fraction(1, 24)}, True)
    for number, wanted in ((0, (200, 0, 0)), (23, (200, 0, 0)), (24, (0, 0, 200)), (47, (0, 0, 200))):
        assert np.abs(colour(into, number) - wanted).max() < 6


def test_of_a_clip_of_another_shape_the_middle_is_shown(tmp_path):
    first = paint(tmp_path / "first.mp4", [(9, 9, 9)], size=(128, 96))
    later = paint(tmp_path / "later.mp4", [(200, 0, 0), (0, 200, 0), (0, 0, 200)], size=(96, 384))
    into = tmp_path / "joined.mp4"
    join([first, later], into)
    assert np.abs(colour(into, 30) - (0, 200, 0)).max() < 6


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1", "mpeg4"])
def test_clips_of_different_codecs_are_encoded_as_one(tmp_path, codec):
    first = paint(tmp_path / "first.mp4", [(200, 200, 0)], codec=codec)
    later = paint(tmp_path / "later.mp4", [(0, 200, 200)])
    for clips, wanted in (([first, later], (200, 200, 0)), ([later, first], (0, 200, 200))):
        into = tmp_path / "joined.mp4"
        assert join(clips, into) is False
        assert (validate(into).video_codec, durations(into)) == ("h264", (2, 2))
        assert np.abs(colour(into, 5) - wanted).max() < 8


@pytest.mark.parametrize(("codec", "copied"), [("libx265", True), ("libsvtav1", True), ("libvpx-vp9", False)])
def test_what_describes_itself_outside_its_packets_is_copied_in_any_codec(tmp_path, codec, copied):
    clip, into = paint(tmp_path / "clip.mp4", [(0, 200, 0)], codec=codec), tmp_path / "joined.mp4"
    assert join([clip, clip], into) is copied
    assert (validate(into).frames, durations(into)) == (48, (2, 2))


def test_hevc_keeps_the_tag_by_which_players_know_it(tmp_path):
    clip, into = paint(tmp_path / "clip.mp4", [(0, 200, 0)], codec="libx265"), tmp_path / "joined.mp4"
    tagged = tmp_path / "tagged.mp4"
    tagged.write_bytes(clip.read_bytes().replace(b"hev1", b"hvc1"))
    assert join([tagged, tagged], into) is True
    with av.open(str(into)) as film:
        assert film.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_pace_of_the_first_clip_is_that_of_the_film(tmp_path):
    slow = paint(tmp_path / "slow.mp4", [(200, 0, 0)], rate=24)
    fast = paint(tmp_path / "fast.mp4", [(0, 200, 0)], rate=30, frames=60)
    into = tmp_path / "joined.mp4"
    join([slow, fast], into)
    assert (validate(into).fps, validate(into).frames, durations(into)) == (24.0, 24 + 48, (3, 3))
    join([fast, slow], into)
    assert (validate(into).fps, validate(into).frames, durations(into)) == (30.0, 60 + 30, (3, 3))


def test_ten_bits_and_other_colours_become_those_of_the_film(tmp_path):
    first = paint(tmp_path / "first.mp4", [(200, 60, 60)], size=(1280, 720), frames=2)
    later = paint(tmp_path / "later.mp4", [(60, 60, 200)], pixels="yuv420p10le", frames=2)
    into = tmp_path / "joined.mp4"
    join([later, first], into)
    with av.open(str(into)) as film:
        context = film.streams.video[0].codec_context
        assert (context.pix_fmt, context.colorspace, context.color_range) == ("yuv420p", 1, 1)
    assert np.abs(colour(into, 0) - (60, 60, 200)).max() < 6


def test_a_broken_clip_is_refused_by_its_number(films, tmp_path):
    broken, junk, into = tmp_path / "broken.mp4", tmp_path / "junk.mp4", tmp_path / "joined.mp4"
    broken.write_bytes(films.whole.read_bytes()[:9000])
    junk.write_bytes(b"<html>Not Found</html>")
    with pytest.raises(TruncatedFilm, match=re.escape("clip 2: it ends at byte 9000")):
        join([films.whole, broken], into)
    with pytest.raises(NotAFilm, match="clip 1: it is text"):
        join([junk, films.whole], into)


def test_a_clip_that_cannot_be_decoded_is_refused_where_it_must_be(pierce, films, draw, tmp_path):
    hole = pierce(films.whole, tmp_path / "hole.mp4", 5)
    other = draw(tmp_path / "other.mp4", size=(64, 64))
    with pytest.raises(NotAFilm, match="clip 2: "):
        join([other, hole], tmp_path / "joined.mp4")


@pytest.mark.parametrize("alike", [True, False])
def test_a_damaged_clip_is_joined_or_refused(damage, films, draw, tmp_path, alike):
    first = films.whole if alike else draw(tmp_path / "other.mp4", size=(64, 64))
    clip, into = tmp_path / "clip.mp4", tmp_path / "joined.mp4"
    ends = set()
    for seed in range(30):
        clip.write_bytes(damage(films.whole.read_bytes(), seed))
        try:
            join([first, clip], into)
        except NotAFilm as refused:
            ends.add(type(refused))
    assert TruncatedFilm in ends
