"""Levels that change slowly: reckoned at few moments, drawn straight in between."""

import numpy as np
from numpy.typing import NDArray

KNOT = 1200


def knots(first: int, count: int) -> NDArray[np.float64]:
    """Find the samples, KNOT apart since the beginning of time, around `count` samples from `first` on."""
    return np.arange(first // KNOT, (first + count - 1) // KNOT + 2, dtype=np.float64) * KNOT


def drawn(levels: NDArray[np.floating], first: int, count: int) -> NDArray[np.float32]:
    """Draw `count` samples from `first` on through the level at each of their knots."""
    level = levels.astype(np.float32)
    share = np.arange(KNOT, dtype=np.float32) / np.float32(KNOT)
    line: NDArray[np.float32] = np.multiply.outer(np.diff(level), share)
    line += level[:-1, None]
    skip = first % KNOT
    return line.reshape(-1)[skip : skip + count]
