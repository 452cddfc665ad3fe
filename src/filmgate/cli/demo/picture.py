"""The demo's own pictures: one valley, at dusk and at night, so that a film can lead from the one to the other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from PIL import Image, ImageDraw, ImageFilter

_Colour: TypeAlias = tuple[int, int, int]

WIDTH: Final = 1280
HEIGHT: Final = 720
# Drawn larger than it is kept, so that its edges are smooth.
_SCALE: Final = 2
_STEP: Final = 4
_LEVELS: Final = (0.55, 0.64, 0.73, 0.86)
_HAMLET_HILL: Final = 2
_HAMLET: Final = (
    (0.40, 34, 20),
    (0.437, 26, 17),
    (0.478, 38, 22),
    (0.522, 28, 18),
    (0.556, 42, 24),
    (0.603, 30, 19),
    (0.64, 24, 16),
)
"""Houses: how far to the right as a share of the width, how wide and how high in pixels."""
_CHURCH: Final = 2
_PINES: Final = 46
_STARS: Final = 160
_GOLDEN: Final = 0.618034


@dataclass(frozen=True, slots=True)
class Hour:
    """The light of one hour: colours from far to near, and where the sun or the moon stands."""

    name: str
    sky: tuple[_Colour, _Colour]
    disc: _Colour
    place: tuple[float, float]
    radius: float
    glow: int
    hills: tuple[_Colour, _Colour, _Colour, _Colour]
    wall: _Colour
    window: _Colour
    stars: bool


DUSK: Final = Hour(
    name="valley-dusk.png",
    sky=((52, 62, 118), (250, 162, 104)),
    disc=(255, 230, 170),
    place=(0.60, 0.50),
    radius=0.075,
    glow=150,
    hills=((150, 104, 132), (112, 78, 118), (76, 58, 98), (34, 30, 56)),
    wall=(58, 44, 78),
    window=(98, 72, 92),
    stars=False,
)
# The moon stands where the sun was, and the hills are as far apart in their light: what is drawn alike can be led
# from the one picture to the other.
NIGHT: Final = Hour(
    name="valley-night.png",
    sky=((10, 14, 40), (112, 130, 176)),
    disc=(240, 243, 250),
    place=(0.60, 0.50),
    radius=0.068,
    glow=120,
    hills=((70, 86, 132), (48, 60, 100), (30, 38, 68), (8, 11, 24)),
    wall=(15, 19, 38),
    window=(255, 206, 112),
    stars=True,
)


def draw_pictures(folder: Path) -> tuple[Path, Path]:
    """Draw both pictures into a folder, and give their paths: dusk, night."""
    return _draw(folder, DUSK), _draw(folder, NIGHT)


def _draw(folder: Path, hour: Hour) -> Path:
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE))
    _draw_sky(image, hour)
    _draw_disc(image, hour)
    for no, (level, colour) in enumerate(zip(_LEVELS, hour.hills, strict=True)):
        _draw_hill(image, no, level, colour)
        if no == _HAMLET_HILL:
            _draw_hamlet(image, hour)
    _draw_pines(image, hour)
    path = folder / hour.name
    image.reduce(_SCALE).save(path)
    return path


def _draw_sky(image: Image.Image, hour: Hour) -> None:
    draw = ImageDraw.Draw(image)
    horizon = round(image.height * 0.72)
    for y in range(image.height):
        draw.line([(0, y), (image.width, y)], fill=_between(*hour.sky, min(1.0, y / horizon) ** 1.25))
    if not hour.stars:
        return
    for no in range(_STARS):
        # Steps of the golden ratio are spread evenly, and never in rows.
        place = (no * _GOLDEN) % 1, (no * _GOLDEN * _GOLDEN * 1.7) % 0.5
        size = 1.0 + 1.6 * ((no * 7) % 5 == 0) + ((no * 3) % 4) / 4
        bright = 120 + (no * 53) % 130
        centre = (place[0] * image.width, place[1] * image.height)
        draw.ellipse(_box(centre, size), fill=(bright, bright, min(255, bright + 20)))


def _draw_disc(image: Image.Image, hour: Hour) -> None:
    centre = (image.width * hour.place[0], image.height * hour.place[1])
    radius = image.height * hour.radius
    small = Image.new("L", (WIDTH // 4, HEIGHT // 4))
    share = small.width / image.width
    middle = (centre[0] * share, centre[1] * share)
    ImageDraw.Draw(small).ellipse(_box(middle, radius * share * 1.7), fill=hour.glow)
    glow = small.filter(ImageFilter.GaussianBlur(radius * share * 1.1)).resize(image.size)
    image.paste(hour.disc, mask=glow)
    ImageDraw.Draw(image).ellipse(_box(centre, radius), fill=hour.disc)


def _draw_hill(image: Image.Image, no: int, level: float, colour: _Colour) -> None:
    ridge = _ridge(no, level)
    line = [(float(x), ridge(x / _SCALE) * _SCALE) for x in range(0, image.width + _STEP, _STEP)]
    draw = ImageDraw.Draw(image)
    draw.polygon([*line, (image.width, image.height), (0, image.height)], fill=colour)


def _draw_hamlet(image: Image.Image, hour: Hour) -> None:
    _draw_gleam(image, hour)
    draw, ridge = ImageDraw.Draw(image), _ridge(_HAMLET_HILL, _LEVELS[_HAMLET_HILL])
    for no, (where, width, height) in enumerate(_HAMLET):
        left, foot = where * WIDTH, ridge(where * WIDTH + width / 2) + 5
        top = foot - height
        _fill(draw, [(left, foot + 8), (left, top), (left + width, top), (left + width, foot + 8)], hour.wall)
        middle = left + width / 2
        _fill(draw, [(left - 3, top), (middle, top - height * 0.6), (left + width + 3, top)], hour.wall)
        if no == _CHURCH:
            low, peak = top - height * 0.4, top - height * 1.9
            _fill(draw, [(middle - 6, low), (middle, peak), (middle + 6, low)], hour.wall)
        for pane in range(6, width - 7, 10):
            _fill(draw, _pane(left + pane, top + height * 0.32), hour.window)


def _draw_gleam(image: Image.Image, hour: Hour) -> None:
    """Let lit windows shine a little around them."""
    if not hour.stars:
        return
    small = Image.new("L", (WIDTH // 2, HEIGHT // 2))
    draw, ridge = ImageDraw.Draw(small), _ridge(_HAMLET_HILL, _LEVELS[_HAMLET_HILL])
    for where, width, height in _HAMLET:
        x, y = where * WIDTH + width / 2, ridge(where * WIDTH + width / 2) + 5 - height / 2
        draw.ellipse(_box((x / 2, y / 2), width * 0.45), fill=70)
    glow = small.filter(ImageFilter.GaussianBlur(9)).resize(image.size)
    image.paste(hour.window, mask=glow)


def _draw_pines(image: Image.Image, hour: Hour) -> None:
    draw, ridge = ImageDraw.Draw(image), _ridge(3, _LEVELS[3])
    for no in range(_PINES):
        x = ((no * _GOLDEN) % 1) * WIDTH
        # They stand at the sides, and leave the valley open.
        size = (20 + 34 * ((no * 5) % 7) / 7) * (0.45 + 1.3 * abs(x / WIDTH - 0.52))
        foot = ridge(x) + 8
        for tier in range(3):
            wide, low = size * (0.34 - 0.08 * tier), foot - size * 0.42 * tier
            _fill(draw, [(x - wide, low), (x, low - size * 0.75), (x + wide, low)], hour.hills[3])


def _ridge(no: int, level: float) -> Callable[[float], float]:
    """Give a hill's outline: its height in pixels from the top, by the pixels from the left."""

    def height(x: float) -> float:
        wave = 30 * math.sin(x / (170 - 24 * no) + 2.1 * no) + 13 * math.sin(x / 49 + 1.3 * no)
        valley = 46 * (1 - no / 4) * math.cos((x / WIDTH - 0.52) * 5.2)
        return HEIGHT * level + wave * (1.15 - 0.2 * no) + valley

    return height


def _fill(draw: ImageDraw.ImageDraw, corners: Sequence[tuple[float, float]], colour: _Colour) -> None:
    draw.polygon([(x * _SCALE, y * _SCALE) for x, y in corners], fill=colour)


def _pane(x: float, y: float) -> Sequence[tuple[float, float]]:
    return [(x, y), (x + 4, y), (x + 4, y + 6), (x, y + 6)]


def _box(centre: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)


def _between(one: _Colour, other: _Colour, share: float) -> _Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)
