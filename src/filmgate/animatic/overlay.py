"""What lies over the picture: the caption at its beginning, and the mark that never leaves."""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.lettering import line, wrap
from filmgate.animatic.planes import RGB, Frame, Patch, faded, lay, patch_of

_CAPTION_IN_S, _CAPTION_HOLD_S, _CAPTION_GONE_S = 0.5, 3.6, 4.2
_WHITE: RGB = (0.97, 0.97, 0.95)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A patch at a fixed place of the frame; with `since`, the moment it begins at, it comes and goes as a caption does."""

    patch: Patch
    left: int
    top: int
    since: float | None

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        strength = 1.0 if self.since is None else _presence(t - self.since)
        if strength > 0:
            lay(frame, self.patch if strength >= 1 else faded(self.patch, strength), self.left, self.top)


def caption(text: str, width: int, height: int, since: float = 0.0) -> Overlay | None:
    """At most two lines on a soft dark plate, so that it reads over flowers and snow alike, from `since` on."""
    size = max(10, round(min(width, height) * 0.036))
    rows = [line(part, size) for part in wrap(" ".join(text.split()), size, round(width * 0.78))]
    rows = [row for row in rows if row.size]
    if not rows:
        return None
    gap, pad = round(size * 0.35), round(size * 0.75)
    wide = max(row.shape[1] for row in rows) + 2 * pad + size
    tall = sum(row.shape[0] for row in rows) + gap * (len(rows) - 1) + round(1.3 * pad)
    ink = np.zeros((tall, wide), dtype=np.float32)
    y = round(0.65 * pad)
    for row in rows:
        x = (wide - row.shape[1]) // 2
        ink[y : y + row.shape[0], x : x + row.shape[1]] = row.astype(np.float32) / 255
        y += row.shape[0] + gap
    patch = _plate(ink, 0.5, tall * (0.5 if len(rows) == 1 else 0.3))
    bottom = height - round(height * 0.055)
    return Overlay(patch, (width - wide) // 2, bottom - tall, since)


def mark(width: int, height: int) -> Overlay:
    size = max(7, round(min(width, height) * 0.02))
    row = line("ANIMATIC", size)
    pad = round(size * 0.8)
    tall, wide = row.shape[0] + round(pad * 0.9), row.shape[1] + 2 * pad
    ink = np.zeros((tall, wide), dtype=np.float32)
    y = (tall - row.shape[0]) // 2
    ink[y : y + row.shape[0], pad : pad + row.shape[1]] = row.astype(np.float32) / 255
    gap = round(min(width, height) * 0.025)
    return Overlay(_plate(ink * np.float32(0.92), 0.42, tall / 2), width - wide - gap, gap, None)


def worded(width: int, height: int) -> tuple[int, int]:
    """Give the rows between the mark and the tallest caption."""
    short = min(width, height)
    return round(short * 0.075), round(height * 0.945 - short * 0.125)


def _plate(ink: np.ndarray, dark: float, radius: float) -> Patch:
    tall, wide = ink.shape
    scale = 4
    plate = np.zeros((tall * scale, wide * scale), dtype=np.uint8)
    round_px = int(radius * scale)
    cv2.rectangle(plate, (round_px, 0), (wide * scale - round_px - 1, tall * scale - 1), 255, -1)
    cv2.rectangle(plate, (0, round_px), (wide * scale - 1, tall * scale - round_px - 1), 255, -1)
    for x in (round_px, wide * scale - round_px - 1):
        for y in (round_px, tall * scale - round_px - 1):
            cv2.circle(plate, (x, y), round_px, 255, -1)
    shade = cv2.resize(plate, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(
        dark / 255
    )
    alpha = ink + (1 - ink) * shade
    share = (ink / np.maximum(alpha, np.float32(1e-3)))[..., None]
    rgb = np.array((0.05, 0.06, 0.1), np.float32) * (1 - share) + np.array(_WHITE, np.float32) * share
    return patch_of(rgb, alpha)


def _presence(t: float) -> float:
    if not 0 <= t < _CAPTION_GONE_S:
        return 0.0
    rise = min(1.0, t / _CAPTION_IN_S)
    fall = min(1.0, (_CAPTION_GONE_S - t) / (_CAPTION_GONE_S - _CAPTION_HOLD_S))
    share = min(rise, fall)
    return share * share * (3 - 2 * share)
