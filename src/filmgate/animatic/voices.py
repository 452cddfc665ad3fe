"""The instruments: each call adds the samples from `first` on, counted from the beginning of time, to a mix."""

import math

import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.curves import drawn, knots
from filmgate.animatic.harmony import Score, shuffled

RATE = 48_000
Wave = NDArray[np.float32]

# Share of each overtone and how many seconds it takes to fade to a third.
_TIMBRES = {
    "kalimba": ((1.0, 1.0, 0.42), (2.0, 0.22, 0.2), (3.0, 0.1, 0.12), (5.4, 0.05, 0.04)),
    "glass": ((1.0, 1.0, 0.9), (2.0, 0.12, 0.6), (2.76, 0.1, 0.3), (5.4, 0.03, 0.1)),
    "piano": ((1.0, 1.0, 0.7), (2.0, 0.42, 0.45), (3.0, 0.2, 0.28), (4.0, 0.1, 0.18), (5.0, 0.05, 0.1)),
    "strings": (
        (1.0, 1.0, 0.55),
        (2.0, 0.5, 0.4),
        (3.0, 0.32, 0.28),
        (4.0, 0.2, 0.18),
        (5.0, 0.12, 0.12),
        (6.0, 0.08, 0.08),
    ),
    "synth": ((1.0, 1.0, 0.3), (2.0, 0.5, 0.16), (3.0, 0.34, 0.11), (4.0, 0.2, 0.07), (5.0, 0.12, 0.05)),
}
_LENGTH_S = 2.0
_ATTACK_S = 0.006
_RELEASE_S = 0.25
_ECHOES = ((0, 1.0, 0.0), (3, 0.34, 0.75), (6, 0.14, -0.75))
_HALF = RATE // 2
_BLOCK = 512


def add_tune(mix: Wave, first: int, score: Score, gain: float) -> None:
    """Plucked notes, each with two echoes that wander to the sides."""
    step = score.step_s * RATE
    length = round(_LENGTH_S * RATE)
    earliest = math.floor((first - length) / step) - _ECHOES[-1][0]
    latest = math.ceil((first + mix.shape[1]) / step)
    plucked: dict[int, Wave] = {}
    for number in range(max(0, earliest), latest + 1):
        note = score.note(number)
        if note is None:
            continue
        if note not in plucked:
            plucked[note] = _pluck(note, score.voice)
        pan = shuffled(score.seed, number, "pan") * 1.1 - 0.55
        loud = gain * (0.7 + 0.3 * shuffled(score.seed, number, "loud"))
        for later, share, side in _ECHOES:
            at = round((number + later) * step) - first
            _lay(mix, plucked[note], at, loud * share, pan + side * (1 - abs(pan)))


def add_pad(mix: Wave, first: int, score: Score, gain: float) -> None:
    """Chords that melt into each other, a little out of tune between the ears.

    Reckoned at half the rate: nothing in it lies above 3 kHz.
    """
    start = first // 2
    count = mix.shape[1] // 2 + 2
    half = np.zeros((2, count), np.float32)
    long, melt = score.chord_s(), min(1.6, score.chord_s() * 0.4)
    begin, end = start / _HALF, (start + count) / _HALF
    for number in range(max(0, math.floor((begin - melt) / long)), math.floor((end + melt) / long) + 1):
        rise, fall = number * long - melt / 2, (number + 1) * long - melt / 2
        left = max(0, math.floor((rise - begin) * _HALF)) if number else 0
        right = min(count, math.ceil((fall + melt - begin) * _HALF))
        if right > left:
            swell = _swell(start + left, right - left, (rise, fall, melt), opening=number == 0)
            _add_chord(half[:, left:right], start + left, score.chord(number), swell * np.float32(gain))
    odd = first - 2 * start
    full = np.empty((2, 2 * count - 2), np.float32)
    full[:, 0::2] = half[:, :-1]
    full[:, 1::2] = (half[:, :-1] + half[:, 1:]) * np.float32(0.5)
    mix += full[:, odd : odd + mix.shape[1]]


def _add_chord(half: Wave, start: int, notes: tuple[int, ...], swell: Wave) -> None:
    count = half.shape[1]
    for order, note in enumerate(notes):
        loud = np.float32(1.15 if order == 0 else 0.62 / (1 + 0.22 * order))
        bright = np.float32(0.5 if order == 0 else 0.26)
        breath = swell * _breath(start, count, 0.11 + 0.023 * order, order)
        # The bass stands in the middle: two low notes out of tune would beat.
        for side, detune in ((0, -0.0011), (1, 0.0011)) if order else ((0, 0.0),):
            turn = _turning(start, count, _frequency(note) * (1 + detune * (1 + 0.3 * order)))
            tone = turn.imag * (1 + bright * 2 * turn.real) * (breath * loud)
            half[side] += tone
            half[1 - side] += tone * (np.float32(0.45) if order else 1)


def _swell(start: int, count: int, when: tuple[float, float, float], *, opening: bool) -> Wave:
    """Equal power at the seams: sine up, cosine down."""
    rise, fall, melt = when
    t = np.arange(start, start + count, dtype=np.float64) / _HALF
    up = np.clip((t - rise) / melt, 0, 1) if not opening else np.ones(count)
    down = np.clip((t - fall) / melt, 0, 1)
    return (np.sin(up * (math.pi / 2)) * np.cos(down * (math.pi / 2))).astype(np.float32)


def _breath(start: int, count: int, rate_hz: float, order: int) -> Wave:
    """Slow rise and fall of one voice in a chord, drawn through few points."""
    level = 0.78 + 0.22 * np.sin(knots(start, count) * (math.tau * rate_hz / _HALF) + 1.7 * order)
    return drawn(level, start, count)


def _turning(start: int, count: int, hz: float) -> NDArray[np.complex64]:
    """Reckon exp(2 pi i hz t) by the product of coarse and fine turns, on blocks that do not depend on `start`."""
    block = start // _BLOCK
    blocks = (start + count - 1) // _BLOCK - block + 1
    turns = (np.arange(block, block + blocks, dtype=np.float64) * (_BLOCK * hz / _HALF)) % 1.0
    fine = np.exp(np.arange(_BLOCK) * (2j * math.pi * hz / _HALF)).astype(np.complex64)
    coarse = np.exp(2j * math.pi * turns).astype(np.complex64)
    skip = start - block * _BLOCK
    turning: NDArray[np.complex64] = np.multiply.outer(coarse, fine).reshape(-1)
    return turning[skip : skip + count]


def _pluck(note: int, voice: str) -> Wave:
    count = round(_LENGTH_S * RATE)
    t = np.arange(count, dtype=np.float32) / np.float32(RATE)
    wave = np.zeros(count, np.float32)
    hz = _frequency(note)
    # High notes ring shorter, as short strings do.
    ring = min(1.4, (440 / hz) ** 0.35)
    for overtone, share, fade_s in _TIMBRES[voice]:
        if hz * overtone > RATE * 0.35:
            continue
        heard = min(count, round(fade_s * ring * 8 * RATE))
        short = t[:heard]
        wave[:heard] += (
            np.sin(short * np.float32(math.tau * hz * overtone))
            * np.exp(short * np.float32(-1 / (fade_s * ring)))
        ) * np.float32(share)
    attack, release = round(_ATTACK_S * RATE), round(_RELEASE_S * RATE)
    wave[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    wave[-release:] *= np.linspace(1, 0, release, dtype=np.float32)
    return wave


def _lay(mix: Wave, wave: Wave, at: int, gain: float, pan: float) -> None:
    left, right = max(0, at), min(mix.shape[1], at + wave.size)
    if right <= left:
        return
    part = wave[left - at : right - at]
    angle = (max(-1.0, min(1.0, pan)) + 1) * math.pi / 4
    mix[0, left:right] += part * np.float32(gain * math.cos(angle))
    mix[1, left:right] += part * np.float32(gain * math.sin(angle))


def _frequency(note: float) -> float:
    return 440.0 * math.exp2((note - 69) / 12)
