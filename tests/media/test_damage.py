"""Bytes that were damaged at random: whatever comes of them, it is an answer."""

from collections import Counter

import pytest

from filmgate.media.findings import BadPicture, NotAFilm
from filmgate.media.inspection import inspect
from filmgate.media.pictures import check_picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_picture_is_checked_or_refused(damage, encode, kind):
    data = encode(kind, (64, 48))
    ends: Counter[str] = Counter()
    for seed in range(300):
        try:
            check_picture(damage(data, seed))
        except BadPicture as refused:
            ends[refused.code] += 1
        else:
            ends["checked"] += 1
    assert sum(ends.values()) == 300
    assert ends["truncated"]


@pytest.mark.parametrize("name", ["whole", "moov_last", "fragmented"])
def test_a_damaged_film_is_inspected_or_refused(damage, films, tmp_path, name):
    data = getattr(films, name).read_bytes()
    film = tmp_path / "film.mp4"
    ends: Counter[str] = Counter()
    for seed in range(100):
        film.write_bytes(damage(data, seed))
        try:
            inspect(film)
        except NotAFilm as refused:
            ends[type(refused).__name__] += 1
        else:
            ends["inspected"] += 1
    assert sum(ends.values()) == 100
    assert ends["TruncatedFilm"]
