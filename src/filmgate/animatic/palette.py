"""The colours of a film: a sky, a light, and what both do to everything below them."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from filmgate.animatic.planes import RGB, Field
from filmgate.animatic.scene import Scene

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
            mix(self.sky[3], (0.86, 0.92, 1.0), 0.6) if self.dark else mix((1.0, 1.0, 1.0), self.sky[3], 0.2)
        )
        return mix(mix(self.lit((0.97, 0.98, 1.0)), glow, 0.62 if self.dark else 0.5), self.haze, distance)

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


def palette_of(scene: Scene, rng: np.random.Generator) -> Palette:
    key = scene.time
    if scene.place == "space":
        key = "space"
    elif scene.place == "underwater":
        key = "water"
    elif scene.mood == "neon":
        key = "neon"
    chosen = _PALETTES[key]
    palette = replace(chosen[int(rng.integers(len(chosen)))], mood=scene.mood)
    if key in {"space", "water"}:
        return palette
    return _weathered(palette, scene.weather)


def _weathered(palette: Palette, weather: str) -> Palette:
    if weather == "clear":
        return palette
    grey, share, dim = _WEATHERS[weather]
    if palette.dark:
        grey, share = scaled(mix(grey, palette.sky[2], 0.6), 0.42), share * 0.5
    top, upper, lower, low = palette.sky
    return replace(
        palette,
        sky=(
            mix(scaled(top, dim), scaled(grey, 0.72), share),
            mix(scaled(upper, dim), scaled(grey, 0.85), share),
            mix(lower, grey, share * 0.9),
            mix(low, scaled(grey, 1.08), share * 0.8),
        ),
        haze=mix(palette.haze, scaled(grey, 1.05), share * 0.8),
        ambient=scaled(mix(palette.ambient, (0.8, 0.84, 0.9), share * (0.1 if palette.dark else 0.5)), dim),
        sprite=mix(palette.sprite, (0.85, 0.88, 0.93), share * (0.0 if palette.dark else 0.5)),
    )


_WEATHERS: dict[str, tuple[RGB, float, float]] = {
    "cloudy": (hexed("b9c3cf"), 0.45, 0.97),
    "rain": (hexed("8b9bb0"), 0.72, 0.9),
    "storm": (hexed("667289"), 0.85, 0.8),
    "snow": (hexed("cfd8e4"), 0.7, 1.0),
    "fog": (hexed("d3d8da"), 0.75, 1.0),
}


def _sky(top: str, upper: str, lower: str, low: str) -> tuple[RGB, RGB, RGB, RGB]:
    return (hexed(top), hexed(upper), hexed(lower), hexed(low))


def _palette(
    sky: tuple[RGB, RGB, RGB, RGB],
    haze: str,
    light: str,
    ambient: str,
    wash: str,
    lean: float,
    sprite: str,
    *,
    dark: bool = False,
) -> Palette:
    return Palette(
        sky=sky,
        haze=hexed(haze),
        light=hexed(light),
        ambient=hexed(ambient),
        wash=hexed(wash),
        lean=lean,
        sprite=hexed(sprite),
        dark=dark,
        mood="",
    )


_PALETTES: dict[str, tuple[Palette, ...]] = {
    "dawn": (
        _palette(_sky("6a6fa8", "a58fbf", "eab6ae", "ffdfb0"), "f6c9a8", "fff0c8", "cdb0b8", "6f6aa8", 0.6, "ffe9dc"),
        _palette(_sky("5f86b8", "93b0cf", "e9c9bd", "ffe6b8"), "f3d3b4", "fff3d0", "c8b8b4", "6a78a6", 0.5, "fff0e0"),
        _palette(_sky("7d5f9e", "c585ab", "f5a99b", "ffd9a0"), "f7bd9d", "ffecbe", "cfa6b0", "7a5f9c", 0.6, "ffe4d4"),
    ),
    "day": (
        _palette(_sky("2c7bd0", "5aa7e6", "a6d5f3", "e3f3f5"), "cfe7f0", "fff8dc", "ffffff", "7fb0d8", 0.06, "ffffff"),
        _palette(_sky("3a8fd8", "6cbdea", "b5e2ef", "f2f6e2"), "d9ecea", "fff4cc", "fffaf0", "8fb8c8", 0.06, "fffdf6"),
        _palette(_sky("2a6fbe", "4f9ade", "93c7ee", "d9ecf8"), "c3def0", "fffbe8", "f8fbff", "6fa4d8", 0.08, "ffffff"),
    ),
    "sunset": (
        _palette(_sky("43306e", "a04a7c", "ee7a62", "ffc672"), "f59a6a", "fff0bc", "b9808a", "6a3f6e", 0.62, "ffd9c0"),
        _palette(_sky("33406f", "7d5f8e", "e59a6f", "ffd98a"), "f0ad74", "fff2c4", "b98f86", "5f4a72", 0.6, "ffdfc2"),
        _palette(_sky("5a2a5e", "b8435f", "f5713f", "ffb64f"), "f78a4c", "ffeaa8", "b87474", "6b2f56", 0.62, "ffd2b2"),
    ),
    "dusk": (
        _palette(_sky("232658", "4c4380", "a0648a", "f2a578"), "b37a8e", "ffdcae", "8a82ac", "413f7c", 0.6, "dccfe2"),
        _palette(_sky("1f3058", "3f5a86", "8a86a6", "f0bd92"), "9d8fa6", "ffe3b8", "8490b0", "3a4c7c", 0.6, "d6d6e6"),
        _palette(_sky("2c1f52", "5f3a78", "b35a86", "ff9a72"), "bb6c88", "ffd3a2", "8c78a8", "4a3374", 0.6, "e0c8de"),
    ),
    "night": (
        _palette(_sky("080d2b", "111d4c", "233a74", "48659f"), "33507f", "fdf6dc", "5c6ea2", "1e2f66", 0.6, "c6cfee", dark=True),
        _palette(_sky("07141f", "0f2b46", "1f4d6e", "4b7f95"), "33607a", "f4f6e4", "5a7c98", "1b405e", 0.6, "c2d8e6", dark=True),
        _palette(_sky("120b2e", "241a58", "40347f", "6a5fa8"), "4a4486", "fff2e0", "6a669e", "2f2868", 0.6, "cfcaf0", dark=True),
    ),
    "neon": (
        _palette(_sky("0d0628", "2b0c58", "7a1a7c", "ff4f98"), "8f2a86", "ffd27a", "7a58a8", "3a1468", 0.7, "d2aef0", dark=True),
        _palette(_sky("060a2a", "141c64", "3a2f9a", "22c7d8"), "2f5aa0", "ff9ad2", "5a70b4", "1c2472", 0.7, "b4c4f6", dark=True),
        _palette(_sky("14041f", "4a0a4a", "b01f5f", "ff8a4a"), "a02c68", "ffe08a", "8a5a94", "4a1450", 0.7, "f0b8d8", dark=True),
    ),
    "space": (
        _palette(_sky("05040f", "0c0a2a", "1a1248", "2a1c62"), "1e1850", "fff4dc", "8c8cc0", "241c5c", 0.4, "dcdcff", dark=True),
        _palette(_sky("03080f", "071c2c", "0c3448", "155064"), "0f3e50", "f4fff0", "84a4b8", "10384c", 0.4, "d4ecff", dark=True),
        _palette(_sky("0d0410", "26082c", "4a1044", "6e1c50"), "4c1444", "ffeedd", "a884a8", "4a1444", 0.4, "ffdcec", dark=True),
    ),
    "water": (
        _palette(_sky("4fc9de", "1f95c4", "0f6ba6", "0a4a86"), "1a7fb2", "dcfff4", "9fd4dc", "0f5c94", 0.42, "e6fcff"),
        _palette(_sky("58d8c8", "1fa8a8", "0e7888", "0a526c"), "178c94", "f0ffe4", "a4dcc8", "0e6478", 0.42, "ecfff4"),
        _palette(_sky("4a9ade", "2a68bc", "1a4894", "122f6c"), "23569f", "e4f0ff", "98b4e0", "18408c", 0.46, "e4ecff"),
    ),
}  # fmt: skip


def _toned(rgb: Field) -> Field:
    return cast("Field", (rgb @ _LUMA)[..., None])


def _noir(rgb: Field) -> Field:
    tone = np.clip(_toned(rgb), 0, 1)
    curved = tone * tone * (3 - 2 * tone) * np.float32(0.55) + tone * np.float32(0.45)
    return cast("Field", curved * np.array([0.98, 0.985, 1.0], dtype=np.float32))


def _ink(rgb: Field) -> Field:
    tone = np.clip(_toned(rgb), 0, 1) ** np.float32(0.8)
    paper, ink = np.array([0.95, 0.93, 0.87], np.float32), np.array([0.12, 0.135, 0.16], np.float32)
    drawn = ink + (paper - ink) * tone
    # A little of the colour stays, and most of any red: the seal on an ink painting.
    red = np.clip(rgb[..., :1] - np.maximum(rgb[..., 1:2], rgb[..., 2:]) - np.float32(0.2), 0, 1) * 2
    return cast("Field", drawn + (rgb - _toned(rgb)) * (np.float32(0.16) + np.clip(red, 0, 0.6)))


def _pastel(rgb: Field) -> Field:
    soft = rgb + (_toned(rgb) - rgb) * np.float32(0.22)
    return cast("Field", 1 - (1 - soft) * np.array([0.66, 0.7, 0.66], dtype=np.float32))


def _warm(rgb: Field) -> Field:
    return cast("Field", np.clip(rgb * np.array([1.08, 1.0, 0.86], np.float32) + np.float32(0.01), 0, 1))


def _cold(rgb: Field) -> Field:
    soft = rgb + (_toned(rgb) - rgb) * np.float32(0.2)
    return cast("Field", np.clip(soft * np.array([0.88, 0.99, 1.1], np.float32), 0, 1))


_GRADES = {"noir": _noir, "ink": _ink, "pastel": _pastel, "warm": _warm, "cold": _cold}
