"""Many small things adrift: fireflies, petals, leaves, embers, bubbles, lanterns, notes, dust."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.cutouts import Placing, glide, paste
from filmgate.animatic.palette import hexed, mix
from filmgate.animatic.planes import RGB, U8, Frame, Patch, faded, patch_of
from filmgate.animatic.sprites import sprite
from filmgate.animatic.stage import Element, Stage

_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Mote:
    """Where one particle is at a moment, in set coordinates, and how strongly it shows (0 to 1)."""

    at: Placing
    strength: float


@dataclass(frozen=True, slots=True)
class Swarm:
    """`kinds` holds each kind's patch from faint to full; `course(index, t)` is the whole motion."""

    kinds: tuple[tuple[Patch, ...], ...]
    course: Callable[[int, float], Mote]
    count: int
    depth: float
    span: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view = camera.view(self.depth, t)
        edge = (self.span - camera.width) / 2
        for index in range(self.count):
            mote = self.course(index, t)
            level = round(mote.strength * _LEVELS)
            if level <= 0:
                continue
            levels = self.kinds[index % len(self.kinds)]
            patch = levels[min(level, _LEVELS) - 1]
            at = mote.at
            x, y = (at.x - view.x + edge) % self.span - edge, at.y - view.y
            if at.upright:
                glide(frame, patch, x, y)
                continue
            tall, wide = patch.y.shape
            paste(frame, patch, (wide / 2, tall / 2), Placing(x, y, at.turn, at.wide, at.tall))


def fx_swarms(stage: Stage) -> list[Element]:
    swarms: list[Element] = [_MAKERS[name](stage) for name in stage.scene.fx if name in _MAKERS]
    if stage.scene.place == "underwater" and "bubbles" not in stage.scene.fx:
        swarms.append(_bubbles(stage))
    if not swarms and stage.scene.time in {"day", "dawn", "sunset"} and stage.scene.weather == "clear":
        swarms.append(dust(stage, 12))
    return swarms


def notes_from(stage: Stage, x: float, y: float) -> Swarm:
    """Make notes that rise from an instrument whose top is at (x, y)."""
    unit, size = stage.unit, stage.unit * 0.06
    dark = (
        mix(stage.palette.wash, (0.1, 0.08, 0.2), 0.7)
        if not stage.palette.dark
        else mix(stage.palette.light, (1, 1, 1), 0.4)
    )
    kinds = tuple(_levelled(_note(round(size), dark, stage, pair=pair)) for pair in (False, True))

    def course(index: int, t: float) -> Mote:
        age = (t * 0.26 + index / 6) % 1.0
        born = math.floor(t * 0.26 + index / 6)
        way = math.sin((born * 7 + index) * 2.4)
        at = Placing(
            x + way * unit * 0.07 + math.sin(age * 7 + index) * unit * 0.022 + unit * 0.05 * age,
            y - age * unit * 0.3,
            0.22 * math.sin(age * 9 + index),
            0.75 + 0.35 * age,
            0.75 + 0.35 * age,
        )
        return Mote(at, min(1.0, age * 7) * min(1.0, (1 - age) * 3))

    return Swarm(kinds, course, 6, 0.8, stage.width * 4)


def dust(stage: Stage, count: int) -> Swarm:
    return _adrift(
        stage,
        "dust",
        count,
        _glow_kinds(stage, (stage.palette.light,), (0.006, 0.011, 0.008), 0.4),
        rise=0.008,
        low=0.98,
    )


def _fireflies(stage: Stage) -> Swarm:
    kinds = _glow_kinds(stage, (hexed("fff59a"), hexed("d8ff8a")), (0.036, 0.02, 0.028, 0.024, 0.016), 1.0)
    return _adrift(stage, "fireflies", 26, kinds, rise=0.0, low=0.97, wander=0.05, blink=True)


def _embers(stage: Stage) -> Swarm:
    kinds = _glow_kinds(
        stage, (hexed("ffb04a"), hexed("ff7a3a"), hexed("ffe08a")), (0.013, 0.009, 0.016, 0.011), 1.0
    )
    return _adrift(stage, "embers", 34, kinds, rise=0.075, low=1.05, wander=0.025, blink=True)


def _lanterns(stage: Stage) -> Swarm:
    kinds = tuple(_levelled(_lantern(stage, share)) for share in (0.1, 0.062, 0.042, 0.03))
    return _adrift(stage, "lanterns", 22, kinds, rise=0.012, low=0.8, wander=0.02, tilt=0.05, top=-0.12)


def _petals(stage: Stage) -> Swarm:
    colours = [stage.palette.lit(hexed(code)) for code in ("f7b2c8", "fbd3df", "ee92b4")]
    return _falling(stage, "petals", 34, colours, 0.017)


def _leaves(stage: Stage) -> Swarm:
    colours = [stage.palette.lit(hexed(code)) for code in ("dd8a33", "c4572f", "e6b645", "a8622c")]
    return _falling(stage, "leaves", 28, colours, 0.026)


def _bubbles(stage: Stage) -> Swarm:
    kinds = tuple(_levelled(_bubble(stage, share)) for share in (0.02, 0.012, 0.03, 0.009))
    return _adrift(stage, "bubbles", 26, kinds, rise=0.055, low=1.05, wander=0.012)


_MAKERS: dict[str, Callable[[Stage], Swarm]] = {
    "fireflies": _fireflies,
    "embers": _embers,
    "lanterns": _lanterns,
    "petals": _petals,
    "leaves": _leaves,
    "bubbles": _bubbles,
}


def _adrift(
    stage: Stage,
    purpose: str,
    count: int,
    kinds: tuple[tuple[Patch, ...], ...],
    *,
    rise: float,
    low: float,
    wander: float = 0.03,
    blink: bool = False,
    tilt: float = 0.0,
    top: float = 0.0,
) -> Swarm:
    """Wander round a home, and rise by `rise` heights a second where that is not 0."""
    rng = stage.rng(purpose)
    span, height, unit = stage.width * 1.2, float(stage.height), stage.unit
    homes = rng.uniform(0, 1, (count, 4))
    high = stage.horizon * 0.72 if rise == 0 else height * top
    reach = height * low - high

    def course(index: int, t: float) -> Mote:
        a, b, c, d = (float(value) for value in homes[index])
        y = high + reach * ((b - rise * t * (0.6 + 0.8 * c) * height / reach) % 1.0)
        turn = t * (0.5 + 0.6 * c) + d * math.tau
        x = a * span + math.sin(turn) * unit * wander + math.sin(turn * 0.43 + 1) * unit * wander
        y += math.sin(turn * 1.27 + a * 9) * unit * wander * 0.7
        # What rises out of the frame fades before it starts again below.
        edge = min(1.0, (y - high) / (reach * 0.08), (high + reach - y) / (reach * 0.08)) if rise else 1.0
        glow = 0.5 + 0.5 * math.sin(t * (1.6 + 1.8 * d) + a * math.tau) if blink else 1.0
        return Mote(Placing(x, y, tilt * math.sin(turn)), max(0.0, edge) * (0.15 + 0.85 * glow))

    return Swarm(kinds, course, count, 0.6, span)


def _falling(stage: Stage, purpose: str, count: int, colours: Sequence[RGB], share: float) -> Swarm:
    rng = stage.rng(purpose)
    span, height, unit = stage.width * 1.2, float(stage.height), stage.unit
    homes = rng.uniform(0, 1, (count, 4))
    kinds = tuple(_levelled(_petal(stage, colour, unit * share)) for colour in colours)

    def course(index: int, t: float) -> Mote:
        a, b, c, d = (float(value) for value in homes[index])
        fall = (b + t * (0.05 + 0.05 * c)) % 1.0
        y = (fall * 1.16 - 0.08) * height
        x = a * span + t * unit * (0.03 + 0.03 * d) + math.sin(t * (0.9 + c) + d * 6) * unit * 0.035
        flip = math.cos(t * (1.4 + 1.6 * d) + a * 6)
        size = 0.7 + 0.7 * c
        return Mote(Placing(x, y, t * (0.5 + c) + b * 6, size, size * (0.25 + 0.75 * abs(flip))), 1.0)

    return Swarm(kinds, course, count, 0.9, span)


def _levelled(patch: Patch) -> tuple[Patch, ...]:
    return tuple(faded(patch, (level + 1) / _LEVELS) for level in range(_LEVELS))


def _glow_kinds(
    stage: Stage, colours: Sequence[RGB], sizes: Sequence[float], strength: float
) -> tuple[tuple[Patch, ...], ...]:
    return tuple(
        _levelled(glow_patch(stage, colours[i % len(colours)], stage.unit * size, strength))
        for i, size in enumerate(sizes)
    )


def halo_patch(stage: Stage, colour: RGB, radius: float, strength: float) -> Patch:
    """Light without a core, as it hangs around what shines."""
    side = max(4, round(radius)) * 2
    axis = (np.arange(side, dtype=np.float32) + np.float32(0.5 - side / 2)) / np.float32(radius)
    far = np.sqrt(axis.reshape(1, -1) ** 2 + axis.reshape(-1, 1) ** 2)
    alpha = np.clip(1 - far, 0, 1) ** np.float32(1.8) * np.float32(strength)
    shade = stage.palette.graded(np.array(colour, dtype=np.float32))
    return patch_of(np.broadcast_to(shade, (side, side, 3)), alpha)


def glow_patch(stage: Stage, colour: RGB, radius: float, strength: float) -> Patch:
    """Make a small bright core in a wide halo."""
    half = max(3, round(radius * 1.3))
    axis = (np.arange(2 * half, dtype=np.float32) + np.float32(0.5 - half)) / np.float32(radius)
    far = np.sqrt(axis.reshape(1, -1) ** 2 + axis.reshape(-1, 1) ** 2)
    halo = np.exp(-((far / 0.45) ** 2)) * np.float32(0.5) + np.clip(1 - far, 0, 1) * np.float32(0.14)
    core = np.clip((np.float32(0.2) - far) / np.float32(0.08) + np.float32(0.5), 0, 1)
    alpha = np.clip(np.maximum(halo, core) * np.float32(strength), 0, 1) * np.clip(
        (np.float32(1.25) - far) * 20, 0, 1
    )
    white = np.clip(core + halo * np.float32(0.4), 0, 1)[..., None] * np.float32(0.75)
    rgb = np.array(colour, dtype=np.float32) * (1 - white) + white
    return patch_of(stage.palette.graded(rgb), alpha.astype(np.float32))


def _drawn(
    stage: Stage, size: tuple[int, int], colour: RGB, draw: Callable[[U8, int], None], strength: float = 1.0
) -> Patch:
    """Draw a shape four times too large, then shrink it."""
    wide, tall = size
    large = np.zeros((tall * 4, wide * 4), dtype=np.uint8)
    draw(large, 4)
    alpha = cv2.resize(large, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(
        strength / 255
    )
    rgb = np.broadcast_to(stage.palette.graded(np.array(colour, dtype=np.float32)), (tall, wide, 3))
    return patch_of(rgb, alpha)


def _petal(stage: Stage, colour: RGB, size: float) -> Patch:
    side = max(6, round(size * 1.4)) & ~1

    def draw(mask: U8, scale: int) -> None:
        middle, long = side * scale // 2, side * scale * 0.44
        turns = np.linspace(0, math.tau, 28, endpoint=False)
        points = [
            (middle + long * math.cos(a), middle + long * 0.52 * math.sin(a) * (1 - 0.35 * math.cos(a)))
            for a in turns
        ]
        cv2.fillPoly(mask, [np.array(points, dtype=np.int32)], 255)

    return _drawn(stage, (side, side), mix(colour, stage.palette.light, 0.15), draw, 0.95)


def _note(size: int, colour: RGB, stage: Stage, *, pair: bool) -> Patch:
    wide, tall = round(size * (1.1 if pair else 0.7)) & ~1, size & ~1

    def draw(mask: U8, scale: int) -> None:
        w, h = wide * scale, tall * scale
        first_head, last_head = (0.22, 0.74) if pair else (0.34, 0.34)
        for at in {first_head, last_head}:
            cv2.ellipse(
                mask,
                (round(w * at), round(h * 0.8)),
                (round(h * 0.15), round(h * 0.11)),
                -20,
                0,
                360,
                255,
                -1,
            )
            x = round(w * at + h * 0.125)
            cv2.line(mask, (x, round(h * 0.78)), (x, round(h * 0.12)), 255, max(1, round(h * 0.045)))
        first = round(w * first_head + h * 0.125)
        if pair:
            cv2.line(
                mask,
                (first, round(h * 0.14)),
                (round(w * last_head + h * 0.125), round(h * 0.14)),
                255,
                max(2, round(h * 0.1)),
            )
        else:
            cv2.line(
                mask,
                (first, round(h * 0.14)),
                (round(w * 0.88), round(h * 0.36)),
                255,
                max(2, round(h * 0.075)),
            )

    return _drawn(stage, (wide, tall), colour, draw, 0.95)


def _bubble(stage: Stage, share: float) -> Patch:
    side = max(8, round(stage.unit * share * 1.2)) & ~1

    def draw(mask: U8, scale: int) -> None:
        middle = side * scale // 2
        cv2.circle(mask, (middle, middle), round(middle * 0.86), 50, -1)
        cv2.circle(mask, (middle, middle), round(middle * 0.86), 190, max(2, round(middle * 0.1)))
        cv2.circle(mask, (round(middle * 0.68), round(middle * 0.66)), round(middle * 0.16), 255, -1)

    return _drawn(stage, (side, side), (0.92, 1.0, 1.0), draw, 0.85)


def _lantern(stage: Stage, share: float) -> Patch:
    tall = max(8, round(stage.unit * share))
    try:
        painted = sprite("sky-lantern", tall).astype(np.float32) / 255
    except KeyError:
        return glow_patch(stage, hexed("ffb45a"), tall * 0.9, 1.0)
    room = tall
    rgb = np.pad(painted[..., :3], ((room, room), (room, room), (0, 0)))
    alpha = np.pad(painted[..., 3], room)
    y, x = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]].astype(np.float32)
    far = np.hypot(x - alpha.shape[1] / 2, y - alpha.shape[0] / 2) / np.float32(tall)
    halo = np.exp(-((far / 0.62) ** 2)) * np.float32(0.5)
    together = alpha + (1 - alpha) * halo
    shine = np.array(hexed("ffac55"), dtype=np.float32)
    share_own = (alpha / np.maximum(together, np.float32(1e-3)))[..., None]
    return patch_of(stage.palette.graded(shine + (rgb - shine) * share_own), together)
