"""The palettes: three for each time of day, and for the places that have a light of their own."""

from dataclasses import replace

import numpy as np

from filmgate.animatic.palette import Palette, hexed, mix, scaled
from filmgate.animatic.planes import RGB
from filmgate.animatic.scene import Scene


def palette_of(scene: Scene, rng: np.random.Generator) -> Palette:
    key = scene.time
    if scene.place == "space":
        key = "space"
    elif scene.place == "underwater":
        key = "water"
    elif scene.mood == "neon":
        key = "neon"
    rows = _ROWS[key]
    palette = replace(_palette(key, rows[int(rng.integers(len(rows)))]), mood=scene.mood)
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


# Each row: the sky from zenith to horizon; haze, light, ambient, wash and sprite; how much colours lean to the wash.
_ROWS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "dawn": (
        ("6a6fa8 a58fbf eab6ae ffdfb0", "f6c9a8 fff0c8 cdb0b8 6f6aa8 ffe9dc", 0.6),
        ("5f86b8 93b0cf e9c9bd ffe6b8", "f3d3b4 fff3d0 c8b8b4 6a78a6 fff0e0", 0.5),
        ("7d5f9e c585ab f5a99b ffd9a0", "f7bd9d ffecbe cfa6b0 7a5f9c ffe4d4", 0.6),
    ),
    "day": (
        ("2c7bd0 5aa7e6 a6d5f3 e3f3f5", "cfe7f0 fff8dc ffffff 7fb0d8 ffffff", 0.06),
        ("3a8fd8 6cbdea b5e2ef f2f6e2", "d9ecea fff4cc fffaf0 8fb8c8 fffdf6", 0.06),
        ("2a6fbe 4f9ade 93c7ee d9ecf8", "c3def0 fffbe8 f8fbff 6fa4d8 ffffff", 0.08),
    ),
    "sunset": (
        ("43306e a04a7c ee7a62 ffc672", "f59a6a fff0bc b9808a 6a3f6e ffd9c0", 0.62),
        ("33406f 7d5f8e e59a6f ffd98a", "f0ad74 fff2c4 b98f86 5f4a72 ffdfc2", 0.6),
        ("5a2a5e b8435f f5713f ffb64f", "f78a4c ffeaa8 b87474 6b2f56 ffd2b2", 0.62),
    ),
    "dusk": (
        ("232658 4c4380 a0648a f2a578", "b37a8e ffdcae 8a82ac 413f7c dccfe2", 0.6),
        ("1f3058 3f5a86 8a86a6 f0bd92", "9d8fa6 ffe3b8 8490b0 3a4c7c d6d6e6", 0.6),
        ("2c1f52 5f3a78 b35a86 ff9a72", "bb6c88 ffd3a2 8c78a8 4a3374 e0c8de", 0.6),
    ),
    "night": (
        ("080d2b 111d4c 233a74 48659f", "33507f fdf6dc 5c6ea2 1e2f66 c6cfee", 0.6),
        ("07141f 0f2b46 1f4d6e 4b7f95", "33607a f4f6e4 5a7c98 1b405e c2d8e6", 0.6),
        ("120b2e 241a58 40347f 6a5fa8", "4a4486 fff2e0 6a669e 2f2868 cfcaf0", 0.6),
    ),
    "neon": (
        ("0d0628 2b0c58 7a1a7c ff4f98", "8f2a86 ffd27a 7a58a8 3a1468 d2aef0", 0.7),
        ("060a2a 141c64 3a2f9a 22c7d8", "2f5aa0 ff9ad2 5a70b4 1c2472 b4c4f6", 0.7),
        ("14041f 4a0a4a b01f5f ff8a4a", "a02c68 ffe08a 8a5a94 4a1450 f0b8d8", 0.7),
    ),
    "space": (
        ("05040f 0c0a2a 1a1248 2a1c62", "1e1850 fff4dc 8c8cc0 241c5c dcdcff", 0.4),
        ("03080f 071c2c 0c3448 155064", "0f3e50 f4fff0 84a4b8 10384c d4ecff", 0.4),
        ("0d0410 26082c 4a1044 6e1c50", "4c1444 ffeedd a884a8 4a1444 ffdcec", 0.4),
    ),
    "water": (
        ("4fc9de 1f95c4 0f6ba6 0a4a86", "1a7fb2 dcfff4 9fd4dc 0f5c94 e6fcff", 0.42),
        ("58d8c8 1fa8a8 0e7888 0a526c", "178c94 f0ffe4 a4dcc8 0e6478 ecfff4", 0.42),
        ("4a9ade 2a68bc 1a4894 122f6c", "23569f e4f0ff 98b4e0 18408c e4ecff", 0.46),
    ),
}
_DARK = {"night", "neon", "space"}


def _palette(key: str, row: tuple[str, str, float]) -> Palette:
    top, upper, lower, low = (hexed(code) for code in row[0].split())
    haze, light, ambient, wash, sprite = (hexed(code) for code in row[1].split())
    return Palette(
        sky=(top, upper, lower, low),
        haze=haze,
        light=light,
        ambient=ambient,
        wash=wash,
        lean=row[2],
        sprite=sprite,
        dark=key in _DARK,
        mood="",
    )
