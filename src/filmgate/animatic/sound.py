"""The sound of a scene: chords, a tune, and the air of the place."""

import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.ambience import add_bed
from filmgate.animatic.harmony import score_of
from filmgate.animatic.scene import Scene
from filmgate.animatic.voices import RATE, add_pad, add_tune

__all__ = ["RATE", "compose"]

_FADE_IN_S = 0.3
_PAD_GAIN = 0.064
_TUNE_GAIN = 0.19
_DRIVE = 1.15
_CEILING = 0.92


def compose(scene: Scene, seconds: float, start_s: float = 0.0) -> NDArray[np.float32]:
    """Stereo at 48 kHz, shape (2, n), within -1 and 1: what sounds from `start_s` on.

    Each sample depends on the scene and on its own time alone, so a later piece goes on where an earlier one stopped.
    """
    first = round(start_s * RATE)
    mix = np.zeros((2, round(seconds * RATE)), np.float32)
    score = score_of(scene)
    add_pad(mix, first, score, _PAD_GAIN)
    add_tune(mix, first, score, _TUNE_GAIN)
    add_bed(mix, first, scene)
    np.tanh(mix * np.float32(_DRIVE), out=mix)
    mix *= np.float32(_CEILING)
    rising = round(_FADE_IN_S * RATE) - first
    if rising > 0:
        opening = mix[:, :rising]
        opening *= np.clip((np.arange(opening.shape[1]) + first) / np.float32(_FADE_IN_S * RATE), 0, 1) ** 2
    return mix
