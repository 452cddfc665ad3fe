"""What gives a still picture air: a light that wanders over it, and dust in that light."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.noise import clouds, smooth_step
from filmgate.animatic.planes import U8, Frame, to_bytes
from filmgate.animatic.stage import Element, Stage
from filmgate.animatic.swarms import Mote, dust

_MOTES = 22
_RISE_S = 1.6

Strength = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Gleam:
    """Soft light over the picture, as strong as `strength` says of each moment."""

    field: U8
    strength: Strength

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        strength = self.strength(t)
        if strength <= 0:
            return
        room = self.field.shape[1] - frame.width
        left = room * (0.5 - 0.5 * np.cos(t * 0.16))
        light = frame.scratch[0].reshape(frame.height, frame.width)
        cv2.getRectSubPix(
            self.field, (frame.width, frame.height), (left + frame.width / 2, frame.height / 2), light
        )
        cv2.addWeighted(frame.y, 1.0, light, strength, 0.0, frame.y)


def air(stage: Stage, rng: np.random.Generator, strength: Strength) -> list[Element]:
    """Give the light and the dust, none of which shows where `strength` is 0."""
    motes = dust(stage, _MOTES)

    def course(index: int, t: float) -> Mote:
        mote = motes.course(index, t)
        return Mote(mote.at, mote.strength * strength(t))

    return [Gleam(_field(stage, rng), strength), replace(motes, course=course)]


def risen(t: float) -> float:
    """From 0 to 1 while a picture begins to move."""
    share = min(1.0, max(0.0, t / _RISE_S))
    return share * share * (3 - 2 * share)


def _field(stage: Stage, rng: np.random.Generator) -> U8:
    width, height = int(stage.width * 1.5) & ~1, stage.height
    slant = np.arange(height, dtype=np.float32).reshape(-1, 1) * np.float32(0.6)
    x = (np.arange(width, dtype=np.float32).reshape(1, -1) + slant) / np.float32(stage.width)
    bars = np.exp(-(((x - 0.75) / 0.24) ** 2)) + np.float32(0.6) * np.exp(-(((x - 1.35) / 0.12) ** 2))
    soft = smooth_step(0.2, 0.8, clouds(rng, (width // 8, height // 8), (3, 3), 2))
    wide = cv2.resize(soft.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return to_bytes(np.asarray(bars * (np.float32(0.5) + np.float32(0.5) * wide) * 17, dtype=np.float32))
