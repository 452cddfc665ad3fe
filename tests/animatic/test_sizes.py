import cv2
import numpy as np
import pytest


def likeness(one, other):
    """Give the structural similarity of two pictures' light."""

    def soft(values):
        return cv2.GaussianBlur(values, (0, 0), 1.5)

    mean, means = soft(one), soft(other)
    spread, spreads = soft(one * one) - mean**2, soft(other * other) - means**2
    shared = soft(one * other) - mean * means
    return float(
        np.mean(
            (2 * mean * means + 6.5)
            * (2 * shared + 58.5)
            / ((mean**2 + means**2 + 6.5) * (spread + spreads + 58.5))
        )
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "snow mountains at dawn",
        "a dog on a meadow",
        "a camel in the desert",
        "a fish in a coral reef",
        "a city street by day",
        "a neon city at night",
    ],
)
def test_a_larger_drawing_shows_the_same_scene(prompt, moments):
    fields = {"prompt": prompt, "mark": True}
    (small,) = moments(fields | {"width": 640, "height": 360}, (1.5,))
    (large,) = moments(fields | {"width": 1280, "height": 720}, (1.5,))
    assert likeness(small, cv2.resize(large, (640, 360), interpolation=cv2.INTER_AREA)) > 0.85
