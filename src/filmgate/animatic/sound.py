"""The sound of a scene: chords, a tune, and the air of the place."""

import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.ambience import add_bed
from filmgate.animatic.harmony import score_of
from filmgate.animatic.scene import Scene
from filmgate.animatic.voices import RATE, add_pad, add_tune

__all__ = ["RATE", "compose", "compose_entry", "compose_passage"]

_FADE_IN_S = 0.3
_ENTRY_S = 1.6
_PAD_GAIN = 0.064
_TUNE_GAIN = 0.19
_DRIVE = 1.15
_CEILING = 0.92
# Between the 1 that keeps the sum of one sound with itself, and the half that keeps that of two strange ones.
_BALANCE = 0.75


def compose(scene: Scene, seconds: float, start_s: float = 0.0) -> NDArray[np.float32]:
    """Stereo at 48 kHz, shape (2, n), within -1 and 1: what sounds from `start_s` on.

    Each sample depends on the scene and on its own time alone, so a later piece goes on where an earlier one stopped.
    """
    return _opened(_limited(_mixed(scene, seconds, start_s)), start_s, 0.0, _FADE_IN_S)


def compose_entry(scene: Scene, at_s: float, seconds: float, start_s: float) -> NDArray[np.float32]:
    """As `compose`, but silent until `at_s`, and then softly there."""
    return _opened(_limited(_mixed(scene, seconds, start_s)), start_s, at_s, _ENTRY_S)


def compose_passage(
    old: Scene, new: Scene, when: tuple[float, float], seconds: float, start_s: float
) -> NDArray[np.float32]:
    """As `compose`: the old scene, which from when[0] on, within when[1] seconds, gives way to the new one."""
    mix = _mixed(new, seconds, start_s)
    share = _share(mix.shape[1], start_s, *when)
    ending = int(np.searchsorted(share, 1.0))
    if ending:
        going = _mixed(old, ending / RATE, start_s)
        mix[:, :ending] *= share[:ending] ** _BALANCE
        mix[:, :ending] += going * (1 - share[:ending]) ** _BALANCE
    return _opened(_limited(mix), start_s, 0.0, _FADE_IN_S)


def _mixed(scene: Scene, seconds: float, start_s: float) -> NDArray[np.float32]:
    first = round(start_s * RATE)
    mix = np.zeros((2, round(seconds * RATE)), np.float32)
    score = score_of(scene)
    add_pad(mix, first, score, _PAD_GAIN)
    add_tune(mix, first, score, _TUNE_GAIN)
    add_bed(mix, first, scene)
    return mix


def _limited(mix: NDArray[np.float32]) -> NDArray[np.float32]:
    np.tanh(mix * np.float32(_DRIVE), out=mix)
    mix *= np.float32(_CEILING)
    return mix


def _opened(wave: NDArray[np.float32], start_s: float, at_s: float, within_s: float) -> NDArray[np.float32]:
    """Let the sound rise from silence, from `at_s` on."""
    rising = round((at_s + within_s) * RATE) - round(start_s * RATE)
    if rising > 0:
        opening = wave[:, :rising]
        since = np.arange(opening.shape[1]) + (round(start_s * RATE) - round(at_s * RATE))
        opening *= np.clip(since / np.float32(within_s * RATE), 0, 1) ** 2
    return wave


def _share(count: int, start_s: float, at_s: float, within_s: float) -> NDArray[np.float32]:
    since = (np.arange(count) + (round(start_s * RATE) - round(at_s * RATE))) / (within_s * RATE)
    line = np.clip(since, 0, 1)
    return (line * line * (3 - 2 * line)).astype(np.float32)
