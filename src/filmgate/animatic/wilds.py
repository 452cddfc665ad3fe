"""Forests and deserts."""

from dataclasses import dataclass

import numpy as np

from filmgate.animatic.ground import ground_sheet
from filmgate.animatic.lens import beams
from filmgate.animatic.mountains import fold_shades, hill_sheet, range_sheet
from filmgate.animatic.noise import chance, clouds, smooth_step, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, U8
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Element, Setting, Stage

_MOSS, _FERN, _SAND = hexed("5c8a4a"), hexed("3f7a45"), hexed("e8b873")
_CANOPIES = (hexed("4f8f4f"), hexed("3f7f58"), hexed("7fa83f"), hexed("2f6a4a"), hexed("9aa845"))
_BARKS = (hexed("5a4636"), hexed("4a4038"), hexed("7a5a40"), hexed("cfc8bc"))
_HAZY = hexed("a8c8a0")


@dataclass(frozen=True, slots=True)
class _Wood:
    """What one forest is like; `dense`, `stout` and `roof` are shares of the usual number, thickness and reach."""

    leaf: RGB
    bark: RGB
    dense: float
    stout: float
    roof: float


def paint_forest(stage: Stage) -> Setting:
    rng = stage.rng("forest")
    far, below = stage.horizon, stage.height - stage.horizon
    leaf = hexed("cf8a3a") if "leaves" in stage.scene.fx else _CANOPIES[int(rng.integers(len(_CANOPIES)))]
    floor = (
        stage.palette.snow()
        if stage.scene.weather == "snow"
        else mix(stage.palette.lit(_MOSS, 0.0, 0.85), stage.palette.wash, 0.1)
    )
    wood = _Wood(
        leaf,
        _BARKS[int(rng.integers(len(_BARKS)))],
        rng.uniform(0.55, 1.3),
        rng.uniform(0.7, 1.35),
        rng.uniform(0.35, 1.2),
    )
    back: list[Element] = [
        hill_sheet(
            stage,
            rng,
            far - stage.unit * rng.uniform(0.02, 0.34),
            swell=stage.unit * 0.07,
            distance=0.62,
            depth=0.06,
            colour=mix(leaf, _HAZY, 0.35),
        ),
        _trunks(stage, rng, far + below * 0.02, wood, thick=0.012, number=30, distance=0.72, depth=0.1),
        _trunks(stage, rng, far + below * 0.08, wood, thick=0.022, number=15, distance=0.46, depth=0.24),
        *_shafts(stage, rng),
        _trunks(stage, rng, far + below * 0.16, wood, thick=0.04, number=7, distance=0.18, depth=0.45),
        ground_sheet(stage, rng, far + below * 0.2, colour=floor, depth=0.8),
    ]
    return Setting(back=back, front=[_undergrowth(stage, rng)])


def _trunks(
    stage: Stage,
    rng: np.random.Generator,
    foot: float,
    kind: _Wood,
    *,
    thick: float,
    number: int,
    distance: float,
    depth: float,
) -> Sheet:
    """Make a row of trunks that leave the frame above, their crowns a ragged roof."""
    unit, number, thick = stage.unit, max(3, round(number * kind.dense)), thick * kind.stout
    paper = stage.paper(-stage.margin, foot + unit * 0.06)
    wood, bright, roof, lit = (paper.mask() for _ in range(4))
    for index in range(number):
        x = (index + 0.5 + rng.uniform(-0.42, 0.42)) * stage.period / number
        _trunk(stage, paper, (wood, bright), rng, (x, foot), unit * thick * rng.uniform(0.6, 1.25))
    _roof(
        stage,
        paper,
        (roof, lit),
        rng,
        reach=foot * (0.2 + 0.2 * distance) * kind.roof,
        size=unit * (0.025 + thick),
    )
    bark = stage.palette.lit(kind.bark, distance, 0.3)
    paper.fill(np.array(bark, dtype=np.float32).reshape(1, 1, 3))
    paper.paint(np.minimum(bright, wood), mix(bark, stage.palette.light, 0.22), 0.8)
    snowy = stage.scene.weather == "snow"
    crown = stage.palette.snow(distance) if snowy else stage.palette.lit(kind.leaf, distance, 0.85)
    paper.paint(roof, mix(scaled(crown, 0.82), stage.palette.wash, 0.2 if snowy else 0.0))
    paper.paint(np.minimum(lit, roof), mix(crown, stage.palette.light, 0.14), 0.85)
    rows = smooth_step(foot - unit * 0.3, foot, paper.half_rows()) * np.float32(0.55 * distance + 0.1)
    paper.tint(
        np.ascontiguousarray(np.broadcast_to(rows, (paper.height // 2, paper.width // 2))), stage.palette.haze
    )
    paper.alpha = np.maximum(wood, roof).astype(np.float32) / np.float32(255)
    ground = np.float32(foot) + waves(rng, paper.width, 3, 2) * np.float32(unit * 0.012)
    paper.alpha = np.maximum(paper.alpha, np.clip(paper.rows() - ground.reshape(1, -1), 0, 1))
    paper.grain(rng)
    return paper.sheet(depth, stage.width)


def _trunk(
    stage: Stage,
    paper: Paper,
    masks: tuple[U8, U8],
    rng: np.random.Generator,
    foot: tuple[float, float],
    wide: float,
) -> None:
    (wood, bright), (x, ground), unit = masks, foot, stage.unit
    lean, flare, low, high = (
        unit * rng.uniform(-0.03, 0.03),
        wide * 1.7,
        ground + unit * 0.05,
        float(paper.top),
    )
    knee = low - unit * 0.06
    left = [(x - flare, low), (x - wide * 0.9, knee), (x + lean - wide * 0.6, high)]
    right = [(x + lean + wide * 0.6, high), (x + wide * 0.9, knee), (x + flare, low)]
    paper.shape(wood, left + right)
    way = 1 if stage.light.x > stage.width / 2 else -1
    inner, outer = way * wide * 0.5, way * wide * 0.9
    crest = [(x + lean + inner * 0.7, high), (x + lean + way * wide * 0.6, high)]
    paper.shape(bright, [(x + inner, low), *crest, (x + outer, low)])
    for _ in range(2):
        y, long = rng.uniform(0.25, 0.7) * ground, unit * rng.uniform(0.05, 0.13) * (0.5 + wide / unit * 20)
        at = x + lean * (1 - y / ground)
        tip = (at + float(rng.choice((-1, 1))) * long, y - long * 0.6)
        paper.shape(wood, [(at, y + wide * 0.5), tip, (at, y - wide * 0.3)])


def _roof(
    stage: Stage, paper: Paper, masks: tuple[U8, U8], rng: np.random.Generator, *, reach: float, size: float
) -> None:
    roof, lit = masks
    edge = np.float32(reach) * (np.float32(0.75) + np.float32(0.5) * waves(rng, paper.width, 4, 3))
    for row in range(4):
        x = 0.0
        while x < stage.period:
            radius = size * rng.uniform(0.8, 1.6)
            y = float(edge[int(x) % paper.width]) * (1 - row * 0.26) - radius * 0.4
            paper.disc(roof, x, y, radius)
            paper.disc(lit, x, y - radius * 0.25, radius * 0.62)
            x += radius * rng.uniform(0.7, 1.1)
    solid = max(0, round(reach * 0.2) - paper.top)
    roof[:solid] = 255


def _shafts(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Light that falls between the trunks in slanting bars."""
    if stage.palette.dark or stage.scene.weather in {"rain", "storm"}:
        return []
    period, top = stage.period, -stage.margin & ~1
    low = stage.horizon + (stage.height - stage.horizon) * 0.35
    columns = (np.arange(period // 2, dtype=np.float32) * 2).reshape(1, -1)
    rows = (np.arange((int(low) - top) // 2, dtype=np.float32) * 2 + np.float32(top)).reshape(-1, 1)
    slant = 0.5 if stage.light.x < stage.width / 2 else -0.5
    bars = np.clip(waves(rng, period, 7, 3, 0.7), 0, 1)
    field = bars[np.mod(columns - rows * np.float32(slant), period).astype(np.int32) % period]
    fade = smooth_step(low, stage.horizon * 0.3, rows)
    return [beams(field * fade * np.float32(0.26), top, stage.unit * 0.004, stage.width)]


def _undergrowth(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Ferns and grasses in near silhouette."""
    unit = stage.unit
    paper = stage.paper(stage.height * 0.93 - unit * 0.17)
    mask = paper.mask()
    ridge = np.float32(stage.height * 0.945) + waves(rng, stage.period, 3, 2) * np.float32(unit * 0.012)
    for _ in range(int(stage.period / unit * 16)):
        x = rng.uniform(0, stage.period)
        _fern(
            paper,
            mask,
            rng,
            (x, float(ridge[int(x) % stage.period]) + unit * 0.02),
            unit * rng.uniform(0.06, 0.13),
        )
    leaf = (
        scaled(stage.palette.lit(_FERN, 0.0, 0.4), 0.6)
        if stage.scene.weather != "snow"
        else scaled(stage.palette.snow(), 0.8)
    )
    paper.fill(np.array(leaf, dtype=np.float32).reshape(1, 1, 3))
    paper.cut(ridge)
    paper.alpha = np.maximum(paper.alpha, mask.astype(np.float32) / np.float32(255))
    paper.grain(rng)
    return paper.sheet(1.0, stage.width, 0.12, unit * 0.01)


def _fern(paper: Paper, mask: U8, rng: np.random.Generator, foot: tuple[float, float], size: float) -> None:
    x, y = foot
    for frond in range(5):
        turn = (frond - 2) * 0.42 + rng.uniform(-0.1, 0.1)
        spine = [
            (x + np.sin(turn * (0.4 + s)) * size * s, y - np.cos(turn * (0.3 + s)) * size * s)
            for s in np.linspace(0, 1, 9)
        ]
        for i in range(1, 8):
            (px, py), long = spine[i], size * 0.16 * (1 - i / 9)
            dx, dy = np.cos(turn) * long, np.sin(turn) * long
            nx, ny = spine[i + 1]
            paper.shape(
                mask, [(px, py), (px - dx, py - dy - long * 0.5), (nx, ny), (px + dx, py + dy - long * 0.5)]
            )


def paint_desert(stage: Stage) -> Setting:
    rng = stage.rng("desert")
    far, below = stage.horizon, stage.height - stage.horizon
    back: list[Element] = []
    if chance(rng, 0.5):
        back.append(
            range_sheet(
                stage,
                rng,
                foot=far + 4,
                tall=stage.unit * rng.uniform(0.12, 0.22),
                count=3,
                distance=0.55,
                depth=0.06,
                snowy=False,
            )
        )
    rows = ((0.0, 0.09, 0.42, 0.14), (0.1, 0.1, 0.24, 0.3), (0.26, 0.08, 0.06, 0.8))
    back += [
        _dune(stage, rng, far + below * at, tall=stage.unit * tall, distance=distance, depth=depth)
        for at, tall, distance, depth in rows
    ]
    return Setting(
        back=back,
        front=[_dune(stage, rng, stage.height * 0.94, tall=stage.unit * 0.05, distance=0.0, depth=1.0)],
    )


def _dune(
    stage: Stage, rng: np.random.Generator, foot: float, *, tall: float, distance: float, depth: float
) -> Sheet:
    """Make a crest with a bright and a shaded face, combed by the wind."""
    swell = waves(rng, stage.period, 2, 2, 0.35)
    ridge = np.float32(foot) - np.abs(swell) ** np.float32(0.8) * np.sign(swell) * np.float32(tall)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.03)
    stuff = mix(_SAND, (0.97, 0.98, 1.0), 0.85 if stage.scene.weather == "snow" else 0.0)
    base = stage.palette.lit(stuff, distance)
    shade = mix(scaled(base, 0.72), stage.palette.wash, 0.22 * (1 - distance))
    paper.fill(np.array(shade, dtype=np.float32).reshape(1, 1, 3))
    faces = fold_shades(paper, ridge, stage.light.x < stage.width / 2, sharp=9.0, fall=1.5)
    paper.tint(faces, mix(base, stage.palette.light, 0.26))
    below = (paper.half_rows() - ridge[::2].reshape(1, -1)) / np.float32(stage.unit)
    comb = np.sin(below * 210 * (1.4 - depth * 0.8) + clouds(rng, paper.half_size, (4, 3), 3) * 26)
    paper.tint(
        (smooth_step(0.55, 0.95, comb) * np.float32(0.1) * smooth_step(0.005, 0.015, below)).astype(
            np.float32
        ),
        mix(base, stage.palette.light, 0.5),
    )
    paper.tint(smooth_step(0.02, 0.6, below) * np.float32(0.4), scaled(shade, 0.86))
    paper.cut(ridge)
    paper.grain(rng, 1.3)
    return paper.sheet(depth, stage.width, 0.1, stage.unit * 0.012)
