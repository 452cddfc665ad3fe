"""Where guests find room in a picture without hiding each other, what was there before, or the words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filmgate.animatic.camera import Camera
from filmgate.animatic.overlay import worded
from filmgate.animatic.staging import Actor

# Moments that tell where somebody who moves is to be met.
_LOOKS_S = (0.0, 2.0, 4.0, 6.0, 8.0)
_COLUMNS, _ROWS = 17, 7
_CROWDING = 8.0
_EQUAL = 1e-9
_FIELD_S = tuple(range(0, 17, 2))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the frame."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def wide(self) -> float:
        return self.right - self.left

    @property
    def tall(self) -> float:
        return self.bottom - self.top

    def grown(self, by: float) -> "Box":
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def shared(self, other: "Box") -> float:
        """Give the area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)


def taken(actors: Iterable[Actor], camera: Camera) -> list[Box]:
    """Give the rooms that the company of a scene takes."""
    return [_met(actor, camera) for actor in actors]


def place(
    wished: tuple[float, float], size: tuple[float, float], field: Box, others: Sequence[Box]
) -> tuple[tuple[float, float], float]:
    """Find the middle for a guest near where it is wished, wholly in the field and least in the way.

    The second value is what that costs: how far off it is, and how much it hides.
    """
    wide, tall = size
    best, least = wished, float("inf")
    for x in _steps(field.left + wide / 2, field.right - wide / 2, _COLUMNS):
        for y in _steps(field.top + tall / 2, field.bottom - tall / 2, _ROWS):
            box = boxed((x, y), size)
            hidden = sum(box.shared(other) for other in others) / (wide * tall)
            off = abs(x - wished[0]) / field.wide + abs(y - wished[1]) / field.tall
            cost = hidden * _CROWDING + off
            if cost < least - _EQUAL:
                best, least = (x, y), cost
    return best, least


def boxed(middle: tuple[float, float], size: tuple[float, float]) -> Box:
    (x, y), (wide, tall) = middle, size
    return Box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)


def free_field(camera: Camera, depth: float, *, follows: bool) -> Box:
    """Give the part of the set that stays in the frame, clear of its border, the mark and a caption.

    What follows the camera is moved by no pan, but what comes near grows all the same.
    """
    top, bottom = worded(camera.width, camera.height)
    side, (x, y) = camera.width * 0.03, camera.centre
    views = [camera.view(depth, t) for t in _FIELD_S]
    zoom = max(view.zoom for view in views)
    pans = [0.0 if follows else view.x for view in views]
    return Box(
        x + (side - x) / zoom + max(pans),
        y + (top - y) / zoom,
        x + (camera.width - side - x) / zoom + min(pans),
        y + (bottom - y) / zoom,
    )


def _met(actor: Actor, camera: Camera) -> Box:
    boxes = []
    for t in _LOOKS_S:
        own, view = actor.motion(t), camera.view(actor.depth, t)
        x, y = camera.placed(own.x + (view.x if actor.follows else 0.0), own.y, view)
        wide, tall = actor.cutout.width * view.zoom, actor.cutout.height * view.zoom
        boxes.append(Box(x - wide / 2, y - tall, x + wide / 2, y))
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _steps(low: float, high: float, count: int) -> list[float]:
    if high <= low:
        return [(low + high) / 2]
    return [low + (high - low) * step / (count - 1) for step in range(count)]
