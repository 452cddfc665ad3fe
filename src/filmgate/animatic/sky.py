"""The sky: its gradient, the light in it, stars, clouds and the northern lights."""

import math

import cv2
import numpy as np

from filmgate.animatic.noise import chance, clouds, smooth_step, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, Field
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Stage

_STOPS = (0.0, 0.42, 0.78, 1.0)
# The afterglow stands above hills and roofs, where it can be seen.
_DUSK_STOPS = (0.0, 0.3, 0.6, 0.86)
# How strongly the last light colours the upper three stops.
_AFTERGLOW, _GLOWING = hexed("e8806a"), np.array([[0.04], [0.2], [0.36]], dtype=np.float32)
SKY_DEPTH = 0.03


def paint_sky(stage: Stage) -> list[Sheet]:
    """Give the opaque sheet behind everything, then what drifts over it."""
    rng = stage.rng("sky")
    paper = stage.paper(-stage.margin, stage.horizon + stage.margin * 1.5)
    paper.fill(_gradient(stage, paper, rng))
    starry = stage.palette.dark or stage.scene.time == "dusk" or "stars" in stage.scene.fx
    overcast = stage.scene.weather in {"rain", "storm", "snow", "fog", "cloudy"}
    if starry and not (overcast and "stars" not in stage.scene.fx):
        _stars(stage, paper, rng)
    if stage.light.shown:
        _disc(stage, paper, rng)
    paper.grain(rng, 0.8)
    sheets = [paper.sheet(SKY_DEPTH, stage.width)]
    if "aurora" in stage.scene.fx:
        sheets += paint_aurora(stage)
    return sheets + paint_clouds(stage)


def _gradient(stage: Stage, paper: Paper, rng: np.random.Generator) -> Field:
    rows = np.clip((paper.half_rows()[:, 0] / np.float32(stage.horizon)), 0, 1)
    # A slow swell in the bands keeps the gradient from looking ruled.
    swell = clouds(rng, paper.half_size, (2, 3), 2) - np.float32(0.5)
    place = np.clip(rows.reshape(-1, 1) + swell * np.float32(0.09), 0, 1)
    stops = np.array(stage.palette.sky, dtype=np.float32)
    marks = _DUSK_STOPS if stage.scene.time == "dusk" else _STOPS
    if stage.scene.time == "dusk":
        stops[:3] += (np.array(_AFTERGLOW, dtype=np.float32) - stops[:3]) * _GLOWING
    rgb = np.stack([np.interp(place, marks, stops[:, k]) for k in range(3)], axis=-1).astype(np.float32)
    light = stage.light
    across = paper.half_columns() - np.float32(light.x)
    across = (across + paper.width / 2) % paper.width - paper.width / 2
    down = paper.half_rows() - np.float32(light.y)
    flat = 1.0 if stage.palette.dark or stage.scene.time == "day" else 0.62
    far = np.sqrt((across * np.float32(flat)) ** 2 + down**2) / np.float32(stage.unit)
    strength = (0.5 if stage.palette.dark else 0.62) * (1.0 if light.shown else 0.4)
    glow = np.exp(-far / np.float32(0.2)) * np.float32(strength) + np.exp(-((far / 0.09) ** 2)) * np.float32(
        strength * 0.35
    )
    glow = np.clip(glow, 0, 0.9)[..., None]
    return rgb + (np.array(stage.palette.light, dtype=np.float32) - rgb) * glow


def _stars(stage: Stage, paper: Paper, rng: np.random.Generator) -> None:
    band = clouds(rng, paper.half_size, (3, 4), 4)
    tilt = (paper.half_columns() / paper.width - 0.5) * rng.choice(
        (-1, 1)
    ) * 0.5 + paper.half_rows() / stage.horizon
    way = np.exp(-(((tilt - 0.4) / 0.16) ** 2)) * smooth_step(0.35, 0.75, band)
    paper.tint((way * np.float32(0.3)).astype(np.float32), mix(stage.palette.sky[3], (1, 0.95, 1), 0.45))
    number = 560 if "stars" in stage.scene.fx else 90 if stage.scene.time == "dusk" else 340
    scatter_stars(stage, paper, rng, number, stage.horizon * 0.9)


def scatter_stars(stage: Stage, paper: Paper, rng: np.random.Generator, number: int, reach: float) -> None:
    """Stars of all sizes, thickest at the top of the paper and none more than `reach` below it."""
    mask = paper.mask()
    for _ in range(number):
        x, y = rng.uniform(0, paper.width), paper.top + reach * rng.uniform(0, 1) ** 1.3
        size = stage.unit * 0.00085 * (0.7 + rng.pareto(3.0))
        paper.disc(mask, x, y, min(size, stage.unit * 0.003), int(rng.uniform(110, 255)))
    paper.paint(mask, (1.0, 0.98, 0.92), 0.95)


def _disc(stage: Stage, paper: Paper, rng: np.random.Generator) -> None:
    light, mask = stage.light, paper.mask()
    paper.disc(mask, light.x, light.y, light.radius)
    neon = stage.scene.mood == "neon"
    colour = scaled(mix(stage.palette.light, (1, 1, 1), 0.35), 1.05)
    if neon:
        _striped(stage, paper, mask)
        return
    if stage.palette.dark and chance(rng, 0.3):
        dark = paper.mask()
        paper.disc(dark, light.x + light.radius * 0.5, light.y - light.radius * 0.16, light.radius * 0.9)
        mask = np.minimum(mask, 255 - dark)
    paper.paint(mask, colour)
    if stage.palette.dark:
        _moon(stage, paper, mask, rng)


def _striped(stage: Stage, paper: Paper, mask: np.ndarray) -> None:
    """Give the sun of neon nights: yellow above, pink below, cut by bars that widen downwards."""
    light = stage.light
    cut, y, step = mask.copy(), light.y, light.radius * 0.06
    while y < light.y + light.radius:
        at = round(y - paper.top)
        cut[at : at + max(1, round(step * 0.5))] = 0
        y, step = y + step * 1.9, step * 1.22
    paper.paint(cut, stage.palette.light)
    share = smooth_step(-0.7, 1.0, (paper.rows() - np.float32(light.y)) / np.float32(light.radius))
    paper.paint((cut.astype(np.float32) / 255) * share, mix(stage.palette.sky[3], (1.0, 0.25, 0.5), 0.4))


def _moon(stage: Stage, paper: Paper, mask: np.ndarray, rng: np.random.Generator) -> None:
    light, sea = stage.light, paper.mask()
    for _ in range(6):
        turn, out = rng.uniform(0, math.tau), light.radius * rng.uniform(0, 0.62)
        paper.disc(
            sea,
            light.x + out * math.cos(turn),
            light.y + out * math.sin(turn),
            light.radius * rng.uniform(0.1, 0.26),
        )
    paper.paint(np.minimum(sea, mask), mix(stage.palette.light, stage.palette.sky[2], 0.35), 0.4)


def paint_clouds(stage: Stage) -> list[Sheet]:
    rng = stage.rng("clouds")
    weather = stage.scene.weather
    if weather in {"rain", "storm", "snow", "fog", "cloudy"}:
        return [_bank(stage, rng, layer) for layer in range(2)]
    neon = stage.scene.mood == "neon"
    if chance(rng, 0.7 if neon else 0.35) and stage.palette.dark:
        return []
    if chance(rng, 0.5) and not neon:
        return [_cumulus(stage, rng)]
    return [_wisps(stage, rng)]


def _cloud_colours(stage: Stage) -> tuple[RGB, RGB]:
    palette = stage.palette
    if palette.dark:
        return mix(palette.sky[3], palette.sky[2], 0.3), mix(palette.sky[1], palette.sky[2], 0.5)
    if stage.scene.time == "day":
        return (1.0, 1.0, 0.99), mix(palette.sky[2], (0.82, 0.87, 0.95), 0.5)
    if stage.scene.time == "dusk":
        return mix(palette.sky[3], palette.sky[2], 0.45), mix(palette.sky[1], palette.sky[2], 0.6)
    return mix(palette.light, palette.sky[3], 0.4), mix(palette.sky[1], palette.sky[2], 0.6)


def _cumulus(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Cut-paper heaps: round lobes over a flat foot, lit from where the light stands."""
    low = stage.horizon * (0.72 if not stage.portrait else 0.78)
    paper = stage.paper(-stage.margin * 0.2, low)
    lit, shade = _cloud_colours(stage)
    body, high = paper.mask(), paper.mask()
    toward = 1 if stage.light.x > stage.width / 2 else -1
    for _ in range(int(rng.integers(4, 7))):
        size = stage.unit * rng.uniform(0.06, 0.14)
        x, foot = rng.uniform(0, paper.width), rng.uniform(0.2, 0.86) * low
        heap, crown = paper.mask(), paper.mask()
        for lobe in np.linspace(-1, 1, int(rng.integers(5, 8))):
            along = lobe + rng.uniform(-0.12, 0.12)
            radius = size * (0.2 + 0.34 * (1 - along * along)) * rng.uniform(0.8, 1.15)
            cx, cy = x + along * size * 1.2, foot - radius * rng.uniform(0.3, 0.75)
            paper.disc(heap, cx, cy, radius)
            paper.disc(crown, cx + toward * radius * 0.14, cy - radius * 0.2, radius * 0.84)
        flat = max(0, round(foot - paper.top))
        heap[flat:] = 0
        np.maximum(body, heap, out=body)
        high = np.maximum(np.minimum(high, 255 - heap), np.minimum(crown, heap))
    paper.fill(np.array(shade, dtype=np.float32).reshape(1, 1, 3))
    paper.paint(np.minimum(high, body), lit, 0.9)
    paper.alpha = body.astype(np.float32) * np.float32(0.94 / 255)
    paper.grain(rng)
    return paper.sheet(0.06, stage.width, 0.12, stage.unit * 0.012, drift=stage.unit * 0.006)


def _wisps(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Long streaks, thin at their upper edge and heavier below."""
    low = stage.horizon * 0.86
    paper = stage.paper(-stage.margin * 0.5, low)
    field = clouds(rng, paper.half_size, (3, 9), 5, 0.52)
    lit, shade = _cloud_colours(stage)
    rows = (paper.half_rows() - paper.top) / np.float32(paper.height)
    fade = smooth_step(0.0, 0.15, rows) * smooth_step(1.0, 0.55, rows)
    body = smooth_step(0.52, 0.68, field) * fade
    deeper = np.roll(field, -max(2, round(stage.unit * 0.006)), axis=0)
    paper.fill(np.array(lit, dtype=np.float32).reshape(1, 1, 3))
    paper.tint(smooth_step(0.54, 0.74, deeper), shade)
    paper.alpha = _doubled(body * np.float32(0.82), paper)
    paper.grain(rng)
    return paper.sheet(0.05, stage.width, drift=stage.unit * 0.005)


def _bank(stage: Stage, rng: np.random.Generator, layer: int) -> Sheet:
    """Make a closed ceiling of cloud, two sheets that slide over one another."""
    low = stage.horizon * (0.8 - 0.3 * layer)
    paper = stage.paper(-stage.margin, low)
    lit, shade = _cloud_colours(stage)
    edge = np.float32(low * 0.72) + waves(rng, paper.width, 5, 3) * np.float32(low * 0.16)
    lobes = np.abs(waves(rng, paper.width, 14, 3)) * np.float32(low * 0.1)
    line = (edge - lobes)[::2].reshape(1, -1)
    field = clouds(rng, paper.half_size, (4, 5), 4)
    body = smooth_step(
        0.0, 1.0, (line - paper.half_rows()) / np.float32(stage.unit * 0.07) + (field - 0.5) * 3.4
    )
    paper.fill(
        np.array(mix(shade, stage.palette.sky[1], 0.35 + 0.3 * layer), dtype=np.float32).reshape(1, 1, 3)
    )
    paper.tint(smooth_step(0.42, 0.75, field) * np.float32(0.55), mix(lit, stage.palette.haze, 0.5))
    paper.alpha = _doubled(body * np.float32(0.62 + 0.15 * layer), paper)
    paper.grain(rng)
    return paper.sheet(0.05 + 0.03 * layer, stage.width, drift=stage.unit * (0.008 + 0.01 * layer))


def paint_aurora(stage: Stage) -> list[Sheet]:
    """Curtains of light in two sheets that slide apart, green at the foot and violet above."""
    rng = stage.rng("aurora")
    return [
        _curtain(stage, rng, *colours)
        for colours in ((hexed("3df5b0"), hexed("7a5cf0"), 1), (hexed("5cf0e0"), hexed("c45cf0"), -1))
    ]


def _curtain(stage: Stage, rng: np.random.Generator, foot: RGB, top: RGB, way: int) -> Sheet:
    paper = stage.paper(-stage.margin, stage.horizon * 0.92)
    columns = paper.width // 2
    base = np.float32(stage.horizon * rng.uniform(0.46, 0.66)) + waves(rng, columns, 2, 3) * np.float32(
        stage.horizon * 0.2
    )
    tall = np.float32(stage.horizon) * (np.float32(0.36) + np.float32(0.16) * waves(rng, columns, 4, 2))
    ray = np.float32(0.55) + np.float32(0.5) * waves(rng, columns, 26, 4, 0.75)
    above = (base.reshape(1, -1) - paper.half_rows()) / np.maximum(
        tall, np.float32(stage.horizon * 0.12)
    ).reshape(1, -1)
    rise = np.where(above > 0, np.exp(-np.maximum(above, 0) * 2.1), np.exp(np.minimum(above, 0) * 10))
    presence = smooth_step(-0.35, 0.5, waves(rng, columns, 3, 2)).reshape(1, -1)
    body = np.clip(rise * np.clip(ray, 0.12, 1.2).reshape(1, -1) * (0.25 + 0.75 * presence), 0, 1)
    paper.fill(np.array(top, dtype=np.float32).reshape(1, 1, 3))
    paper.tint(smooth_step(0.75, 0.1, above).astype(np.float32), foot)
    paper.alpha = _doubled((body * np.float32(0.9)).astype(np.float32), paper)
    paper.grain(rng, 0.6)
    return paper.sheet(0.04, stage.width, drift=way * stage.unit * 0.012)


def _doubled(half: Field, paper: Paper) -> Field:
    return np.clip(
        cv2.resize(half.astype(np.float32), (paper.width, paper.height), interpolation=cv2.INTER_LINEAR), 0, 1
    )
