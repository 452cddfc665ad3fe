"""Under water: falling light, rocks in the blue, coral and weeds on the sand."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.lens import Beams, beams
from filmgate.animatic.mountains import hill_sheet
from filmgate.animatic.noise import clouds, smooth_step, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, U8, Frame, yuv
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Element, Setting, Stage

_CORALS = (
    hexed("ff6f7a"),
    hexed("ffa04a"),
    hexed("c86af0"),
    hexed("ffd25a"),
    hexed("ff8ac0"),
    hexed("5ae0c8"),
)
_KINDS = ("branch", "branch", "fan", "tubes", "cushion")
_SAND = hexed("e8dcae")


@dataclass(frozen=True, slots=True)
class Weeds:
    """Blades that sway from their roots; each is (x, row of the root, height, phase)."""

    blades: tuple[tuple[float, float, float, float], ...]
    colours: tuple[tuple[int, int, int], ...]
    depth: float
    span: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view = camera.view(self.depth, t)
        steps = np.linspace(0, 1, 9)
        for index, (x, root, tall, phase) in enumerate(self.blades):
            at = (x - view.x + self.span * 0.1) % self.span - self.span * 0.1
            bend = np.sin(t * 1.1 + phase - steps * 2.2) * steps * tall * 0.16
            wide = tall * 0.035 * (1 - steps) ** 0.6 * (1 + 0.35 * np.sin(steps * 22 + phase))
            rows = root - steps * tall
            left, right = np.stack([at + bend - wide, rows], 1), np.stack([at + bend + wide, rows], 1)
            outline = np.concatenate([left, right[::-1]])
            outline = np.array([camera.placed(px + view.x, py + view.y, view) for px, py in outline])
            colour = self.colours[index % len(self.colours)]
            cv2.fillPoly(frame.y, [np.round(outline * 16).astype(np.int32)], colour[0], cv2.LINE_AA, 4)
            half = np.round((outline - 0.5) * 8).astype(np.int32)
            for plane, value in ((frame.u, colour[1]), (frame.v, colour[2])):
                cv2.fillPoly(plane, [half], value, cv2.LINE_AA, 4)


def paint_depths(stage: Stage) -> list[Element]:
    """Give the water itself and the light that falls through it."""
    rng = stage.rng("depths")
    paper = stage.paper(-stage.margin, stage.height + stage.margin)
    swell = clouds(rng, paper.half_size, (3, 3), 3) - np.float32(0.5)
    rows = np.clip(paper.half_rows() / np.float32(stage.height) + swell * np.float32(0.16), 0, 1)
    stops = np.array(stage.palette.sky, dtype=np.float32)
    rgb = np.stack([np.interp(rows, (0, 0.35, 0.72, 1), stops[:, k]) for k in range(3)], axis=-1).astype(
        np.float32
    )
    away = (
        np.hypot(
            (paper.half_columns() - stage.light.x) * np.float32(0.6), paper.half_rows() + stage.unit * 0.1
        )
        / stage.unit
    )
    glow = (np.exp(-away / np.float32(0.26)) * np.float32(0.75))[..., None]
    paper.fill(rgb + (np.array(stage.palette.light, dtype=np.float32) - rgb) * glow)
    paper.grain(rng, 0.8)
    return [paper.sheet(0.03, stage.width), _rays(stage, rng, 1), _rays(stage, rng, -1)]


def paint_reef(stage: Stage) -> Setting:
    rng = stage.rng("reef")
    unit, height = stage.unit, stage.height
    back: list[Element] = [
        _rocks(stage, rng, height * 0.72, tall=unit * 0.3, distance=0.72, depth=0.12),
        _rocks(stage, rng, height * 0.8, tall=unit * 0.22, distance=0.45, depth=0.28),
        _reef(stage, rng, height * 0.86, size=unit * 0.16, distance=0.26, depth=0.5, number=17),
    ]
    floor = hill_sheet(stage, rng, height * 0.9, swell=unit * 0.02, distance=0.08, depth=0.8, colour=_SAND)
    front: list[Element] = [
        floor,
        _weeds(stage, rng),
        _reef(stage, rng, height * 0.985, size=unit * 0.19, distance=0.0, depth=1.0, number=11),
    ]
    return Setting(back=back, front=front)


def _rays(stage: Stage, rng: np.random.Generator, way: int) -> Beams:
    period, top, low = stage.period, -stage.margin & ~1, stage.height * 0.82
    columns = (np.arange(period // 2, dtype=np.float32) * 2).reshape(1, -1)
    rows = (np.arange((int(low) - top) // 2, dtype=np.float32) * 2 + np.float32(top)).reshape(-1, 1)
    slant = 0.28 * (1 if stage.light.x < stage.width / 2 else -1)
    bars = np.clip(waves(rng, period, 6, 3, 0.65), 0, 1) ** np.float32(1.3)
    field = bars[np.mod(columns - rows * np.float32(slant), period).astype(np.int32) % period]
    fade = smooth_step(stage.height * 0.8, -stage.height * 0.1, rows)
    return beams(field * fade * np.float32(0.2), top, way * stage.unit * 0.016, stage.width)


def _rocks(
    stage: Stage, rng: np.random.Generator, foot: float, *, tall: float, distance: float, depth: float
) -> Sheet:
    lumps = np.maximum(waves(rng, stage.period, 3, 4), np.float32(-0.25))
    ridge = np.float32(foot) - lumps * np.float32(tall)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.03)
    stone = stage.palette.lit(hexed("4a6a80"), distance)
    paper.fill(np.array(stone, dtype=np.float32).reshape(1, 1, 3))
    below = paper.half_rows() - ridge[::2].reshape(1, -1)
    paper.tint(
        np.exp(-np.maximum(below, 0) / np.float32(stage.unit * 0.04)) * np.float32(0.4),
        mix(stone, stage.palette.light, 0.35),
    )
    paper.tint(
        smooth_step(0, stage.unit * 0.35, below) * np.float32(0.7),
        mix(stage.palette.haze, stage.palette.sky[3], 0.6),
    )
    paper.cut(ridge)
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.12, stage.unit * 0.014)


def _reef(
    stage: Stage,
    rng: np.random.Generator,
    foot: float,
    *,
    size: float,
    distance: float,
    depth: float,
    number: int,
) -> Sheet:
    """Branches, fans, tubes and cushions, each kind in its own colours."""
    ridge = np.float32(foot) + waves(rng, stage.period, 4, 3) * np.float32(stage.unit * 0.02)
    paper = stage.paper(float(ridge.min()) - size * 1.9)
    masks = [paper.mask() for _ in _CORALS]
    bright = paper.mask()
    for index in range(number):
        x = (index + rng.uniform(-0.4, 0.4)) * stage.period / number
        root = (x, float(ridge[int(x) % stage.period]) + size * 0.08)
        mask = masks[int(rng.integers(len(masks)))]
        kind, reach = _KINDS[int(rng.integers(len(_KINDS)))], size * rng.uniform(0.55, 1.1)
        if kind == "branch":
            _branch(paper, mask, rng, root, (-math.pi / 2, reach * 0.5, reach * 0.1), 5)
        elif kind == "fan":
            _fan(paper, mask, rng, root, reach)
        elif kind == "tubes":
            _tubes(paper, (mask, bright), rng, root, reach)
        else:
            _cushion(paper, (mask, bright), rng, root, reach)
    floor = mix(stage.palette.lit(hexed("3f5a70"), distance), stage.palette.sky[3], 0.35)
    paper.fill(np.array(floor, dtype=np.float32).reshape(1, 1, 3))
    cover = np.clip(paper.rows() - ridge.reshape(1, -1) + np.float32(0.5), 0, 1)
    for colour, mask in zip(_CORALS, masks, strict=True):
        lit = stage.palette.lit(colour, distance, 0.9)
        paper.paint(mask, scaled(lit, 0.92))
        cover = np.maximum(cover, mask.astype(np.float32) / np.float32(255))
    paper.paint(bright, mix(stage.palette.lit((1, 1, 1), distance), stage.palette.light, 0.4), 0.3)
    paper.alpha = cover
    rows = smooth_step(float(ridge.min()) - size * 0.6, float(ridge.max()) + size * 0.6, paper.half_rows())
    paper.tint(
        np.ascontiguousarray(np.broadcast_to(rows * np.float32(0.5), (paper.height // 2, paper.width // 2))),
        floor,
    )
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.12, stage.unit * 0.01)


def _branch(
    paper: Paper,
    mask: U8,
    rng: np.random.Generator,
    root: tuple[float, float],
    limb: tuple[float, float, float],
    left: int,
) -> None:
    (x, y), (turn, long, thick) = root, limb
    tip = (x + math.cos(turn) * long, y + math.sin(turn) * long)
    nx, ny = -math.sin(turn) * thick / 2, math.cos(turn) * thick / 2
    paper.shape(
        mask,
        [
            (x - nx, y - ny),
            (tip[0] - nx * 0.8, tip[1] - ny * 0.8),
            (tip[0] + nx * 0.8, tip[1] + ny * 0.8),
            (x + nx, y + ny),
        ],
    )
    paper.disc(mask, tip[0], tip[1], thick * 0.42)
    if left == 0:
        return
    for side in (-1, 1):
        _branch(
            paper,
            mask,
            rng,
            tip,
            (turn + side * rng.uniform(0.22, 0.6), long * rng.uniform(0.66, 0.84), thick * 0.74),
            left - 1,
        )


def _fan(paper: Paper, mask: U8, rng: np.random.Generator, root: tuple[float, float], size: float) -> None:
    x, y = root
    for rib in np.linspace(-0.95, 0.95, 15):
        long = size * (1 - 0.28 * rib * rib) * rng.uniform(0.88, 1.05)
        tip = (x + math.sin(rib) * long, y - math.cos(rib) * long)
        thick = size * 0.022
        paper.shape(
            mask, [(x - thick, y), (tip[0] - thick, tip[1]), (tip[0] + thick, tip[1]), (x + thick, y)]
        )
        paper.disc(mask, tip[0], tip[1], size * 0.045)
    for ring in (0.45, 0.7):
        arc = [
            (x + math.sin(a) * size * ring, y - math.cos(a) * size * ring) for a in np.linspace(-0.9, 0.9, 14)
        ]
        inner = [
            (x + math.sin(a) * size * (ring - 0.03), y - math.cos(a) * size * (ring - 0.03))
            for a in np.linspace(0.9, -0.9, 14)
        ]
        paper.shape(mask, arc + inner)


def _tubes(
    paper: Paper, masks: tuple[U8, U8], rng: np.random.Generator, root: tuple[float, float], size: float
) -> None:
    (x, y), (mask, bright) = root, masks
    for tube in range(5):
        at, tall, wide = x + (tube - 2) * size * 0.16, size * rng.uniform(0.35, 0.85), size * 0.07
        paper.shape(
            mask, [(at - wide * 0.8, y), (at - wide, y - tall), (at + wide, y - tall), (at + wide * 0.8, y)]
        )
        paper.disc(mask, at, y - tall, wide)
        paper.disc(bright, at, y - tall, wide * 0.55)


def _cushion(
    paper: Paper, masks: tuple[U8, U8], rng: np.random.Generator, root: tuple[float, float], size: float
) -> None:
    (x, y), (mask, bright) = root, masks
    for _ in range(7):
        cx, r = x + rng.normal(0, 0.22) * size, size * rng.uniform(0.12, 0.26)
        cy = y - r * rng.uniform(0.2, 0.9)
        paper.disc(mask, cx, cy, r)
        paper.disc(bright, cx - r * 0.2, cy - r * 0.3, r * 0.34)


def _weeds(stage: Stage, rng: np.random.Generator) -> Weeds:
    span = stage.width * 1.3
    blades = tuple(
        (
            float(rng.uniform(0, span)),
            stage.height * 0.99,
            stage.unit * float(rng.uniform(0.14, 0.34)),
            float(rng.uniform(0, 6)),
        )
        for _ in range(11)
    )
    colours = [_bytes(stage, code) for code in ("3f9a6a", "2a7f6f", "5aa85a")]
    return Weeds(blades, tuple(colours), 0.9, span)


def _bytes(stage: Stage, code: str) -> tuple[int, int, int]:
    shade: RGB = scaled(stage.palette.lit(hexed(code)), 0.8)
    y, u, v = (round(float(part)) for part in yuv(stage.palette.graded(np.array(shade, dtype=np.float32))))
    return (y, u, v)
