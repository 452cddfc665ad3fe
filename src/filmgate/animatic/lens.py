"""What the lens does to the whole picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.planes import U8, Frame, to_bytes

_DARKEST = 0.2


@dataclass(frozen=True, slots=True)
class Vignette:
    """Corners a little darker than the middle, so that the eye stays with the subject."""

    field: U8

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        cv2.multiply(frame.y, self.field, frame.y, scale=1 / 255)


def vignette(width: int, height: int) -> Vignette:
    x = np.linspace(-1, 1, width, dtype=np.float32).reshape(1, -1)
    y = np.linspace(-1, 1, height, dtype=np.float32).reshape(-1, 1)
    away = np.clip((x**2 * 0.62 + y**2 * 0.5) - np.float32(0.3), 0, 1) ** np.float32(1.4)
    return Vignette(to_bytes(255 * (1 - np.float32(_DARKEST) * away)))
