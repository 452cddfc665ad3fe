"""What the lens does to the whole picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.planes import U8, Field, Frame, to_bytes

_DARKEST = 0.2
_AIR_DEPTH = 0.06


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


@dataclass(frozen=True, slots=True)
class Beams:
    """Light in the air, only ever added to what is there; it repeats every `period` columns and drifts sideways."""

    field: U8
    top: int
    period: int
    drift: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:
        view = camera.view(_AIR_DEPTH, t)
        left = (view.x - self.drift * t) % self.period
        last = min(frame.height, stop, self.top + self.field.shape[0])
        light = frame.scratch[0][: last * frame.width].reshape(last, frame.width)
        middle = (left + (frame.width - 1) / 2, view.y - self.top + (last - 1) / 2)
        cv2.getRectSubPix(self.field, (frame.width, last), middle, light)
        cv2.add(frame.y[:last], light, frame.y[:last])


def beams(half: Field, top: int, drift: float, room: int) -> Beams:
    """Make beams from a field of half size whose columns meet; 1 is as bright as light gets."""
    height, width = half.shape[0] * 2, half.shape[1] * 2
    full = cv2.resize(
        half.astype(np.float32) * np.float32(255), (width, height), interpolation=cv2.INTER_LINEAR
    )
    wide = np.concatenate([full, full[:, : room + 4]], axis=1)
    return Beams(to_bytes(wide), top, width, drift)
