"""Snow peaks and bare ranges, and the conifer ridges that many other places borrow."""

import numpy as np

from filmgate.animatic.ground import ground_sheet, stands_on_ground
from filmgate.animatic.noise import chance, clouds, peaks, smooth_step, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, Field
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Element, Setting, Stage

_ALP = hexed("86a85a")
_ROCK, _STONE, _CONIFER = hexed("6f7a90"), hexed("8a7f78"), hexed("2f5a48")

# How strongly the light colours the faces that look at it.
_GLOWS = {"dawn": 0.5, "day": 0.3, "sunset": 0.5, "dusk": 0.14, "night": 0.22}


def paint_mountains(stage: Stage) -> Setting:
    rng = stage.rng("mountains")
    snowy = stage.scene.place == "snow_mountain"
    hero = chance(rng, 0.5)
    tall = stage.unit * (0.66 if stage.portrait else 0.42)
    sheets: list[Element] = [
        range_sheet(
            stage, rng, foot=stage.horizon, tall=tall * 0.62, count=7, distance=0.66, depth=0.08, snowy=snowy
        ),
        range_sheet(
            stage,
            rng,
            foot=stage.horizon + stage.height * 0.03,
            tall=tall * (1.12 if hero else 0.92),
            count=int(rng.integers(2, 4)) if hero else int(rng.integers(4, 6)),
            distance=0.22,
            depth=0.16,
            snowy=snowy,
        ),
    ]
    below = stage.height - stage.horizon
    if stands_on_ground(stage):
        return Setting(back=[*sheets, *_field(stage, rng)], front=[_rise(stage, rng)])
    if snowy or chance(rng, 0.6):
        foots = ((0.06, 0.5, 0.05, 0.3), (0.3, 0.25, 0.075, 0.55), (0.66, 0.0, 0.12, 1.0))
        sheets += [
            conifer_sheet(
                stage, rng, stage.horizon + below * foot, tree=stage.unit * tree, distance=far, depth=depth
            )
            for foot, far, tree, depth in foots
        ]
    else:
        foots = ((0.1, 0.45, 0.1, 0.3), (0.36, 0.2, 0.1, 0.55), (0.7, 0.0, 0.1, 1.0))
        sheets += [
            hill_sheet(
                stage, rng, stage.horizon + below * foot, swell=stage.unit * swell, distance=far, depth=depth
            )
            for foot, far, swell, depth in foots
        ]
    return Setting(back=sheets[:-1], front=sheets[-1:])


def _field(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Open ground before the firs, for whoever walks here."""
    below = stage.height - stage.horizon
    return [
        conifer_sheet(
            stage, rng, stage.horizon + below * 0.06, tree=stage.unit * 0.05, distance=0.5, depth=0.3
        ),
        conifer_sheet(
            stage,
            rng,
            stage.horizon + below * 0.2,
            tree=stage.unit * 0.085,
            distance=0.2,
            depth=0.5,
            swell=0.02,
        ),
        ground_sheet(stage, rng, stage.horizon + below * 0.3, colour=_ground(stage), depth=0.8),
    ]


def _rise(stage: Stage, rng: np.random.Generator) -> Sheet:
    return ground_sheet(
        stage,
        rng,
        stage.horizon + (stage.height - stage.horizon) * 0.86,
        colour=scaled(_ground(stage), 0.95),
        depth=1.0,
    )


def _ground(stage: Stage) -> RGB:
    if stage.scene.place == "snow_mountain" or stage.scene.weather == "snow":
        return stage.palette.snow()
    return stage.palette.lit(_ALP, 0.0, 0.6)


def range_sheet(
    stage: Stage,
    rng: np.random.Generator,
    *,
    foot: float,
    tall: float,
    count: int,
    distance: float,
    depth: float,
    snowy: bool,
    gaps: bool = False,
) -> Sheet:
    """Summits cut from one sheet, folded along spines that fall from each top, the foot lost in mist."""
    ridge = np.float32(foot) - peaks(rng, stage.period, count) * np.float32(tall)
    if gaps:
        ridge = ridge + np.float32(tall * 0.3)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.03, foot + stage.height * 0.16)
    bright, dark = _faces(stage, distance, snowy)
    paper.fill(np.array(dark, dtype=np.float32).reshape(1, 1, 3))
    lump = (clouds(rng, paper.half_size, (7, 5), 3, 0.5) - np.float32(0.5)) * np.float32(1.1)
    folds = fold_shades(
        paper, ridge, stage.light.x < stage.width / 2, sharp=2.0 if gaps else 6.0, fall=0.5, lump=lump
    )
    paper.tint(folds, bright)
    if snowy:
        bare = _bare_rock(paper, rng, ridge, tall)
        rock = stage.palette.lit(_ROCK, distance * 0.9)
        paper.tint(bare * (np.float32(1) - folds * np.float32(0.45)), rock)
    lost = smooth_step(foot - tall * 0.42, foot + stage.height * 0.03, paper.half_rows())
    paper.tint(_wide(lost * np.float32(0.92), paper), stage.palette.haze)
    paper.cut(ridge)
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.1, stage.unit * 0.012)


def _faces(stage: Stage, distance: float, snowy: bool) -> tuple[RGB, RGB]:
    palette, time = stage.palette, stage.scene.time
    stuff = (0.96, 0.97, 0.99) if snowy else _STONE
    plain = palette.snow(distance) if snowy else palette.lit(stuff, distance)
    glow = 0.22 if palette.dark else _GLOWS[time]
    lit = mix(plain, palette.light, glow * (1 - distance * 0.4))
    shade = mix(palette.lit(scaled(stuff, 0.62), distance), palette.wash, 0.4 * (1 - distance * 0.6))
    return lit, shade


def fold_shades(
    paper: Paper, ridge: Field, from_left: bool, *, sharp: float, fall: float, lump: Field | None = None
) -> Field:
    """1 where the paper faces the light, at half size; the edges between the faces run down from the tops."""
    reach = max(4, paper.width // 90)
    around = np.pad(ridge, reach, mode="wrap")
    even = np.convolve(around, np.full(2 * reach + 1, 1 / (2 * reach + 1), dtype=np.float32), mode="valid")
    slope = ((np.roll(even, -2) - np.roll(even, 2)) / 4).astype(np.float32)
    depth = np.maximum(paper.half_rows() - ridge[::2].reshape(1, -1), 0)
    columns = paper.half_columns() + depth * np.float32(fall * 0.3 * (1 if from_left else -1))
    if lump is not None:
        columns = columns + lump * depth
    slopes = np.take(slope, np.mod(columns, paper.width).astype(np.int32) % paper.width)
    # A line that falls to the right, in rows that count downwards, faces a light on the right.
    facing = -slopes if from_left else slopes
    return np.asarray(np.clip(facing * np.float32(sharp) + np.float32(0.5), 0, 1), dtype=np.float32)


def _bare_rock(paper: Paper, rng: np.random.Generator, ridge: Field, tall: float) -> Field:
    """1 where steep faces lost their snow: streaks that begin well below the tops."""
    streaks = clouds(rng, paper.half_size, (34, 5), 4, 0.62)
    line = ridge[::2].reshape(1, -1)
    below = (paper.half_rows() - line) / np.float32(tall)
    return smooth_step(0.6, 0.68, streaks + np.clip(below * 0.42, 0, 0.18))


def conifer_sheet(
    stage: Stage,
    rng: np.random.Generator,
    foot: float,
    *,
    tree: float,
    distance: float,
    depth: float,
    dense: float = 1.0,
    swell: float = 0.05,
) -> Sheet:
    """Make a ridge of firs: the ground swells, the trees stand close, mist lies between their feet."""
    ground = np.float32(foot) + waves(rng, stage.period, 2, 3) * np.float32(stage.unit * swell)
    paper = stage.paper(float(ground.min()) - tree * 1.5)
    palette = stage.palette
    mist = mix(mix(palette.haze, palette.sky[1], 0.45), (1, 1, 1), 0.06 if palette.dark else 0.22)
    deep = mix(palette.lit(_CONIFER), palette.wash, 0.1 + 0.5 * distance)
    top = mix(deep, mist, distance * 0.85)
    low = mix(top, mist, 0.92 * (1 - depth) ** 1.4 + 0.04)
    share = smooth_step(
        float(ground.min()) - tree, float(ground.max()) + stage.height * 0.16, paper.half_rows()
    )
    colours = (
        np.array(top, dtype=np.float32)
        + (np.array(low, dtype=np.float32) - np.array(top, dtype=np.float32)) * share[..., None]
    )
    paper.fill(colours)
    mask = paper.mask()
    x = 0.0
    while x < stage.period:
        height = tree * rng.uniform(0.55, 1.25)
        _fir(paper, mask, rng, (x, float(ground[int(x) % stage.period]) + tree * 0.2), height)
        x += tree * rng.uniform(0.14, 0.4) / dense
    paper.cut(ground)
    paper.alpha = np.maximum(paper.alpha, mask.astype(np.float32) / np.float32(255))
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.12, stage.unit * 0.01)


def _fir(
    paper: Paper,
    mask: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]",
    rng: np.random.Generator,
    foot: tuple[float, float],
    height: float,
) -> None:
    x, low = foot
    broad = height * rng.uniform(0.17, 0.24)
    tiers = 5 if height > paper.height * 0.05 else 4
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(tiers):
        share = (tier + 1) / tiers
        y = low - height * (1 - share * 0.94)
        wide = broad * share * rng.uniform(0.85, 1.12)
        left += [(x - wide, y + height * 0.02), (x - wide * 0.45, y - height * 0.015)]
        right += [(x + wide, y + height * 0.02), (x + wide * 0.45, y - height * 0.015)]
    paper.shape(mask, [(x, low - height), *left, *reversed(right)])


def hill_sheet(
    stage: Stage,
    rng: np.random.Generator,
    foot: float,
    *,
    swell: float,
    distance: float,
    depth: float,
    colour: RGB = (0.42, 0.6, 0.3),
    lift: float = 0.0,
) -> Sheet:
    """Make a rolling hill, lit along its back and folded into haze at its foot."""
    ridge = np.float32(foot) + waves(rng, stage.period, 2, 3, 0.4) * np.float32(swell)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.03)
    base = mix(stage.palette.lit(colour, distance, 0.5), (1, 1, 1), lift)
    paper.fill(np.array(base, dtype=np.float32).reshape(1, 1, 3))
    below = paper.half_rows() - ridge[::2].reshape(1, -1)
    paper.tint(
        np.exp(-np.maximum(below, 0) / np.float32(stage.unit * 0.03)) * np.float32(0.35),
        mix(base, stage.palette.light, 0.55),
    )
    fade = smooth_step(stage.unit * 0.04, stage.unit * 0.4, below)
    paper.tint(
        (fade * np.float32(0.5)).astype(np.float32),
        mix(scaled(base, 0.7), stage.palette.haze, distance * 0.9),
    )
    paper.cut(ridge)
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.12, stage.unit * 0.012)


def _wide(column: Field, paper: Paper) -> Field:
    return np.ascontiguousarray(
        np.broadcast_to(column, (paper.height // 2, paper.width // 2)), dtype=np.float32
    )
