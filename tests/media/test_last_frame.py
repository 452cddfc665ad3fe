from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.last_frame import last_frame


def opened(found):
    image = Image.open(BytesIO(found.content), formats=("PNG",))
    image.load()
    return image


def last_of(path):
    with av.open(str(path)) as film:
        return list(film.decode(video=0))[-1]


def ramp(path, *, frames, **options):
    """Draw grey pictures, each 4 levels brighter than the one before."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "1", **options})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            grey = np.full((48, 64, 3), number * 4, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        film.mux(stream.encode())
    return path


def test_the_last_frame_of_a_drawn_film_is_its_last_picture(animatics):
    found = last_frame(animatics.first)
    assert (found.width, found.height, found.media_type) == (256, 144, "image/png")
    wanted = last_of(animatics.first).to_ndarray(format="rgb24")
    assert np.array_equal(np.asarray(opened(found)), wanted)


@pytest.mark.parametrize("frames", [1, 2, 47, 48, 49, 50, 60])
@pytest.mark.parametrize("backwards", ["0", "3"])
def test_the_last_frame_is_found_whatever_the_group_that_holds_it(tmp_path, frames, backwards):
    film = ramp(tmp_path / "film.mp4", frames=frames, g="48", bf=backwards, b_strategy="0")
    level = np.asarray(opened(last_frame(film)).convert("L")).mean() / 4
    assert round(float(level)) == frames - 1


def test_sound_that_goes_on_longer_does_not_matter(draw, tmp_path):
    film = draw(tmp_path / "film.mp4", frames=12)
    long = tmp_path / "long.mp4"
    with av.open(str(film)) as source, av.open(str(long), "w") as target:
        copies = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            # Half of the pictures are left away.
            if packet.dts is not None and (packet.stream.type == "audio" or packet.is_keyframe):
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    wanted = last_of(long).to_ndarray(format="rgb24")
    assert np.array_equal(np.asarray(opened(last_frame(long))), wanted)


def test_the_last_frame_of_an_unmarked_hd_film_has_its_colours(tmp_path):
    path = tmp_path / "green.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        green = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), (0, 200, 0), np.uint8), format="rgb24")
        marked = green.reformat(format="yuv420p", dst_colorspace="ITU709")
        marked.colorspace = 2
        film.mux(stream.encode(marked))
        film.mux(stream.encode())
    assert np.abs(np.asarray(opened(last_frame(path)))[100, 100] - np.array([0, 200, 0])).max() <= 4


def test_a_film_whose_end_is_broken_has_no_last_frame(films, pierce, tmp_path):
    with pytest.raises(NotAFilm):
        last_frame(pierce(films.whole, tmp_path / "hole.mp4", -1))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(films.whole.read_bytes()[:9000])
    with pytest.raises(TruncatedFilm, match="it ends at byte 9000"):
        last_frame(broken)
    broken.write_bytes(b"{}")
    with pytest.raises(NotAFilm, match="it is text"):
        last_frame(broken)


def test_a_film_broken_before_its_last_group_still_has_one(films, pierce, tmp_path):
    hole = pierce(films.whole, tmp_path / "hole.mp4", 3)
    assert last_frame(hole) == last_frame(films.whole)
