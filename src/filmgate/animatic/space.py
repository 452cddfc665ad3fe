"""Space: a nebula, a planet, and the rim of a world below."""

import cv2
import numpy as np

from filmgate.animatic.noise import chance, clouds, smooth_step, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import U8
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.sky import scatter_stars
from filmgate.animatic.stage import Element, Setting, Stage

_GASES = (
    (hexed("c23a9a"), hexed("3a7af0"), hexed("ffb07a")),
    (hexed("1fb5a8"), hexed("7a3af0"), hexed("ffe08a")),
    (hexed("e0563a"), hexed("5a2ad0"), hexed("ff9ad0")),
    (hexed("2a8af0"), hexed("a03af0"), hexed("8affe0")),
)
_WORLDS = (
    (hexed("f0a86a"), hexed("c8603a")),
    (hexed("7ac8e8"), hexed("3a6fc0")),
    (hexed("d8b0f0"), hexed("7a4ac0")),
    (hexed("a8e0b0"), hexed("3a9080")),
)


def paint_space_sky(stage: Stage) -> list[Element]:
    rng = stage.rng("nebula")
    paper = stage.paper(-stage.margin, stage.height + stage.margin)
    rows = np.clip(paper.half_rows()[:, 0] / np.float32(stage.height), 0, 1)
    stops = np.array(stage.palette.sky, dtype=np.float32)
    column = np.stack([np.interp(rows, (0, 0.4, 0.75, 1), stops[:, k]) for k in range(3)], axis=-1)
    paper.fill(column.astype(np.float32)[:, None, :])
    band = (paper.half_columns() / paper.width - 0.5) * rng.choice((-1.0, 1.0)) * 0.8 + (
        paper.half_rows() / stage.height - rng.uniform(0.3, 0.5)
    )
    belt = np.exp(-((band / 0.3) ** 2))
    for colour, strength in zip(_GASES[int(rng.integers(len(_GASES)))], (0.7, 0.6, 0.4), strict=True):
        gas = clouds(rng, paper.half_size, (3, 3), 5, 0.56)
        folded = 1 - np.abs(clouds(rng, paper.half_size, (4, 4), 4) - np.float32(0.5)) * 4
        body = (
            smooth_step(0.42, 0.85, gas)
            * belt
            * (np.float32(0.45) + np.float32(0.55) * np.clip(folded, 0, 1))
        )
        paper.tint((body * np.float32(strength)).astype(np.float32), colour)
    scatter_stars(stage, paper, rng, 620, paper.height)
    paper.grain(rng, 0.8)
    return [paper.sheet(0.03, stage.width), _near_stars(stage, rng)]


def paint_space(stage: Stage) -> Setting:
    rng = stage.rng("space")
    back: list[Element] = [
        _planet(stage, rng, stage.unit * rng.uniform(0.15, 0.24), ringed=chance(rng, 0.55))
    ]
    if chance(rng, 0.6):
        back.append(_planet(stage, rng, stage.unit * rng.uniform(0.03, 0.06), ringed=False))
    return Setting(back=back, front=[_surface(stage, rng)])


def _near_stars(stage: Stage, rng: np.random.Generator) -> Sheet:
    paper = stage.paper(-stage.margin, stage.height)
    mask = paper.mask()
    for _ in range(46):
        size = stage.unit * rng.uniform(0.001, 0.0022)
        paper.disc(mask, rng.uniform(0, paper.width), paper.top + rng.uniform(0, 1) * paper.height, size)
    paper.fill(np.array((1.0, 0.98, 0.94), dtype=np.float32).reshape(1, 1, 3))
    paper.alpha = mask.astype(np.float32) / np.float32(255)
    return paper.sheet(0.12, stage.width)


def _planet(stage: Stage, rng: np.random.Generator, radius: float, *, ringed: bool) -> Sheet:
    x, y = (
        stage.width * (0.5 + rng.choice((-1, 1)) * rng.uniform(0.12, 0.34)),
        stage.height * rng.uniform(0.2, 0.42),
    )
    paper = stage.paper(y - radius * 1.7, y + radius * 1.7)
    lit, dark = _WORLDS[int(rng.integers(len(_WORLDS)))]
    ball, ring, ring_back = paper.mask(), paper.mask(), paper.mask()
    paper.disc(ball, x, y, radius)
    bands = waves(rng, paper.height // 2, 7, 3).reshape(-1, 1)
    across = (paper.half_columns() - np.float32(x)) / np.float32(radius)
    down = (paper.half_rows() - np.float32(y)) / np.float32(radius)
    paper.fill(np.array(lit, dtype=np.float32).reshape(1, 1, 3))
    swirl = clouds(rng, paper.half_size, (8, 10), 4) - np.float32(0.5)
    paper.tint(smooth_step(-0.1, 0.3, np.broadcast_to(bands, swirl.shape) + swirl) * np.float32(0.6), dark)
    way = 1 if stage.light.x > x else -1
    shadow = smooth_step(0.05, 1.1, np.hypot(across - way * 0.42, down + 0.36))
    paper.tint((shadow * np.float32(0.93)).astype(np.float32), scaled(stage.palette.sky[0], 1.2))
    if ringed:
        tilt = rng.uniform(0.2, 0.34)
        for step, value in ((1.34, 170), (1.5, 230), (1.66, 130)):
            _ellipse(
                paper,
                ring,
                ring_back,
                (x, y, radius * step, radius * step * tilt),
                round(radius * 0.12),
                value,
            )
        np.minimum(ring_back, 255 - ball, out=ring_back)
        paper.paint(np.maximum(ring, ring_back), mix(lit, (1, 1, 1), 0.45), 0.9)
    paper.alpha = np.maximum(np.maximum(ball, ring), ring_back).astype(np.float32) / np.float32(255)
    paper.grain(rng)
    return paper.sheet(0.08 if radius > stage.unit * 0.1 else 0.16, stage.width)


def _ellipse(
    paper: Paper, front: U8, back: U8, shape: tuple[float, float, float, float], thick: int, value: int
) -> None:
    x, y, wide, tall = shape
    centre, axes = (round(x * 16), round((y - paper.top) * 16)), (round(wide * 16), round(tall * 16))
    cv2.ellipse(front, centre, axes, 0, 0, 180, value, max(1, thick), cv2.LINE_AA, 4)
    cv2.ellipse(back, centre, axes, 0, 180, 360, value, max(1, thick), cv2.LINE_AA, 4)


def _surface(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Make the rim of a world: a wide curve, craters, an edge of light."""
    low = stage.height * 0.9
    away = (np.arange(stage.period, dtype=np.float32) / stage.period - 0.5) * 2
    ridge = (
        np.float32(low)
        + (away**2) * np.float32(stage.unit * 0.05)
        + waves(rng, stage.period, 5, 4) * np.float32(stage.unit * 0.012)
    )
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.05)
    stone = stage.palette.lit(mix(hexed("9a8fb0"), _WORLDS[int(rng.integers(len(_WORLDS)))][1], 0.35))
    paper.fill(np.array(scaled(stone, 0.7), dtype=np.float32).reshape(1, 1, 3))
    pits, lips = paper.mask(), paper.mask()
    for _ in range(16):
        x, y, size = (
            rng.uniform(0, stage.period),
            stage.height * rng.uniform(0.935, 1.05),
            stage.unit * rng.uniform(0.012, 0.05),
        )
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        paper.shape(lips, [(x + size * 1.1 * np.cos(a), y + size * 0.34 * np.sin(a)) for a in turns])
        paper.shape(pits, [(x + size * np.cos(a), y + size * 0.05 + size * 0.27 * np.sin(a)) for a in turns])
    paper.paint(lips, mix(stone, stage.palette.light, 0.2), 0.6)
    paper.paint(pits, scaled(stone, 0.42), 0.85)
    below = paper.half_rows() - ridge[::2].reshape(1, -1)
    paper.tint(
        np.exp(-np.maximum(below, 0) / np.float32(stage.unit * 0.012)) * np.float32(0.6),
        mix(stone, stage.palette.light, 0.6),
    )
    paper.cut(ridge)
    paper.grain(rng)
    return paper.sheet(1.0, stage.width, 0.1, stage.unit * 0.012)
