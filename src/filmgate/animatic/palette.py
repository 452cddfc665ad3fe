"""The colours of a film: a sky, a light, and what both do to everything below them."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from filmgate.animatic.planes import RGB, Field

_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Palette:
    """`sky` runs from the zenith to the horizon; `ambient` multiplies daylight colours, `wash` is what they lean to."""

    sky: tuple[RGB, RGB, RGB, RGB]
    haze: RGB
    light: RGB
    ambient: RGB
    wash: RGB
    lean: float
    sprite: RGB
    dark: bool
    mood: str

    def lit(self, colour: RGB, distance: float = 0.0, own: float = 0.0) -> RGB:
        """Give a daylight colour as it looks in this light, `distance` 0 to 1 leaning to the haze.

        `own` is how much of its hue it keeps, 0 to 1, where the light would drown it.
        """
        shaded = [part * ambient for part, ambient in zip(colour, self.ambient, strict=True)]
        luma = 0.2126 * shaded[0] + 0.7152 * shaded[1] + 0.0722 * shaded[2]
        washed = mix(
            (shaded[0], shaded[1], shaded[2]), scaled(self.wash, 0.45 + 1.6 * luma), self.lean * (1 - own)
        )
        return mix(washed, self.haze, distance)

    def snow(self, distance: float = 0.0) -> RGB:
        """Snow gives back whatever light there is, so it stays bright at night."""
        glow = (
            mix(self.sky[3], (0.9, 0.95, 1.0), 0.8) if self.dark else mix((1.0, 1.0, 1.0), self.sky[3], 0.2)
        )
        return mix(mix(self.lit((0.97, 0.98, 1.0)), glow, 0.84 if self.dark else 0.5), self.haze, distance)

    def graded(self, rgb: Field) -> Field:
        """Give the mood's treatment of finished colours (last axis red, green, blue)."""
        return _GRADES[self.mood](rgb) if self.mood in _GRADES else rgb


def hexed(code: str) -> RGB:
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    a, b = 1 - share, share
    return (first[0] * a + second[0] * b, first[1] * a + second[1] * b, first[2] * a + second[2] * b)


def scaled(colour: RGB, factor: float) -> RGB:
    return (min(colour[0] * factor, 1.0), min(colour[1] * factor, 1.0), min(colour[2] * factor, 1.0))


def _toned(rgb: Field) -> Field:
    return cast("Field", (rgb @ _LUMA)[..., None])


def _noir(rgb: Field) -> Field:
    tone = np.clip(_toned(rgb), 0, 1)
    curved = tone * tone * (3 - 2 * tone) * np.float32(0.55) + tone * np.float32(0.45)
    return cast("Field", curved * np.array([0.98, 0.985, 1.0], dtype=np.float32))


def _ink(rgb: Field) -> Field:
    tone = np.clip((_toned(rgb) - np.float32(0.06)) * np.float32(1.25), 0, 1) ** np.float32(0.72)
    paper, ink = np.array([0.97, 0.95, 0.89], np.float32), np.array([0.1, 0.12, 0.15], np.float32)
    drawn = ink + (paper - ink) * tone
    # A little of the colour stays, and most of any red: the seal on an ink painting.
    red = np.clip(rgb[..., :1] - np.maximum(rgb[..., 1:2], rgb[..., 2:]) - np.float32(0.2), 0, 1) * 2
    return cast("Field", drawn + (rgb - _toned(rgb)) * (np.float32(0.12) + np.clip(red, 0, 0.6)))


def _pastel(rgb: Field) -> Field:
    soft = rgb + (_toned(rgb) - rgb) * np.float32(0.22)
    return cast("Field", 1 - (1 - soft) * np.array([0.66, 0.7, 0.66], dtype=np.float32))


def _warm(rgb: Field) -> Field:
    return cast("Field", np.clip(rgb * np.array([1.08, 1.0, 0.86], np.float32) + np.float32(0.01), 0, 1))


def _cold(rgb: Field) -> Field:
    soft = rgb + (_toned(rgb) - rgb) * np.float32(0.2)
    return cast("Field", np.clip(soft * np.array([0.88, 0.99, 1.1], np.float32), 0, 1))


_GRADES = {"noir": _noir, "ink": _ink, "pastel": _pastel, "warm": _warm, "cold": _cold}
