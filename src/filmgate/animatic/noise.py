"""Random shapes that repeat sideways, so that a camera may pan on for ever."""

from typing import cast

import cv2
import numpy as np

from filmgate.animatic.planes import Field


def waves(rng: np.random.Generator, width: int, cells: int, octaves: int = 4, fall: float = 0.5) -> Field:
    """Give a line of `width` values around -1 to 1 that meets itself at its ends."""
    total = np.zeros(width, dtype=np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        count = max(2, cells << octave)
        total += np.float32(weight) * _stretched(rng.uniform(-1, 1, (1, count)), width, 1)[0]
        weights += weight
        weight *= fall
    return total / np.float32(weights * 0.7)


def clouds(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[int, int],
    octaves: int = 4,
    fall: float = 0.5,
) -> Field:
    """Give a field of (width, height) with values around 0 to 1; `cells` are lumps across and down."""
    width, height = size
    total = np.zeros((height, width), dtype=np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        across, down = min(cells[0] << octave, width), min(cells[1] << octave, height)
        total += np.float32(weight) * _stretched(
            rng.uniform(0, 1, (max(2, down), max(2, across))), width, height
        )
        weights += weight
        weight *= fall
    return total / np.float32(weights)


def peaks(rng: np.random.Generator, width: int, count: int, sharpness: float = 1.0) -> Field:
    """Give a mountain range from 0 to about 1: pointed summits of mixed height with broken flanks."""
    x = np.arange(width, dtype=np.float32)
    line = np.zeros(width, dtype=np.float32)
    spacing = width / count
    for index in range(count):
        at = (index + 0.5 + rng.uniform(-0.3, 0.3)) * spacing
        height = rng.uniform(0.5, 1.0)
        reach = spacing * rng.uniform(0.75, 1.25) * (0.5 + height)
        away = (x - at + width / 2) % width - width / 2
        lean = 1 + 0.35 * rng.uniform(-1, 1) * np.sign(away)
        flank = np.clip(
            1 - np.abs(away) / np.minimum(reach * lean, np.float32(width * 0.49)), 0, 1
        ) ** np.float32(1 + 0.25 * sharpness)
        line = np.maximum(line, np.float32(height) * flank)
    rough = waves(rng, width, count * 3, 5, 0.55)
    return cast("Field", line + rough * np.float32(0.09 * sharpness) * (0.25 + line))


def chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def smooth_step(low: float, high: float, values: Field) -> Field:
    share = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return cast("Field", share * share * (3 - 2 * share))


def _stretched(grid: np.ndarray, width: int, height: int) -> Field:
    """Enlarge smoothly; columns wrap round, rows do not."""
    across = grid.shape[1]
    around = np.concatenate([grid[:, -2:], grid, grid[:, :3]], axis=1).astype(np.float32)
    step = across / width
    columns = (np.arange(width, dtype=np.float32) * np.float32(step) + np.float32(2)).reshape(1, -1)
    rows = np.linspace(0, grid.shape[0] - 1, height, dtype=np.float32).reshape(-1, 1)
    first = cv2.remap(
        around,
        np.repeat(columns, grid.shape[0], axis=0),
        np.repeat(np.arange(grid.shape[0], dtype=np.float32).reshape(-1, 1), width, axis=1),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if height == 1:
        return cast("Field", first[:1])
    del rows
    return cast("Field", cv2.resize(first, (width, height), interpolation=cv2.INTER_CUBIC))
