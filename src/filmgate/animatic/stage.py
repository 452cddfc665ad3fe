"""What every painter of a set needs to know: the scene, the size, the light and the colours."""

from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.colours import palette_of
from filmgate.animatic.noise import chance
from filmgate.animatic.palette import Palette
from filmgate.animatic.planes import Frame
from filmgate.animatic.scene import Scene
from filmgate.animatic.sheets import Paper

_HORIZON = {
    "snow_mountain": 0.64,
    "mountain": 0.64,
    "lake": 0.56,
    "sea": 0.58,
    "meadow": 0.62,
    "forest": 0.64,
    "city": 0.67,
    "desert": 0.6,
    "space": 0.8,
    "underwater": 0.8,
}
_GOING = {"walk", "run", "hunt", "drive", "fly", "swim", "float"}
_SKY_LIGHT = {"dawn": 0.86, "sunset": 0.84, "dusk": 1.02, "day": 0.26, "night": 0.3}


@dataclass(frozen=True, slots=True)
class Setting:
    """Subjects stand between `back` and `front`."""

    back: "list[Element]"
    front: "list[Element]"


@dataclass(frozen=True, slots=True)
class Light:
    """Where the sun or moon stands on the set, in pixels; `shown` is False where clouds hide it."""

    x: float
    y: float
    radius: float
    shown: bool


class Element(Protocol):
    """Anything drawn in each frame, from the farthest to the nearest."""

    def covers(self, camera: Camera, t: float) -> int:
        """Give the row from which this hides everything behind it; the frame's height where it hides nothing."""
        ...

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:
        """Draw the moment `t`; rows from `stop` on will be hidden anyway."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """`unit` is the measure of all sizes on the set, `horizon` a row, `margin` what is painted beyond the frame."""

    scene: Scene
    width: int
    height: int
    unit: float
    horizon: float
    margin: int
    period: int
    palette: Palette
    light: Light

    def rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.scene.seed, crc32(purpose.encode())])

    def paper(self, top: float, bottom: float | None = None, period: int | None = None) -> Paper:
        low = self.height + self.margin if bottom is None else bottom
        return Paper(period or self.period, int(top), int(low), self.palette.graded)

    @property
    def portrait(self) -> bool:
        return self.height > self.width

    @property
    def ground(self) -> float:
        """The row on which subjects stand, at depth 0.8."""
        share = 0.52 if not self.portrait else 0.5
        return self.horizon + (self.height - self.horizon) * share


def set_stage(scene: Scene, width: int, height: int) -> Stage:
    rng = np.random.default_rng([scene.seed, 11])
    unit = min(width, 1.1 * height, 1.25 * width)
    share = _HORIZON[scene.place] + (0.035 if height > width else 0.0) + rng.uniform(-0.04, 0.03)
    horizon = height * share
    return Stage(
        scene=scene,
        width=width,
        height=height,
        unit=unit,
        horizon=horizon,
        margin=int(height * 0.11) & ~1,
        period=int(width * 1.25) & ~3,
        palette=palette_of(scene, rng),
        light=_light(scene, rng, (width, height, unit, horizon)),
    )


def camera_of(scene: Scene, stage: Stage, track: float) -> Camera:
    roam = not scene.subjects or bool(_GOING & set(scene.actions))
    return Camera(
        move=scene.camera,
        width=stage.width,
        height=stage.height,
        centre=(stage.width / 2, min(stage.horizon, stage.height * 0.66)),
        roam=roam,
        track=track,
    )


def _light(scene: Scene, rng: np.random.Generator, size: tuple[float, float, float, float]) -> Light:
    width, height, unit, horizon = size
    side = -1 if chance(rng, 0.5) else 1
    away = rng.uniform(0.12, 0.32)
    neon = scene.mood == "neon" and scene.place == "city"
    x = width * (0.5 + side * (rng.uniform(0.0, 0.12) if neon else away))
    low = scene.time in {"dawn", "sunset"} and scene.place in {"mountain", "snow_mountain"}
    y = horizon * ((0.56 if low else _SKY_LIGHT[scene.time]) + rng.uniform(-0.05, 0.05))
    if height > width and scene.time in {"day", "night"}:
        y = horizon * rng.uniform(0.3, 0.45)
    radius = unit * rng.uniform(0.04, 0.055)
    if neon:
        radius, y = unit * rng.uniform(0.19, 0.26), horizon * 0.62
    shown = scene.weather in {"clear", "cloudy"} and scene.time != "dusk"
    return Light(x=x, y=y, radius=radius, shown=shown)
