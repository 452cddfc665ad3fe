"""Pictures as planar YUV 4:2:0, BT.709, limited range: the format that the encoder takes without a copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

U8: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.floating]
RGB: TypeAlias = tuple[float, float, float]

_TO_YUV = np.array(
    [
        [0.2126 * 219, 0.7152 * 219, 0.0722 * 219],
        [-0.2126 / 1.8556 * 224, -0.7152 / 1.8556 * 224, 0.9278 / 1.8556 * 224],
        [0.7874 / 1.5748 * 224, -0.7152 / 1.5748 * 224, -0.0722 / 1.5748 * 224],
    ],
    dtype=np.float32,
)
_OFFSET = np.array([16.0, 128.0, 128.0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the film: `y`, `u` and `v` are views into `buffer`, `scratch` is room for work."""

    width: int
    height: int
    buffer: U8
    y: U8
    u: U8
    v: U8
    scratch: tuple[U8, U8]


@dataclass(frozen=True, slots=True)
class Patch:
    """Colours already multiplied by alpha, and what remains of the picture behind (255 - alpha)."""

    y: U8
    u: U8
    v: U8
    keep: U8
    keep_half: U8


def blank_frame(width: int, height: int, scratch: tuple[U8, U8]) -> Frame:
    luma, chroma = width * height, width * height // 4
    flat = np.zeros(luma + 2 * chroma, dtype=np.uint8)
    half = (height // 2, width // 2)
    return Frame(
        width=width,
        height=height,
        buffer=flat.reshape(height * 3 // 2, width),
        y=flat[:luma].reshape(height, width),
        u=flat[luma : luma + chroma].reshape(half),
        v=flat[luma + chroma :].reshape(half),
        scratch=scratch,
    )


def yuv(rgb: Field | RGB | Sequence[float]) -> Field:
    """Colours 0 to 1 in the last axis become Y, U, V on the scale of bytes, not rounded."""
    values = np.asarray(rgb, dtype=np.float32)
    return values @ _TO_YUV.T + _OFFSET


def to_bytes(values: Field) -> U8:
    return cast("U8", np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8))


def halved(plane: Field) -> Field:
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    return cast("Field", cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA))


def premultiplied(colours: tuple[Field, Field, Field], alpha: Field) -> Patch:
    """Pack a full-size Y and half-size U, V under a full-size alpha of 0 to 1; sides are even."""
    y, u, v = colours
    half = halved(alpha)
    return Patch(
        y=to_bytes(y * alpha),
        u=to_bytes(u * half),
        v=to_bytes(v * half),
        keep=to_bytes(np.float32(255) - alpha * np.float32(255)),
        keep_half=to_bytes(np.float32(255) - half * np.float32(255)),
    )


def patch_of(rgb: Field, alpha: Field) -> Patch:
    """Pack a picture (height x width x 3, 0 to 1) under its alpha; odd sides lose nothing, they gain a clear row."""
    height, width = alpha.shape
    pad = ((0, height % 2), (0, width % 2))
    clear = np.pad(alpha, pad)
    planes = yuv(np.pad(rgb, (*pad, (0, 0)), mode="edge"))
    weighted = [halved(planes[..., k] * clear) for k in (1, 2)]
    half = halved(clear)
    return Patch(
        y=to_bytes(planes[..., 0] * clear),
        u=to_bytes(weighted[0]),
        v=to_bytes(weighted[1]),
        keep=to_bytes(np.float32(255) - clear * np.float32(255)),
        keep_half=to_bytes(np.float32(255) - half * np.float32(255)),
    )


def blend(under: U8, over: U8, keep: U8) -> None:
    cv2.multiply(under, keep, under, scale=1 / 255)
    cv2.add(under, over, under)


def lay(frame: Frame, patch: Patch, left: int, top: int) -> None:
    """Blend a patch with its corner on whole, even pixels, cut at the border of the frame."""
    left, top = left & ~1, top & ~1
    height, width = patch.y.shape
    x0, x1 = max(left, 0), min(left + width, frame.width)
    y0, y1 = max(top, 0), min(top + height, frame.height)
    if x0 >= x1 or y0 >= y1:
        return
    rows, cols = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    blend(frame.y[y0:y1, x0:x1], patch.y[rows, cols], patch.keep[rows, cols])
    half_rows, half_cols = slice((y0 - top) // 2, (y1 - top) // 2), slice((x0 - left) // 2, (x1 - left) // 2)
    below = (slice(y0 // 2, y1 // 2), slice(x0 // 2, x1 // 2))
    keep = patch.keep_half[half_rows, half_cols]
    blend(frame.u[below], patch.u[half_rows, half_cols], keep)
    blend(frame.v[below], patch.v[half_rows, half_cols], keep)


def faded(patch: Patch, strength: float) -> Patch:
    """Make the patch more transparent: a strength of 0 leaves nothing of it."""
    share = float(min(max(strength, 0.0), 1.0))
    return Patch(
        y=cast("U8", cv2.convertScaleAbs(patch.y, alpha=share)),
        u=cast("U8", cv2.convertScaleAbs(patch.u, alpha=share)),
        v=cast("U8", cv2.convertScaleAbs(patch.v, alpha=share)),
        keep=cast("U8", cv2.convertScaleAbs(patch.keep, alpha=share, beta=255 * (1 - share))),
        keep_half=cast("U8", cv2.convertScaleAbs(patch.keep_half, alpha=share, beta=255 * (1 - share))),
    )
