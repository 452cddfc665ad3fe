"""Streets: three rows of houses with lit windows, lamps, and a road that mirrors them when it is wet or dark."""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.ground import ground_sheet
from filmgate.animatic.landmarks import landmark
from filmgate.animatic.noise import chance, smooth_step
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, U8, Field
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Element, Setting, Stage
from filmgate.animatic.water import still_water

_WALLS = (hexed("b9a58f"), hexed("9fb0bd"), hexed("c98f74"), hexed("d9c6a3"), hexed("8f9db0"))
_WARM, _COOL = (hexed("ffd98a"), hexed("ffb45a"), hexed("fff0c4")), (hexed("a8e0ff"), hexed("7ad0ff"))
# Farther houses are too small for signs.
_NEAR = 0.5
_FAINT = 0.012
_ROOFS = {
    "downtown": ("step", "step", "mast", "flat", "flat", "mast", "spire"),
    "old town": ("gable", "gable", "hip", "hip", "step", "spire"),
    "mixed": ("step", "step", "mast", "gable", "flat", "flat", "dome", "hip"),
}
_STYLES = ("downtown", "old town", "mixed")
# How tall houses stand in each style, and how wide.
_MEASURES = {"downtown": (1.25, 0.9), "old town": (0.78, 0.8), "mixed": (0.95, 1.05)}
_NEON = (hexed("ff4fa8"), hexed("35e6f2"), hexed("b16bff"), hexed("ffd24a"))


@dataclass(frozen=True, slots=True)
class _Row:
    """`windows` is the share of lit windows, `size` a window's width in pixels, `style` picks the roofs."""

    tall: tuple[float, float]
    wide: tuple[float, float]
    distance: float
    depth: float
    windows: float
    size: float
    style: str


def paint_city(stage: Stage) -> Setting:
    rng = stage.rng("city")
    dark = stage.palette.dark or stage.scene.time == "dusk"
    style = _STYLES[int(rng.integers(len(_STYLES)))]
    unit, room = stage.unit, min(stage.horizon / stage.unit, 1.2) * rng.uniform(0.8, 1.12)
    far, middle, near = _rows(style, room, unit, busy=rng.uniform(0.75, 1.3))
    back: list[Element] = [
        _houses(stage, rng, far, dark=dark),
        *landmark(stage, rng, room, dark=dark),
        _houses(stage, rng, middle, dark=dark),
        _houses(stage, rng, near, dark=dark),
    ]
    wet = dark or stage.scene.weather in {"rain", "storm"}
    if wet:
        back.append(_lamps(stage, rng, dark=dark))
        street = mix(mix(stage.palette.sky[2], stage.palette.sky[3], 0.3), stage.palette.wash, 0.15)
        back.append(_kerb(stage, rng))
        back.append(still_water(stage, stage.horizon + unit * 0.028, street, wet_street=True))
    else:
        paving = stage.palette.snow() if stage.scene.weather == "snow" else stage.palette.lit(hexed("b5aea6"))
        back += [
            _lamps(stage, rng, dark=dark),
            ground_sheet(stage, rng, stage.horizon + stage.unit * 0.01, colour=paving, depth=0.8),
        ]
    return Setting(back=back, front=[])


def _rows(style: str, room: float, unit: float, *, busy: float) -> tuple[_Row, _Row, _Row]:
    """`busy` is how many windows are lit, 1 as usual."""
    high, wide = _MEASURES[style]
    low = min(high, 1.0)

    def row(
        tall: tuple[float, float],
        across: tuple[float, float],
        at: tuple[float, float],
        lit: float,
        size: float,
    ) -> _Row:
        return _Row(
            (tall[0] * room * low, tall[1] * room * high),
            (across[0] * wide, across[1] * wide),
            at[0],
            at[1],
            lit * busy,
            unit * size,
            style,
        )

    return (
        row((0.3, 0.6), (0.07, 0.14), (0.66, 0.12), 0.16, 0.006),
        row((0.2, 0.44), (0.1, 0.18), (0.36, 0.28), 0.26, 0.0095),
        row((0.12, 0.3), (0.13, 0.24), (0.04, 0.5), 0.46, 0.015),
    )


def _houses(stage: Stage, rng: np.random.Generator, row: _Row, *, dark: bool) -> Sheet:
    unit, foot = stage.unit, stage.horizon
    paper = stage.paper(foot - row.tall[1] * unit * 1.3, foot + stage.unit * 0.03)
    body, shade, warm, cool, signs, pale = (paper.mask() for _ in range(6))
    x = 0.0
    while x < stage.period - unit * 0.04:
        wide = min(unit * rng.uniform(*row.wide), stage.period - x)
        tall = unit * rng.uniform(*row.tall)
        box = (round(x), round(foot - tall), round(x + wide) - 1)
        # What a house needs of chance depends on its pixels: dice of its own keep the next one the same at every size.
        own = np.random.default_rng(int(rng.integers(1 << 62)))
        _house(paper, (body, shade), own, box, unit, _ROOFS[row.style])
        _windows(paper, (warm, cool, pale), own, box, row)
        if stage.scene.mood == "neon" and row.distance < _NEAR and chance(own, 0.6):
            _sign(paper, signs, own, box, unit)
        x += wide + (unit * rng.uniform(0, 0.02) if chance(rng, 0.3) else 0)
    _colour(stage, rng, paper, row, dark=dark)
    paper.paint(shade, scaled(stage.palette.wash, 0.5), 0.22)
    wall = _wall(stage, rng, row.distance, dark=dark)
    paper.paint(pale, scaled(wall, 0.72) if not dark else scaled(wall, 0.8), 0.6)
    lit = 0.97 - row.distance * 0.6 if dark else 0.0
    if lit:
        accent = stage.scene.mood == "neon"
        paper.paint(
            warm,
            _NEON[int(rng.integers(4))] if accent and chance(rng, 0.5) else _WARM[int(rng.integers(3))],
            lit,
        )
        paper.paint(cool, _COOL[int(rng.integers(2))], lit * 0.8)
        colour = _NEON[int(rng.integers(len(_NEON)))]
        paper.paint(_bloom(signs, unit), colour, 0.55)
        paper.paint(signs, mix(colour, (1, 1, 1), 0.35), 0.95)
    paper.alpha = body.astype(np.float32) / np.float32(255)
    paper.alpha[round(foot) - paper.top :] = 1
    paper.grain(rng)
    return paper.sheet(row.depth, stage.width, 0.12, unit * 0.01)


def _colour(stage: Stage, rng: np.random.Generator, paper: Paper, row: _Row, *, dark: bool) -> None:
    wall = _wall(stage, rng, row.distance, dark=dark)
    paper.fill(np.array(wall, dtype=np.float32).reshape(1, 1, 3))
    rise = smooth_step(stage.horizon - row.tall[1] * stage.unit * 0.8, stage.horizon, paper.half_rows())
    glow = mix(stage.palette.haze, stage.palette.sky[3], 0.5) if dark else stage.palette.haze
    soft = np.broadcast_to(
        rise * np.float32(0.16 + 0.42 * row.distance), (paper.height // 2, paper.width // 2)
    )
    paper.tint(np.ascontiguousarray(soft), glow)


def _wall(stage: Stage, rng: np.random.Generator, distance: float, *, dark: bool) -> RGB:
    if dark:
        near = mix(scaled(stage.palette.sky[0], 0.8), scaled(stage.palette.wash, 0.7), 0.35)
        return mix(near, mix(stage.palette.haze, stage.palette.sky[2], 0.4), min(1.0, distance * 1.15))
    return mix(stage.palette.lit(_WALLS[int(rng.integers(len(_WALLS)))]), stage.palette.haze, distance)


def _house(
    paper: Paper,
    masks: tuple[U8, U8],
    rng: np.random.Generator,
    box: tuple[int, int, int],
    unit: float,
    roofs: tuple[str, ...],
) -> None:
    (left, top, right), (body, shade) = box, masks
    low = paper.top + paper.height
    paper.shape(body, [(left, top), (right, top), (right, low), (left, low)])
    paper.shape(
        shade,
        [
            (left + (right - left) * 0.72, top),
            (right, top),
            (right, low),
            (left + (right - left) * 0.72, low),
        ],
    )
    roof = roofs[int(rng.integers(len(roofs)))]
    outline = _roof(rng, roof, (left, top, right), unit)
    if outline:
        paper.shape(body, outline)
    elif roof == "dome":
        wide = right - left
        paper.disc(body, left + wide * 0.5, top + wide * 0.08, wide * 0.26)


def _roof(
    rng: np.random.Generator, kind: str, box: tuple[int, int, int], unit: float
) -> list[tuple[float, float]]:
    """Give the outline of a roof with straight edges; a flat one and a dome have none."""
    left, top, right = box
    wide, eaves = right - left, top + 1
    if kind == "gable":
        return [(left, eaves), (left + wide * 0.5, top - wide * rng.uniform(0.2, 0.5)), (right, eaves)]
    if kind == "spire":
        return [(left + wide * 0.3, eaves), (left + wide * 0.5, top - wide * 0.9), (left + wide * 0.7, eaves)]
    if kind == "hip":
        rise, slope = wide * rng.uniform(0.12, 0.24), wide * 0.22
        return [(left, eaves), (left + slope, top - rise), (right - slope, top - rise), (right, eaves)]
    if kind == "step":
        rise, inset = unit * rng.uniform(0.015, 0.04), wide * 0.2
        first, last = left + inset, right - inset
        return [(first, eaves), (first, top - rise), (last, top - rise), (last, eaves)]
    if kind == "mast":
        thin, rise = max(1.0, unit * 0.002), unit * rng.uniform(0.04, 0.1)
        x = left + wide * rng.uniform(0.3, 0.7)
        return [(x - thin, eaves), (x - thin, top - rise), (x + thin, top - rise), (x + thin, eaves)]
    return []


def _windows(
    paper: Paper, masks: tuple[U8, U8, U8], rng: np.random.Generator, box: tuple[int, int, int], row: _Row
) -> None:
    (left, top, right), (warm, cool, pale) = box, masks
    size = max(2.0, row.size)
    wide, tall = round(size), round(size * 1.35)
    step_x, step_y = size * 2.1, size * 1.35 * 1.9
    first_x, first_y = left + size * 1.1, top - paper.top + size * 1.62
    columns = max(0, int((right - size - first_x) / step_x + 1))
    storeys = max(0, int((paper.height - size * 1.35 - first_y) / step_y))
    # A row of dice for each floor, so that one floor or window more changes no other.
    floors = [np.random.default_rng(int(seed)) for seed in rng.integers(1 << 62, size=storeys)]
    # Whole floors stay dark or lit: that is how offices look.
    busy = [floor.uniform(0.4, 1.5) for floor in floors]
    lit = [floor.random(columns) for floor in floors]
    for floor, column in np.ndindex(storeys, columns):
        y, x = round(first_y + floor * step_y), round(first_x + column * step_x)
        mask = pale
        if lit[floor][column] < row.windows * busy[floor]:
            mask = cool if lit[floor][column] < row.windows * busy[floor] * 0.24 else warm
        mask[y : y + tall, x : x + wide] = 150 + round(105 * ((floor * 7 + column * 13) % 5) / 4)


def _sign(paper: Paper, mask: U8, rng: np.random.Generator, box: tuple[int, int, int], unit: float) -> None:
    left, top, right = box
    wide, tall = unit * rng.uniform(0.016, 0.03), unit * rng.uniform(0.05, 0.13)
    x, y = left + (right - left) * rng.uniform(0.15, 0.7), top + unit * rng.uniform(0.02, 0.06)
    thin = max(1.0, unit * 0.0026)
    for edge in (
        (x, y, x + wide, y + thin),
        (x, y + tall, x + wide, y + tall + thin),
        (x, y, x + thin, y + tall),
        (x + wide, y, x + wide + thin, y + tall + thin),
    ):
        a, b, c, d = edge
        paper.shape(mask, [(a, b), (c, b), (c, d), (a, d)])


def _bloom(mask: U8, unit: float) -> Field:
    size = max(3, round(unit * 0.018)) | 1
    soft = cv2.blur(cv2.blur(mask.astype(np.float32) / np.float32(255), (size, size)), (size, size))
    return np.asarray(np.minimum(soft * np.float32(2.2), np.float32(1)), dtype=np.float32)


def _lamps(stage: Stage, rng: np.random.Generator, *, dark: bool) -> Sheet:
    unit, foot = stage.unit, stage.horizon + stage.unit * 0.012
    paper = stage.paper(foot - unit * 0.6, foot + 2)
    poles, heads = paper.mask(), paper.mask()
    iron = scaled(stage.palette.lit(hexed("4a4f5c")), 0.5)
    glow = np.zeros((paper.height // 2, paper.width // 2), dtype=np.float32)
    count = max(2, round(stage.period / (unit * rng.uniform(0.6, 1.1))))
    shift = rng.uniform(0, 1)
    for index in range(count):
        x = (index + shift) * stage.period / count % stage.period
        lamp = _lamp(paper, (poles, heads), x, foot, unit)
        if dark:
            glow = np.maximum(glow, _lamplight(paper, lamp, foot, unit))
    warm = hexed("ffd9a0") if stage.scene.mood != "neon" else hexed("c8f4ff")
    paper.fill(np.array(warm, dtype=np.float32).reshape(1, 1, 3))
    soft = cv2.resize(glow, (paper.width, paper.height), interpolation=cv2.INTER_LINEAR)
    paper.paint(poles, iron)
    paper.paint(heads, (1.0, 0.97, 0.88) if dark else iron)
    solid = np.maximum(poles, heads).astype(np.float32) / np.float32(255)
    paper.alpha = np.maximum(solid, np.where(soft > _FAINT, soft, 0))
    return paper.sheet(0.62, stage.width)


def _lamp(paper: Paper, masks: tuple[U8, U8], x: float, foot: float, unit: float) -> tuple[float, float]:
    """Draw a post with its bent arm; the answer is where its light hangs."""
    (poles, heads), tall = masks, unit * 0.4
    thick, arm = unit * 0.0042, unit * 0.07
    top = foot - tall
    paper.shape(poles, [(x - thick * 1.5, foot), (x - thick, top), (x + thick, top), (x + thick * 1.5, foot)])
    turns = np.linspace(0, np.pi * 0.62, 9)
    bend = [(x + arm * (1 - np.cos(a)), top - arm * 0.8 * np.sin(a)) for a in turns]
    inner = [(px + thick, py + thick) for px, py in reversed(bend)]
    paper.shape(poles, [(px - thick, py) for px, py in bend] + inner)
    end_x, end_y = float(bend[-1][0]), float(bend[-1][1])
    wide, low = unit * 0.014, end_y + unit * 0.012
    paper.shape(heads, [(end_x - wide, low), (end_x, end_y - unit * 0.006), (end_x + wide, low)])
    return end_x, end_y


def _lamplight(paper: Paper, lamp: tuple[float, float], foot: float, unit: float) -> Field:
    """Make the halo of a lamp and the cone of its light, at half size."""
    x, y = lamp
    away = (paper.half_columns() - np.float32(x) + paper.width / 2) % paper.width - paper.width / 2
    far = np.hypot(away, paper.half_rows() - np.float32(y + unit * 0.012)) / np.float32(unit)
    down = (paper.half_rows() - np.float32(y)) / np.float32(foot - y)
    cone = np.exp(-((away / (np.maximum(down, 0.02) * unit * 0.11)) ** 2)) * (down > 0) * (1 - 0.6 * down)
    return np.asarray(np.maximum(np.exp(-far / 0.05) * 0.8, cone * 0.3), dtype=np.float32)


def _kerb(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Make the pavement before the houses: a pale strip with an edge of light."""
    top = stage.horizon + stage.unit * 0.008
    paper = stage.paper(top, top + stage.unit * 0.06)
    stone = mix(stage.palette.lit(hexed("8f93a0"), 0.15), stage.palette.haze, 0.2)
    paper.fill(np.array(stone, dtype=np.float32).reshape(1, 1, 3))
    down = paper.half_rows() - np.float32(top)
    edge = np.exp(-np.abs(down - stage.unit * 0.012) / np.float32(stage.unit * 0.0025))
    flat = np.broadcast_to(edge * np.float32(0.5), (paper.height // 2, paper.width // 2))
    paper.tint(np.ascontiguousarray(flat), mix(stone, stage.palette.light, 0.6))
    dark = np.broadcast_to(
        smooth_step(stage.unit * 0.012, stage.unit * 0.016, down) * np.float32(0.55), flat.shape
    )
    paper.tint(np.ascontiguousarray(dark), scaled(stone, 0.4))
    paper.grain(rng)
    return paper.sheet(0.4, stage.width)
