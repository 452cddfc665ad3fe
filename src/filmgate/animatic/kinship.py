"""How much two pictures show the same, and where each part of the one lies in the other."""

from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.planes import U8, Field

# The sides are compared at this many pixels whatever the frame's size, so that every size shows the same film.
_LONG_SIDE = 320
_FARTHEST = 0.1
_WINDOW_PX = 6.0
_SMOOTH_PX = 4.0
_CLOSE = 0.6

# Across and down, as shares of the width.
Shift: TypeAlias = tuple[Field, Field]


@dataclass(frozen=True, slots=True)
class Kinship:
    """`likeness` runs to 1 for the same view, moved; shifts are shares of the width, over a coarse grid.

    The first picture, taken at each point plus its `to_first`, looks as the last one, and the other way round.
    """

    likeness: float
    to_first: Shift
    to_last: Shift

    @property
    def close(self) -> bool:
        return self.likeness >= _CLOSE


def kinship_of(first: U8, last: U8) -> Kinship:
    """Compare the light of two pictures of one size."""
    height, width = first.shape
    scale = _LONG_SIDE / max(width, height)
    size = (max(32, round(width * scale)), max(32, round(height * scale)))
    a, b = (cast("U8", cv2.resize(plane, size, interpolation=cv2.INTER_AREA)) for plane in (first, last))
    to_first, to_last = _flow(b, a), _flow(a, b)
    moved = np.empty_like(a)
    take_along(a, moved, to_first, 1.0)
    likeness = _likeness(moved, b)
    return Kinship(likeness, to_first, to_last)


def take_along(source: U8, out: U8, shift: Shift, share: float, zoom: float = 1.0) -> None:
    """Take each pixel from where `share` of its shift points, enlarged around the middle."""
    height, width = out.shape
    across, down = (
        cast("NDArray[np.float32]", cv2.resize(field * np.float32(share * width), (width, height)))
        for field in shift
    )
    across += _line(width, zoom)
    down += _line(height, zoom).reshape(-1, 1)
    cv2.remap(source, across, down, cv2.INTER_LINEAR, out, cv2.BORDER_REPLICATE)


def _line(side: int, zoom: float) -> NDArray[np.float32]:
    middle = np.float32((side - 1) / 2)
    return (np.arange(side, dtype=np.float32) - middle) / np.float32(zoom) + middle


def _flow(here: U8, there: U8) -> Shift:
    """Find for each pixel `here` how far away it is `there`, smooth and never too far."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    empty = np.zeros((*here.shape, 2), dtype=np.float32)
    found = cv2.GaussianBlur(search.calc(here, there, empty), (0, 0), _SMOOTH_PX)
    share = found / np.float32(here.shape[1])
    far = np.maximum(np.linalg.norm(share, axis=2, keepdims=True), np.float32(1e-6))
    near = (share * np.minimum(1, np.float32(_FARTHEST) / far)).astype(np.float32)
    return np.ascontiguousarray(near[..., 0]), np.ascontiguousarray(near[..., 1])


def _likeness(first: U8, last: U8) -> float:
    """Correlate the detail of two pictures, window by window, weighted by how much there is."""
    a, b = first.astype(np.float32), last.astype(np.float32)
    mean_a, mean_b = _soft(a), _soft(b)
    own = np.maximum(_soft(a * a) - mean_a**2, _soft(b * b) - mean_b**2)
    shared = _soft(a * b) - mean_a * mean_b
    return float(shared.sum() / (own.sum() + np.float32(own.size)))


def _soft(values: Field) -> Field:
    return cast("Field", cv2.GaussianBlur(values, (0, 0), _WINDOW_PX))
