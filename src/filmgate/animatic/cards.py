"""Reference pictures as paper cards that hang in the scene on threads."""

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from PIL import Image, ImageOps

from filmgate.animatic.camera import Camera
from filmgate.animatic.cutouts import Placing, paste
from filmgate.animatic.palette import mix
from filmgate.animatic.picture import colours
from filmgate.animatic.planes import Field, Frame, Patch, patch_of
from filmgate.animatic.stage import Stage

DEPTH = 0.45
# The card is made larger than it hangs at first, for a camera that comes near.
_STRETCH = 1.12
_TILT = math.radians(3.0)
_BORDER, _ROUND, _ROOM = 0.035, 0.05, 0.1
_PAPER = (0.985, 0.975, 0.95)
_SHADE = 0.42
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Card:
    """`pin` is where the thread holds the patch, `at` the same point in the frame at rest."""

    patch: Patch
    pin: tuple[float, float]
    at: tuple[float, float]
    tilt: float
    phase: float
    unit: float
    thread: int

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view = camera.view(DEPTH, t)
        x, y = camera.placed(self.at[0] + view.x, self.at[1] + view.y, view)
        swing = math.sin(0.62 * t + self.phase)
        x += self.unit * 0.012 * swing
        y += self.unit * 0.004 * math.sin(0.41 * t + 2 * self.phase)
        scale = view.zoom / _STRETCH
        self._hang(frame, (x, y))
        turn = self.tilt + 0.014 * math.sin(0.62 * t + self.phase - 0.7)
        paste(frame, self.patch, self.pin, Placing(x, y, turn, scale, scale))

    def _hang(self, frame: Frame, pin: tuple[float, float]) -> None:
        x, y = (round(value * (1 << _SHIFT)) for value in pin)
        top = round((pin[0] * 0.985 + self.at[0] * 0.015) * (1 << _SHIFT))
        thick = max(1, round(self.unit * 0.0016))
        cv2.line(frame.y, (top, -64), (x, y), self.thread, thick, cv2.LINE_AA, _SHIFT)


def card(
    stage: Stage, image: Image.Image, size: tuple[float, float], middle: tuple[float, float], index: int
) -> Card:
    """Make a card of this size in pixels, border included, around a point of the frame."""
    wide, tall = (max(8, round(side * _STRETCH)) for side in size)
    patch, room = _printed(stage, image, (wide, tall))
    hole = tall * 0.022
    pin = (room + wide / 2, room + hole)
    at = (middle[0], middle[1] - tall / _STRETCH / 2 + hole / _STRETCH)
    return Card(
        patch=patch,
        pin=pin,
        at=at,
        tilt=_TILT * (1 if index % 2 else -1),
        phase=float(stage.rng(f"card {index}").uniform(0, math.tau)),
        unit=stage.unit,
        thread=150 if stage.palette.dark else 96,
    )


def card_size(image: Image.Image, room: tuple[float, float]) -> tuple[float, float]:
    """Give the largest card with the whole picture that fits into a room; a very long one is cut at its ends."""
    if image.mode == "RGBA":
        scale = min(room[0] / image.width, room[1] / image.height)
        return image.width * scale, image.height * scale
    shape = min(max(image.width / image.height, 0.5), 2.2)
    border = _BORDER * 2 * min(room)
    tall = min(room[1] - border, (room[0] - border) / shape)
    return tall * shape + border, tall + border


def _printed(stage: Stage, image: Image.Image, size: tuple[int, int]) -> tuple[Patch, int]:
    """Give the card with its shadow, and the room that the shadow has on each side."""
    short = min(size)
    room = max(8, round(short * _ROOM)) & ~1
    if image.mode == "RGBA":
        shaped = colours(image.resize(size, Image.Resampling.LANCZOS))
        sheet, cover = shaped[..., :3], shaped[..., 3]
    else:
        sheet, cover = _framed(stage, image, size), _rounded(size, short * _ROUND)
    lit, alpha = _lit(stage, sheet), np.pad(cover, room)
    way = 1.0 if stage.light.x < stage.width / 2 else -1.0
    fall = np.array([[1, 0, way * room * 0.22], [0, 1, room * 0.34]])
    moved = cv2.warpAffine(alpha, fall, (size[0] + 2 * room, size[1] + 2 * room))
    shadow = cv2.GaussianBlur(moved, (0, 0), room * 0.24) * np.float32(_SHADE)
    together = alpha + (1 - alpha) * shadow
    own = (alpha / np.maximum(together, np.float32(1e-3)))[..., None]
    dark = np.array(stage.palette.wash, dtype=np.float32) * np.float32(0.22)
    spread = np.pad(lit, ((room, room), (room, room), (0, 0)), mode="edge")
    return patch_of(dark + (spread - dark) * own, together), room


def _framed(stage: Stage, image: Image.Image, size: tuple[int, int]) -> Field:
    """Put the picture on paper that is a little larger."""
    wide, tall = size
    border = max(2, round(min(size) * _BORDER))
    fibre = stage.rng("paper").normal(0, 1, (tall, wide, 1)) * 0.008
    sheet = np.array(_PAPER, dtype=np.float32) + fibre.astype(np.float32)
    inner = (wide - 2 * border, tall - 2 * border)
    sheet[border : tall - border, border : wide - border] = colours(
        ImageOps.fit(image, inner, Image.Resampling.LANCZOS)
    )
    return cast("Field", sheet)


def _lit(stage: Stage, sheet: Field) -> Field:
    """Give the card the light of the scene, but leave the picture its colours."""
    tint = np.array(mix((1.0, 1.0, 1.0), stage.palette.sprite, 0.5), dtype=np.float32)
    down = np.linspace(1.03, 0.95, sheet.shape[0], dtype=np.float32).reshape(-1, 1, 1)
    shown = np.clip(sheet * tint * down, 0, 1)
    return cast("Field", shown + (stage.palette.graded(shown) - shown) * np.float32(0.4))


def _rounded(size: tuple[int, int], radius: float) -> Field:
    """Give the cover of a rectangle with round corners, smooth at its edge."""
    wide, tall = size
    x = np.abs(np.arange(wide, dtype=np.float32) - np.float32((wide - 1) / 2)) - np.float32(wide / 2 - radius)
    y = np.abs(np.arange(tall, dtype=np.float32) - np.float32((tall - 1) / 2)) - np.float32(tall / 2 - radius)
    out = np.hypot(np.maximum(x, 0).reshape(1, -1), np.maximum(y, 0).reshape(-1, 1))
    return cast("Field", np.clip(np.float32(radius) - out + np.float32(0.5), 0, 1))
