"""Where the camera stands at any moment: a pure function of time, without end and without a jump."""

import math
from dataclasses import dataclass

_ZOOM = 0.5
# Where nothing stands that could outgrow the frame, the camera goes in deeper.
_DEEP_ZOOM = 0.85
_SETTLE_S = 8.0
_FAR = 0.1


@dataclass(frozen=True, slots=True)
class View:
    """How one depth is seen: shifted by (x, y) pixels, then enlarged by `zoom` around the vanishing point."""

    x: float
    y: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Camera:
    """`roam` is whether it may travel on for ever; otherwise it stays around what stands in the middle.

    `track` is the speed of a company that it follows, in widths a second.
    """

    move: str
    width: int
    height: int
    centre: tuple[float, float]
    roam: bool
    track: float = 0.0

    def view(self, depth: float, t: float) -> View:
        """Depth runs from 0, the sky, to 1, the nearest sheet."""
        near = settled(t)
        # What is far keeps its size, and so costs no enlarging.
        close = max(0.0, depth - _FAR) / (1 - _FAR)
        reach = _DEEP_ZOOM if self.roam and not self.track else _ZOOM
        x = self._travel(t) * depth
        y, zoom = 0.0, 1.0
        if self.move in {"dolly_in", "aerial"}:
            zoom = 1 + reach * close * near
        elif self.move == "dolly_out":
            zoom = 1 + reach * close * (1 - near)
        if self.move == "aerial":
            y = -0.05 * self.height * depth * near
        elif self.move == "tilt_up":
            y = self.height * 0.09 * (1 - 2 * near) * (0.35 + 0.65 * depth)
        elif self.move == "tilt_down":
            y = self.height * 0.09 * (2 * near - 1) * (0.35 + 0.65 * depth)
        return View(x, y, zoom)

    def placed(self, x: float, y: float, view: View) -> tuple[float, float]:
        """Give a point of the set as a point of the frame."""
        px, py = self.centre
        return (x - view.x - px) * view.zoom + px, (y - view.y - py) * view.zoom + py

    def _travel(self, t: float) -> float:
        if self.track:
            return (-1.0 if self.move == "pan_left" else 1.0) * self.width * self.track * t
        if self.move in {"pan_right", "pan_left"}:
            way = 1.0 if self.move == "pan_right" else -1.0
            if self.roam:
                return way * self.width * 0.032 * t
            return way * self.width * 0.085 * math.sin(2 * math.pi * (t - 4.0) / 34.0)
        return self.width * 0.008 * math.sin(2 * math.pi * t / 26.0)


def settled(t: float) -> float:
    """From 0 towards 1, fast at first and never quite there."""
    return t / (t + _SETTLE_S)
