"""What falls or flashes: rain, snow, mist, lightning, fireworks."""

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.noise import clouds, smooth_step
from filmgate.animatic.palette import hexed, mix
from filmgate.animatic.planes import U8, Field, Frame, yuv
from filmgate.animatic.sheets import Sheet
from filmgate.animatic.stage import Element, Stage

_FLASH_S, _BOLT_S = 0.6, 0.22
# The share of a shell's life in which it climbs.
_CLIMB, _UNSEEN = 0.22, 0.05


@dataclass(frozen=True, slots=True)
class Rain:
    """Two sheets of streaks that repeat both ways, added to the light of the picture."""

    sheets: tuple[U8, ...]
    falls: tuple[tuple[float, float], ...]
    rings: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"
    ground: tuple[float, float]
    bright: int

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        self._splash(frame, t)
        for sheet, (across, down) in zip(self.sheets, self.falls, strict=True):
            tall, wide = sheet.shape[0] - frame.height, sheet.shape[1] - frame.width
            x, y = round(-across * t) % wide, round(-down * t) % tall
            cv2.add(frame.y, sheet[y : y + frame.height, x : x + frame.width], frame.y)

    def _splash(self, frame: Frame, t: float) -> None:
        top, bottom = self.ground
        for a, b, c in self.rings:
            age = (t * 1.7 + c) % 1.0
            born = math.floor(t * 1.7 + c)
            x = (a + born * 0.618) % 1.0 * frame.width
            near = (b + born * 0.381) % 1.0
            y = top + near * (bottom - top)
            wide = frame.height * (0.006 + 0.016 * near) * (0.3 + age)
            level = round(
                frame.y[min(int(y), frame.height - 1), min(int(x), frame.width - 1)] + self.bright * (1 - age)
            )
            centre = (round(x * 16), round(y * 16))
            axes = (max(8, round(wide * 16)), max(4, round(wide * 5)))
            cv2.ellipse(frame.y, centre, axes, 0, 0, 360, min(level, 235), 1, cv2.LINE_AA, 4)


@dataclass(frozen=True, slots=True)
class Snowfall:
    """Each flake is (x, y, nearness, phase) from 0 to 1; near ones are larger and faster."""

    flakes: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"
    size: float
    wind: float
    level: int

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view = camera.view(0.7, t)
        x0, y0, near, phase = self.flakes.T
        pace = 0.4 + near
        span, drop = frame.width * 1.1, frame.height * 1.06
        sway = np.sin(t * (0.7 + phase) + phase * 40) * self.size * 5
        x = (x0 * span + self.wind * pace * t + sway - view.x * pace) % span - frame.width * 0.05
        y = (y0 * drop + pace * t * frame.height * 0.075) % drop - frame.height * 0.03
        radius = np.maximum(self.size * (0.28 + near**2.2) * 16, 12)
        centres = np.round(np.stack([x, y], axis=1) * 16).astype(np.int64)
        for (cx, cy), r in zip(centres.tolist(), np.round(radius).astype(np.int64).tolist(), strict=True):
            cv2.circle(frame.y, (cx, cy), r, self.level, -1, cv2.LINE_AA, 4)


@dataclass(frozen=True, slots=True)
class Lightning:
    """A flash every few seconds over the whole picture, with its bolt while it is brightest."""

    seed: int
    reach: tuple[float, float]
    unit: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        stroke = math.floor(t / 3.1)
        rng = np.random.default_rng([self.seed, 77, stroke])
        age = t - (stroke * 3.1 + rng.uniform(0.6, 2.2))
        if not 0 <= age <= _FLASH_S:
            return
        flash = math.exp(-age * 7) * (0.55 + 0.45 * math.cos(age * 40))
        cv2.convertScaleAbs(frame.y, frame.y, alpha=1.0, beta=max(0.0, flash) * 62)
        if age < _BOLT_S:
            self._bolt(frame, rng)

    def _bolt(self, frame: Frame, rng: np.random.Generator) -> None:
        top, low = self.reach
        x, y = frame.width * rng.uniform(0.15, 0.85), top
        points = [(x, y)]
        while y < low:
            x += rng.uniform(-1, 1) * self.unit * 0.035
            y += self.unit * rng.uniform(0.02, 0.05)
            points.append((x, y))
        fixed = np.round(np.array(points) * 16).astype(np.int32)
        thick = max(1, round(self.unit * 0.004))
        cv2.polylines(
            frame.y, [fixed], isClosed=False, color=235, thickness=thick, lineType=cv2.LINE_AA, shift=4
        )
        for plane in (frame.u, frame.v):
            cv2.polylines(
                plane, [fixed // 2], isClosed=False, color=128, thickness=thick, lineType=cv2.LINE_AA, shift=4
            )


@dataclass(frozen=True, slots=True)
class Fireworks:
    seed: int
    ceiling: float
    unit: float
    colours: tuple[tuple[int, int, int], ...]

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        for lane in range(4):
            cycle = (t + lane * 0.83) / 3.3
            self._shell(frame, math.floor(cycle), lane, cycle % 1.0)

    def _shell(self, frame: Frame, shot: int, lane: int, age: float) -> None:
        rng = np.random.default_rng([self.seed, 99, max(shot, 0), lane])
        x, y = frame.width * rng.uniform(0.12, 0.88), self.ceiling * rng.uniform(0.16, 0.6)
        colour = self.colours[int(rng.integers(len(self.colours)))]
        if age < _CLIMB:
            climb = age / _CLIMB
            low = self.ceiling * 1.1
            here = low + (y - low) * (1 - (1 - climb) ** 2)
            self._streak(frame, (x, here), (x, here + self.unit * 0.03), colour, 0.7)
            return
        burst = (age - _CLIMB) / (1 - _CLIMB)
        radius = self.unit * rng.uniform(0.12, 0.22) * (1 - math.exp(-burst * 4.2))
        tail = self.unit * 0.05 * math.exp(-burst * 3) + 1
        sag = burst * burst * self.unit * 0.07
        for spark in range(44):
            turn = spark * math.tau / 44 + rng.uniform(-0.05, 0.05)
            share = rng.uniform(0.45, 1.0)
            far, near = radius * share, max(0.0, radius * share - tail)
            ends = [(x + r * math.cos(turn), y + r * math.sin(turn) + sag) for r in (near, far)]
            self._streak(frame, ends[0], ends[1], colour, max(0.0, 1 - burst) ** 0.7)

    def _streak(
        self,
        frame: Frame,
        one: tuple[float, float],
        two: tuple[float, float],
        colour: tuple[int, int, int],
        strength: float,
    ) -> None:
        x, y = int(two[0]), int(two[1])
        if strength < _UNSEEN or not (0 <= x < frame.width and 0 <= y < frame.height):
            return
        under = (int(frame.y[y, x]), int(frame.u[y // 2, x // 2]), int(frame.v[y // 2, x // 2]))
        mixed = [round(a + (b - a) * strength) for a, b in zip(under, colour, strict=True)]
        ends = [(round(px * 16), round(py * 16)) for px, py in (one, two)]
        cv2.line(frame.y, ends[0], ends[1], mixed[0], max(1, round(self.unit / 420)), cv2.LINE_AA, 4)
        for plane, value in ((frame.u, mixed[1]), (frame.v, mixed[2])):
            cv2.line(
                plane,
                (ends[0][0] // 2, ends[0][1] // 2),
                (ends[1][0] // 2, ends[1][1] // 2),
                value,
                1,
                cv2.LINE_AA,
                4,
            )


def fallen(stage: Stage) -> list[Element]:
    """Weather in front of everything but the words."""
    weather = stage.scene.weather
    if stage.scene.place in {"space", "underwater"}:
        return []
    if weather == "rain":
        return [_rain(stage, 1.0)]
    if weather == "storm":
        return [Lightning(stage.scene.seed, (0.0, stage.horizon * 0.95), stage.unit), _rain(stage, 1.6)]
    if weather == "snow":
        rng = stage.rng("snowfall")
        level = 232 if stage.palette.dark else 235
        return [Snowfall(rng.uniform(0, 1, (230, 4)), stage.unit * 0.0058, stage.unit * 0.02, level)]
    return []


def mist(stage: Stage) -> list[Sheet]:
    """Banks of fog, one far and one near, that slide past each other."""
    if stage.scene.weather != "fog":
        return []
    rng = stage.rng("mist")
    return [_bank(stage, rng, *bank) for bank in ((0.78, 0.3, 0.75, 0.014), (0.95, 0.7, 0.6, -0.02))]


def sparks(stage: Stage) -> list[Element]:
    if "fireworks" not in stage.scene.fx:
        return []
    chosen = [hexed(code) for code in ("ffd27a", "ff7a9a", "8ad8ff", "b8ff9a", "e0a0ff")]
    colours = []
    for colour in chosen:
        y, u, v = (round(float(part)) for part in yuv(mix(colour, (1, 1, 1), 0.2)))
        colours.append((y, u, v))
    return [Fireworks(stage.scene.seed, stage.horizon, stage.unit, tuple(colours))]


def _bank(
    stage: Stage, rng: np.random.Generator, centre: float, depth: float, strength: float, drift: float
) -> Sheet:
    height = stage.height * 0.42
    paper = stage.paper(stage.height * centre - height, stage.height * centre + height * 0.6)
    field = smooth_step(0.25, 0.75, clouds(rng, paper.half_size, (3, 4), 4))
    rows = np.linspace(-1.2, 1, paper.height // 2, dtype=np.float32).reshape(-1, 1)
    body = field * np.exp(-((rows / 0.55) ** 2)) * np.float32(strength)
    paper.fill(
        np.array(
            mix(stage.palette.haze, (1, 1, 1), 0.12 if not stage.palette.dark else 0.04), dtype=np.float32
        ).reshape(1, 1, 3)
    )
    paper.alpha = cast(
        "Field",
        cv2.resize(body.astype(np.float32), (paper.width, paper.height), interpolation=cv2.INTER_LINEAR),
    )
    return paper.sheet(depth, stage.width, drift=stage.unit * drift)


def _rain(stage: Stage, force: float) -> Rain:
    rng = stage.rng("rain")
    sheets, falls = [], []
    slant = rng.uniform(0.1, 0.2) * rng.choice((-1, 1)) * force
    for long, number, level, speed in ((0.045, 220, 58, 1.5), (0.09, 100, 84, 2.3)):
        sheets.append(
            _streaks(
                stage,
                rng,
                (round(number * force), stage.unit * long),
                slant,
                level if stage.palette.dark else level * 0.8,
            )
        )
        falls.append((stage.height * speed * slant, stage.height * speed))
    return Rain(
        tuple(sheets),
        tuple(falls),
        rng.uniform(0, 1, (26, 3)),
        (stage.horizon * 1.04, float(stage.height)),
        60,
    )


def _streaks(
    stage: Stage, rng: np.random.Generator, drops: tuple[int, float], slant: float, level: float
) -> U8:
    width, height = stage.width, stage.height
    number, long = drops
    sheet = np.zeros((height, width), dtype=np.uint8)
    thick = max(1, round(stage.unit / 620))
    for _ in range(round(number * width * height / stage.unit**2 / 1.4)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        size = long * rng.uniform(0.6, 1.2)
        value = level * rng.uniform(0.5, 1.0)
        for dx in (-width, 0, width):
            for dy in (-height, 0):
                one = (round((x + dx) * 16), round((y + dy) * 16))
                two = (round((x + dx + slant * size) * 16), round((y + dy + size) * 16))
                cv2.line(sheet, one, two, value, thick, cv2.LINE_AA, 4)
    return np.tile(sheet, (2, 2))
