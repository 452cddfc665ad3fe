from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from filmgate.media import frames
from filmgate.media.findings import NotAFilm
from filmgate.media.frames import images_at
from filmgate.media.inspection import inspect
from filmgate.media.spritesheet import spritesheet
from filmgate.media.thumbnail import thumbnail


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """A film of 40 grey pictures, each 6 levels brighter than the one before, with only one key frame."""
    path = tmp_path_factory.mktemp("ramp") / "ramp.mp4"
    with av.open(str(path), "w") as film:
        picture = film.add_stream("libx264", rate=10, options={"g": "100", "crf": "1"})
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        for level in range(40):
            pixels = np.full((180, 320, 3), level * 6, np.uint8)
            film.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(picture.encode())
    return path


def level(image: Image.Image) -> int:
    """Tell which picture of the ramp this is."""
    return round(float(np.asarray(image.convert("L")).mean()) / 6)


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def test_a_thumbnail_shows_the_picture_at_its_share_of_the_film(ramp):
    shown = [level(opened(thumbnail(ramp, "jpeg", at=at))) for at in (0.0, 0.24, 0.4, 0.99)]
    assert shown == [0, 9, 16, 39]


def test_a_thumbnail_is_as_wide_as_asked_and_never_enlarged(ramp):
    small, large = opened(thumbnail(ramp, "webp", width=160)), opened(thumbnail(ramp, "jpeg", width=640))
    assert (small.format, small.size, large.format, large.size) == ("WEBP", (160, 90), "JPEG", (320, 180))


def test_a_spritesheet_goes_through_the_film_row_by_row(ramp):
    sheet = opened(spritesheet(ramp, columns=5, rows=4, cell_width=64))
    cells = [
        level(sheet.crop((x * 64 + 16, y * 36 + 8, x * 64 + 48, y * 36 + 28)))
        for y in range(4)
        for x in range(5)
    ]
    assert (sheet.format, sheet.size) == ("JPEG", (320, 144))
    assert cells == list(range(1, 40, 2))


def test_the_cells_of_a_drawn_film_are_distinct_moments(animatics):
    with av.open(str(animatics.continuous)) as film:
        assert sum(packet.is_keyframe for packet in film.demux(video=0)) == 2
    sheet = np.asarray(opened(spritesheet(animatics.continuous)).convert("L"), np.int16)
    cells = [sheet[y : y + 144, x : x + 256] for y in range(0, 576, 144) for x in range(0, 1280, 256)]
    alike = [np.abs(one - other).max() < 8 for at, one in enumerate(cells) for other in cells[:at]]
    assert (len(cells), any(alike)) == (20, False)


def test_a_film_of_one_picture_fills_its_sheet_with_it(draw, tmp_path):
    sheet = opened(spritesheet(draw(tmp_path / "still.mp4", frames=1, sound=False), cell_width=64))
    assert sheet.size == (320, 192)


def test_of_an_endless_film_only_key_frames_are_decoded(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "DECODED_PIXELS", 0)
    film = draw(tmp_path / "long.mp4", frames=48)
    images = images_at(film, [0.1, 0.3, 0.9], [64, 64, 64])
    first, second, third = (image.tobytes() for image in images)
    assert first != second != third
    assert images_at(film, [0.2], [64])[0].tobytes() == first


def test_an_unmarked_hd_film_is_taken_for_bt709(tmp_path):
    path = tmp_path / "green.mp4"
    with av.open(str(path), "w") as film:
        picture = film.add_stream("libx264", rate=10, options={"crf": "1"})
        picture.width, picture.height, picture.pix_fmt = 1280, 720, "yuv420p"
        green = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), (0, 200, 0), np.uint8), format="rgb24")
        marked = green.reformat(format="yuv420p", dst_colorspace="ITU709")
        marked.colorspace = 2
        film.mux(picture.encode(marked))
        film.mux(picture.encode())
    shown = np.asarray(opened(thumbnail(path, "webp")).convert("RGB"))[100, 100]
    assert np.abs(shown - np.array([0, 200, 0])).max() <= 4


def test_an_inspection_holds_proof_and_pictures_at_once(films):
    found = inspect(films.whole)
    assert (found.facts.frames, found.facts.seconds) == (24, 1.0)
    assert found.thumbnail_webp == thumbnail(films.whole, "webp")
    assert found.thumbnail_jpeg == thumbnail(films.whole, "jpeg")
    assert found.spritesheet_jpeg == spritesheet(films.whole)


@pytest.mark.parametrize("number", [0, 5, -1])
def test_an_inspection_refuses_a_film_with_a_hole_anywhere(pierce, films, tmp_path, number):
    with pytest.raises(NotAFilm):
        inspect(pierce(films.whole, tmp_path / "film.mp4", number))


@pytest.mark.parametrize("number", [0, -1])
def test_an_inspection_refuses_an_endless_film_with_a_hole_at_an_end(
    pierce, films, tmp_path, monkeypatch, number
):
    monkeypatch.setattr(frames, "DECODED_PIXELS", 0)
    with pytest.raises(NotAFilm):
        inspect(pierce(films.whole, tmp_path / "film.mp4", number))


def test_an_inspection_refuses_what_is_no_film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"{}")
    with pytest.raises(NotAFilm):
        inspect(path)
