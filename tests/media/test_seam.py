import numpy as np
import pytest

from filmgate.media.clips import read_clips
from filmgate.media.seam import copies_well, soften

RATE_HZ = 48_000


def tone(hz, samples, *, start=0):
    return np.sin((np.arange(samples) + start) * hz / RATE_HZ * 2 * np.pi).astype(np.float32) / 2


def softened(*parts):
    """Put stereo sounds behind each other and soften the seam after the first."""
    whole = np.concatenate(parts)
    sound = bytearray(np.repeat(whole, 2).tobytes())
    with memoryview(sound).cast("f") as samples:
        soften(samples, len(parts[0]), 2, RATE_HZ)
    channels = np.frombuffer(sound, np.float32).reshape(-1, 2)
    assert np.array_equal(channels[:, 0], channels[:, 1])
    return channels[:, 0]


def test_a_sound_that_goes_on_is_left_as_it_is():
    before, after = tone(440, 4800), tone(440, 4800, start=4800)
    assert np.array_equal(softened(before, after), np.concatenate([before, after]))


@pytest.mark.parametrize(
    "after", [np.zeros(4800, np.float32), -tone(440, 4800, start=4800 + 27), np.full(4800, -0.4, np.float32)]
)
def test_a_step_is_crossfaded_within_ten_milliseconds(after):
    before = tone(440, 4800 + 27)
    plain, soft = np.concatenate([before, after]), softened(before, after)
    seam = len(before)
    assert np.abs(np.diff(plain))[seam - 1] > 0.1
    assert np.abs(np.diff(soft)).max() < 0.06
    assert np.array_equal(soft[:seam], plain[:seam])
    assert np.array_equal(soft[seam + 480 :], plain[seam + 480 :])


def test_sounds_of_no_length_have_no_seam():
    nothing = np.zeros(0, np.float32)
    for parts in ((nothing, tone(440, 99)), (tone(440, 99), nothing)):
        assert np.array_equal(softened(*parts), tone(440, 99))


def test_only_what_goes_on_can_be_copied_behind(animatics):
    with animatics.first.open("rb") as one, animatics.later.open("rb") as two:
        first, later = read_clips([one, two])
        samples = 64 * 2000
        assert copies_well(first, later, samples)
        assert not copies_well(first, first, samples)
