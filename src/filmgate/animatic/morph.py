"""From a first picture to a last one: what they share is pulled along, else light sweeps the one away."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.gleam import air, risen
from filmgate.animatic.kinship import Kinship, Shift, kinship_of, take_along
from filmgate.animatic.noise import clouds
from filmgate.animatic.picture import Planes, covering
from filmgate.animatic.planes import U8, Field, Frame, blank_frame, to_bytes
from filmgate.animatic.stage import Element, Stage

_STILL_S = 0.35
# How near the middle of the film both pictures come close: it breathes in there, and out again.
_BREATH = 0.055
_LIGHT, _WARMTH = 58.0, 12.0
_STEPS = np.arange(256, dtype=np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True)
class Change:
    """The share of the way at which the change begins and ends, how wide its front is, and whether that shines."""

    opens: float
    closes: float
    soft: float
    shines: bool


_PULLED = Change(0.12, 0.88, 2.2, shines=False)
_SWEPT = Change(0.08, 0.92, 0.2, shines=True)


@dataclass(frozen=True, slots=True)
class Morph:
    """`front` says when the last picture takes each pixel: 0 first of all, 255 last; `room` is for work."""

    first: Planes
    last: Planes
    front: tuple[U8, U8]
    kinship: Kinship
    seconds: float
    room: Frame

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return 0

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        way = self._way(t)
        if way in {0.0, 1.0}:
            (self.first if way == 0 else self.last).show(frame)
            return
        zoom = 1 + _BREATH * math.sin(math.pi * way) ** 2
        if self.kinship.close:
            self._pull(frame, way, zoom)
        else:
            self._sweep(frame, way, zoom)

    def _way(self, t: float) -> float:
        """From 0, the first picture, to 1, the last one, both held for a moment."""
        still = min(_STILL_S, self.seconds / 5)
        share = min(1.0, max(0.0, (t - still) / (self.seconds - 2 * still)))
        return share * share * (3 - 2 * share)

    def _pull(self, frame: Frame, way: float, zoom: float) -> None:
        share = _share(_PULLED, way)
        if share < 1:
            _taken(self.first, frame, self.kinship.to_first, way, zoom)
        if share > 0:
            out = self.room if share < 1 else frame
            _taken(self.last, out, self.kinship.to_last, 1 - way, zoom)
        if 0 < share < 1:
            _change(frame, (self.room.y, self.room.u, self.room.v), self.front, share, _PULLED)

    def _sweep(self, frame: Frame, way: float, zoom: float) -> None:
        share = _share(_SWEPT, way)
        shown, room = (self.first if share < 1 else self.last), self.room
        if 0 < share < 1:
            shown.show(room)
            _change(room, (self.last.y, self.last.u, self.last.v), self.front, share, _SWEPT)
            shown = Planes(room.y, room.u, room.v)
        for source, out in ((shown.y, frame.y), (shown.u, frame.u), (shown.v, frame.v)):
            height, width = out.shape
            x, y = (width - 1) / 2 * (1 - zoom), (height - 1) / 2 * (1 - zoom)
            matrix = np.array(((zoom, 0, x), (0, zoom, y)))
            cv2.warpAffine(source, matrix, (width, height), out, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)


def morphed(stage: Stage, pair: tuple[Path, Path], seconds: float) -> list[Element]:
    """Give a film that is the first picture at 0 and the last one at `seconds`."""
    begin, end = (covering(path, stage.width, stage.height) for path in pair)
    rng = stage.rng("pair")
    front = to_bytes(_front(rng, stage, end.y) * np.float32(255))
    half = cv2.resize(front, (stage.width // 2, stage.height // 2), interpolation=cv2.INTER_AREA)
    scratch = np.zeros(0, dtype=np.uint8)
    morph = Morph(
        first=begin,
        last=end,
        front=(front, cast("U8", half)),
        kinship=kinship_of(begin.y, end.y),
        seconds=seconds,
        room=blank_frame(stage.width, stage.height, (scratch, scratch)),
    )
    return [morph, *air(stage, rng, lambda t: min(risen(t), risen(seconds - t)))]


def _share(change: Change, way: float) -> float:
    return min(1.0, max(0.0, (way - change.opens) / (change.closes - change.opens)))


def _taken(planes: Planes, out: Frame, shift: Shift, share: float, zoom: float) -> None:
    for source, target in ((planes.y, out.y), (planes.u, out.u), (planes.v, out.v)):
        take_along(source, target, shift, share, zoom)


def _change(
    frame: Frame, last: tuple[U8, U8, U8], front: tuple[U8, U8], share: float, change: Change
) -> None:
    """Blend the last picture in, behind the front that passes over the frame."""
    passed = np.clip((share * (1 + change.soft) - _STEPS) / np.float32(change.soft), 0, 1)
    passed = passed * passed * (3 - 2 * passed)
    table = to_bytes(passed * np.float32(255))
    for under, over, when in zip(
        (frame.y, frame.u, frame.v), last, (front[0], front[1], front[1]), strict=True
    ):
        cover = cast("U8", cv2.LUT(when, table))
        cv2.add(
            cv2.multiply(under, cv2.bitwise_not(cover), scale=1 / 255),
            cv2.multiply(over, cover, scale=1 / 255),
            under,
        )
    if change.shines:
        _shine(frame, front, passed * (1 - passed) * np.float32(4 * math.sin(math.pi * share)))


def _shine(frame: Frame, front: tuple[U8, U8], rim: Field) -> None:
    """Warm light along the front."""
    cv2.add(frame.y, cv2.LUT(front[0], to_bytes(rim * np.float32(_LIGHT))), frame.y)
    warm = cv2.LUT(front[1], to_bytes(rim * np.float32(_WARMTH)))
    cv2.subtract(frame.u, warm, frame.u)
    cv2.add(frame.v, warm, frame.v)


def _front(rng: np.random.Generator, stage: Stage, last: U8) -> Field:
    """Draw a ragged wave from the side of the light, and a little earlier where the last picture is bright."""
    size = 256
    x, y = np.meshgrid(np.linspace(0, 1, size, dtype=np.float32), np.linspace(0, 1, size, dtype=np.float32))
    if stage.light.x > stage.width / 2:
        x = 1 - x
    ragged = clouds(rng, (size, size), (3, 2), 4, 0.6)
    bright = cv2.GaussianBlur(cv2.resize(last, (size, size), interpolation=cv2.INTER_AREA), (0, 0), 5)
    when = np.float32(0.8) * x + np.float32(0.25) * y + ragged * np.float32(0.55)
    when -= bright.astype(np.float32) * np.float32(0.2 / 255)
    # Ranks instead of values: the front takes as much of the frame in each moment as in any other.
    even = np.empty(size * size, dtype=np.float32)
    even[when.ravel().argsort(kind="stable")] = np.linspace(0, 1, size * size, dtype=np.float32)
    return cast(
        "Field",
        cv2.resize(even.reshape(size, size), (stage.width, stage.height), interpolation=cv2.INTER_CUBIC).clip(
            0, 1
        ),
    )
