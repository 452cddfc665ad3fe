"""A film from one picture: a slow push into it, light and dust drifting over it."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.camera import Camera
from filmgate.animatic.gleam import air, risen
from filmgate.animatic.picture import Planes, covering
from filmgate.animatic.planes import Frame
from filmgate.animatic.stage import Element, Stage

_PUSH = 0.13


@dataclass(frozen=True, slots=True)
class Print:
    """The picture as planes of the frame's size; at the moment 0 it is shown exactly as it is."""

    planes: Planes
    aim: tuple[float, float]
    lean: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return 0

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        planes = self.planes
        if t <= 0:
            planes.show(frame)
            return
        for source, out in ((planes.y, frame.y), (planes.u, frame.u), (planes.v, frame.v)):
            height, width = out.shape
            matrix = self._matrix(width, height, t)
            cv2.warpPerspective(source, matrix, (width, height), out, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)

    def _matrix(self, width: int, height: int, t: float) -> NDArray[np.float64]:
        near = pushed(t)
        zoom = 1 + _PUSH * near
        x, y = (width * self.aim[0], height * self.aim[1])
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        moved = (corners - np.array([x, y], np.float32)) * np.float32(zoom) + np.array([x, y], np.float32)
        # The tilt only ever moves corners outwards, so no border comes into view.
        tilt = np.float32(width * 0.02 * near)
        moved[:2, 0] += np.array([-tilt, tilt], np.float32) * np.float32(max(self.lean, 0.0))
        moved[2:, 0] += np.array([tilt, -tilt], np.float32) * np.float32(max(-self.lean, 0.0))
        return cast("NDArray[np.float64]", cv2.getPerspectiveTransform(corners, moved))


def pushed_into(stage: Stage, path: Path) -> list[Element]:
    rng = stage.rng("picture")
    planes = covering(path, stage.width, stage.height)
    aim = (float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.38, 0.55)))
    lean = float(rng.choice((-1.0, 1.0)))
    return [Print(planes, aim, lean), *air(stage, rng, risen)]


def pushed(t: float) -> float:
    """From 0 towards 1, starting and ending at rest."""
    return t * t / (t * t + 14.0)
