"""The air around the music: rain, surf, wind, a town, crickets. As with voices, time is absolute."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.curves import drawn, knots
from filmgate.animatic.harmony import shuffled
from filmgate.animatic.scene import Scene
from filmgate.animatic.voices import RATE, Wave

# A loop this long does not show that it comes round, once its loudness moves on other periods.
_LOOP = 1 << 18
_AUDIBLE_HZ = 20
# A wave comes up the beach for this share of its time, and runs back for the rest.
_COMING = 0.35
_SUNLIT = {"dawn", "day", "sunset"}

Bed = Callable[[Wave, int, Scene, float], None]


def add_bed(mix: Wave, first: int, scene: Scene) -> None:
    for bed, gain in _beds(scene):
        bed(mix, first, scene, gain)


def _beds(scene: Scene) -> Iterator[tuple[Bed, float]]:
    if scene.place == "space":
        yield _hum, 0.05
        return
    if scene.place == "underwater":
        yield _underwater, 0.05
        return
    if scene.weather in {"rain", "storm"}:
        yield _rain, 0.042 if scene.weather == "rain" else 0.05
        if scene.weather == "storm":
            yield _thunder, 0.14
    if scene.weather == "snow":
        yield _hush, 0.024
    yield from _place_beds(scene)
    if {"embers"} & set(scene.fx) or any(subject.name == "campfire" for subject in scene.subjects):
        yield _fire, 0.03


def _place_beds(scene: Scene) -> Iterator[tuple[Bed, float]]:
    if scene.place == "sea":
        yield _surf, 0.05
    elif scene.place == "lake":
        yield _lapping, 0.034
    elif scene.place == "city":
        yield _town, 0.044
    else:
        yield _wind, 0.042 if scene.place in {"mountain", "snow_mountain", "desert"} else 0.02
    if scene.weather not in {"clear", "cloudy"} or scene.place not in {"lake", "meadow", "forest"}:
        return
    if scene.time in _SUNLIT:
        yield _birds, 0.055
    else:
        yield _crickets, 0.028


def _rain(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "rain", _band(500, 9000, 0.35)),
        gain * _slow(first, mix, (0.07, 0.113), 0.12),
    )
    _add_loop(mix, first, _crackle(scene.seed, "drops", 900, _band(1200, 7000, 0.0)), gain * 0.22)


def _thunder(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    """Far rolls, one in every seven seconds or so."""
    rumble = _noise(scene.seed, "thunder", _band(25, 130, 0.9))
    for number in _slots(first, mix, 7.0, 6.0):
        at = (number + 0.5 * shuffled(scene.seed, number, "when")) * 7.0
        t = _seconds(first, mix) - at
        roll = np.where(t > 0, np.minimum(t / 0.25, 1) * np.exp(-np.maximum(t, 0) / 1.6), 0)
        roll *= 1 + 0.35 * np.sin(t * 5.1) * np.sin(t * 2.3)
        _add_loop(
            mix,
            first,
            rumble,
            _stretched(first, mix, roll * (gain * (0.5 + 0.5 * shuffled(scene.seed, number, "far")))),
        )


def _surf(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    t = _seconds(first, mix)
    for name, period, lag, low, share in (("near", 8.7, 0.0, 300, 1.0), ("far", 11.3, 0.4, 180, 0.8)):
        phase = (t / period + lag) % 1.0
        coming = np.sin(phase / _COMING * (math.pi / 2)) ** 2
        going = np.cos(np.maximum(phase - _COMING, 0) / (1 - _COMING) * (math.pi / 2)) ** 1.5
        level = gain * share * (0.22 + 0.78 * np.where(phase < _COMING, coming, going))
        loop = _noise(scene.seed, f"surf {name}", _band(low, 4200, 0.75))
        _add_loop(mix, first, loop, _stretched(first, mix, level))


def _lapping(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    t = _seconds(first, mix)
    lap = 0.45 + 0.35 * np.sin(t * 2.9 + np.sin(t * 0.61)) * np.sin(t * 0.83) + 0.2 * np.sin(t * 1.27)
    _add_loop(
        mix, first, _noise(scene.seed, "lapping", _band(350, 2400, 0.7)), _stretched(first, mix, gain * lap)
    )


def _wind(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "wind", _band(90, 750, 0.8)),
        gain * _slow(first, mix, (0.09, 0.153), 0.45),
    )
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "whistle", _band(620, 900, 0.0)),
        gain * 0.16 * _slow(first, mix, (0.13, 0.21), 0.9),
    )


def _town(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "town", _band(45, 420, 0.9)),
        gain * _slow(first, mix, (0.06, 0.1), 0.2),
    )
    passing = _noise(scene.seed, "passing", _band(160, 1800, 0.8))
    for number in _slots(first, mix, 5.0, 5.0):
        t = _seconds(first, mix) - (number + shuffled(scene.seed, number, "car")) * 5.0
        whoosh = np.exp(-(((t - 2.0) / 0.8) ** 2)) * (gain * 0.55 * shuffled(scene.seed, number, "near"))
        side = np.tanh((t - 2.0) * 1.2) * (1 if number % 2 else -1)
        loop = _stretched(first, mix, whoosh)
        _add_loop(
            mix,
            first,
            passing,
            loop * np.stack([_stretched(first, mix, np.sqrt((1 + way * side) / 2)) for way in (-1, 1)]),
        )


def _crickets(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    """Three of them, each with its own pitch, pace and place."""
    for hz, period_s, pan, share in (
        (4300.0, 0.81, 0.25, 1.0),
        (4720.0, 1.13, 0.8, 0.6),
        (3950.0, 1.37, 0.55, 0.4),
    ):
        period = round(period_s * RATE)
        t = np.arange(period, dtype=np.float32) / np.float32(RATE)
        pulses = (
            np.maximum(0, np.sin(t * np.float32(math.tau * 31))) ** 2
            * (t < 4 / 31)
            * np.float32(share * gain)
        )
        chirp = np.sin(t * np.float32(math.tau * hz)) * pulses
        line = _around(chirp[None], first, mix.shape[1])[0]
        mix[0] += line * np.float32(math.sqrt(1 - pan))
        mix[1] += line * np.float32(math.sqrt(pan))
    _add_loop(mix, first, _noise(scene.seed, "night", _band(120, 600, 0.9)), gain * 0.35)


def _birds(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    """Short calls of two to four syllables, now here, now there."""
    for number in _slots(first, mix, 1.3, 1.2):
        if shuffled(scene.seed, number, "sings") > 0.42:  # noqa: PLR2004  # How often a bird is heard.
            continue
        pan = shuffled(scene.seed, number, "bough")
        loud = gain * (0.3 + 0.7 * shuffled(scene.seed, number, "near") ** 2)
        begin = (number + 0.5 * shuffled(scene.seed, number, "when")) * 1.3
        base = 2300 + 1900 * shuffled(scene.seed, number, "bird")
        for syllable in range(2 + int(3 * shuffled(scene.seed, number, "call"))):
            at = round((begin + 0.13 * syllable) * RATE) - first
            bend = shuffled(scene.seed, number * 8 + syllable % 2, "bend") - 0.4
            _add_mono(mix, _whistle(base, bend), at, loud, pan)


def _underwater(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "deep", _band(40, 320, 0.9)),
        gain * _slow(first, mix, (0.11, 0.17), 0.35),
    )
    for number in _slots(first, mix, 0.9, 0.6):
        if shuffled(scene.seed, number, "rises") > 0.6:  # noqa: PLR2004  # How often bubbles rise.
            continue
        begin = (number + shuffled(scene.seed, number, "when")) * 0.9
        for bubble in range(3):
            at = round((begin + 0.07 * bubble) * RATE) - first
            hz = 380 + 500 * shuffled(scene.seed, number * 3 + bubble, "size")
            _add_mono(mix, _blip(hz), at, gain * 0.5, shuffled(scene.seed, number, "side"))


def _hum(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    t = np.arange(first, first + mix.shape[1], dtype=np.float64) / RATE
    for hz, share in ((54.0, 1.0), (81.3, 0.5), (108.4, 0.3)):
        tone = np.sin((t * hz % 1.0 * math.tau).astype(np.float32)) * np.float32(gain * share)
        mix += tone * _slow(first, mix, (0.05 + hz / 4000, 0.071), 0.4)
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "stardust", _band(2500, 7000, 0.5)),
        gain * 0.12 * _slow(first, mix, (0.08, 0.13), 0.8),
    )


def _hush(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "hush", _band(900, 5000, 0.8)),
        gain * _slow(first, mix, (0.1, 0.17), 0.35),
    )


def _fire(mix: Wave, first: int, scene: Scene, gain: float) -> None:
    _add_loop(mix, first, _crackle(scene.seed, "fire", 60, _band(700, 6000, 0.2)), gain * 0.22)
    _add_loop(
        mix,
        first,
        _noise(scene.seed, "flames", _band(80, 500, 0.9)),
        gain * 0.5 * _slow(first, mix, (0.9, 1.7), 0.3),
    )


def _band(low_hz: float, high_hz: float, tilt: float) -> Wave:
    """Shape a soft band of the loop's spectrum; `tilt` is the power of 1/f inside it."""
    hz: Wave = np.arange(_LOOP // 2 + 1, dtype=np.float32) * np.float32(RATE / _LOOP)
    hz[0] = hz[1]
    low, high = np.float32(low_hz) / hz, np.square(hz / np.float32(high_hz))
    shape = low ** np.float32(tilt) / (1 + np.square(np.square(low))) / (1 + np.square(high))
    return np.where(hz < _AUDIBLE_HZ, np.float32(0), shape)


def _noise(seed: int, name: str, shape: Wave) -> Wave:
    """Two channels of noise with this spectrum, without a seam, of unit loudness."""
    rng = np.random.default_rng([seed, *name.encode()])
    spectrum = np.empty((2, shape.size), np.complex64)
    spectrum.real = rng.standard_normal((2, shape.size), dtype=np.float32) * shape
    spectrum.imag = rng.standard_normal((2, shape.size), dtype=np.float32) * shape
    return _unit(np.fft.irfft(spectrum, _LOOP))


def _crackle(seed: int, name: str, per_second: int, shape: Wave) -> Wave:
    """Single drops or sparks, each as loud as it likes, heard through this spectrum."""
    rng = np.random.default_rng([seed, *name.encode()])
    ticks = np.zeros((2, _LOOP), np.float32)
    many = round(per_second * _LOOP / RATE)
    for channel in ticks:
        channel[rng.integers(0, _LOOP, many)] = rng.standard_normal(many) * rng.random(many) ** 2
    return _unit(np.fft.irfft(np.fft.rfft(ticks) * shape, _LOOP))


def _unit(loop: NDArray[np.floating]) -> Wave:
    scaled: Wave = (loop / np.sqrt(np.mean(np.square(loop)))).astype(np.float32)
    return scaled


def _whistle(hz: float, bend: float) -> Wave:
    t = np.linspace(0, 1, round(0.1 * RATE), dtype=np.float32)
    turns = np.float32(hz * 0.1) * (t + np.float32(bend * 0.5) * t * t)
    call: Wave = np.sin(np.float32(math.tau) * turns) * np.sin(np.float32(math.pi) * t) ** 2
    return call


def _blip(hz: float) -> Wave:
    t = np.linspace(0, 1, round(0.09 * RATE), dtype=np.float32)
    turns = np.float32(hz * 0.09) * (t + np.float32(0.35) * t * t)
    bubble: Wave = np.sin(np.float32(math.tau) * turns) * np.sin(np.float32(math.pi) * np.sqrt(t)) ** 2
    return bubble


def _add_loop(mix: Wave, first: int, loop: Wave, level: float | Wave) -> None:
    mix += _around(loop, first, mix.shape[1]) * np.asarray(level, dtype=np.float32)


def _around(loop: Wave, first: int, count: int) -> Wave:
    start = first % loop.shape[1]
    rounds = -(-(start + count) // loop.shape[1])
    return np.tile(loop, (1, rounds))[:, start : start + count]


def _add_mono(mix: Wave, wave: Wave, at: int, gain: float, pan: float) -> None:
    left, right = max(0, at), min(mix.shape[1], at + wave.size)
    if right > left:
        part = wave[left - at : right - at]
        mix[0, left:right] += part * np.float32(gain * math.sqrt(1 - pan))
        mix[1, left:right] += part * np.float32(gain * math.sqrt(pan))


def _slots(first: int, mix: Wave, every_s: float, lasting_s: float) -> range:
    """Numbers of the events that may be heard in this stretch."""
    begin, end = first / RATE, (first + mix.shape[1]) / RATE
    return range(max(0, math.floor((begin - lasting_s) / every_s) - 1), math.ceil(end / every_s) + 1)


def _seconds(first: int, mix: Wave) -> NDArray[np.float64]:
    """Few moments of the stretch; what changes slowly is reckoned there, and `_stretched` between them."""
    return knots(first, mix.shape[1]) / RATE


def _stretched(first: int, mix: Wave, level: NDArray[np.floating]) -> Wave:
    return drawn(level, first, mix.shape[1])


def _slow(first: int, mix: Wave, rates_hz: tuple[float, float], depth: float) -> Wave:
    """Loudness that wanders between 1 and 1 - depth without ever coming round."""
    t = _seconds(first, mix) * math.tau
    wander = 0.5 + 0.25 * (np.sin(t * rates_hz[0]) + np.sin(t * rates_hz[1] + 1.0))
    return _stretched(first, mix, 1 - depth * wander)
