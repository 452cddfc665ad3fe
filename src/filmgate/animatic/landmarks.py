"""What a city is known by: one silhouette that stands above its far roofs."""

import math

import numpy as np

from filmgate.animatic.noise import smooth_step
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import U8
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Stage

_KINDS = ("tower", "wheel", "bridge", "dome", "cranes", "")
_LIGHTS = (hexed("ffd98a"), hexed("ff8a9a"), hexed("9ae0ff"), hexed("c8a0ff"))
_DISTANCE, _DEPTH = 0.3, 0.18
_SPOKES = 16


def landmark(stage: Stage, rng: np.random.Generator, room: float, *, dark: bool) -> list[Sheet]:
    """`room` is how high houses may rise, in units; some cities have none."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    # Behind the middle it would stand behind the subject.
    x = stage.width * (0.5 + float(rng.choice((-1, 1))) * rng.uniform(0.2, 0.36))
    if not kind:
        return []
    tall = stage.unit * room * rng.uniform(0.62, 0.78)
    paper = stage.paper(stage.horizon - tall * 1.12, stage.horizon + stage.unit * 0.03)
    body, lights = paper.mask(), paper.mask()
    _PAINTERS[kind](paper, (body, lights), (x, stage.horizon), tall)
    colour = mix(
        scaled(stage.palette.sky[1], 0.85) if dark else stage.palette.lit(hexed("8a94a6")),
        stage.palette.haze,
        _DISTANCE,
    )
    paper.fill(np.array(colour, dtype=np.float32).reshape(1, 1, 3))
    foot = smooth_step(stage.horizon - tall * 0.5, stage.horizon, paper.half_rows()) * np.float32(0.4)
    paper.tint(np.ascontiguousarray(np.broadcast_to(foot, paper.half_size[::-1])), stage.palette.haze)
    if dark:
        paper.paint(lights, _LIGHTS[int(rng.integers(len(_LIGHTS)))], 0.9)
    paper.alpha = np.maximum(body, lights if dark else body).astype(np.float32) / np.float32(255)
    paper.grain(rng)
    return [paper.sheet(_DEPTH, stage.width)]


def _tower(paper: Paper, masks: tuple[U8, U8], foot: tuple[float, float], tall: float) -> None:
    """Two balls on a needle."""
    (body, lights), (x, y) = masks, foot
    thin = tall * 0.012
    for way in (-1, 1):
        paper.shape(
            body,
            [
                (x + way * tall * 0.1, y),
                (x, y - tall * 0.36),
                (x + way * thin * 2, y - tall * 0.36),
                (x + way * tall * 0.13, y),
            ],
        )
    paper.shape(
        body,
        [
            (x - thin * 2, y),
            (x - thin, y - tall * 0.78),
            (x, y - tall),
            (x + thin, y - tall * 0.78),
            (x + thin * 2, y),
        ],
    )
    for height, radius in ((0.36, 0.062), (0.68, 0.04), (0.8, 0.018)):
        paper.disc(body, x, y - tall * height, tall * radius)
        for turn in range(5):
            paper.disc(
                lights, x + (turn - 2) * tall * radius * 0.36, y - tall * height, max(1.0, tall * 0.0045)
            )


def _wheel(paper: Paper, masks: tuple[U8, U8], foot: tuple[float, float], tall: float) -> None:
    (body, lights), (x, y) = masks, foot
    radius, thin = tall * 0.4, max(1.0, tall * 0.006)
    middle = y - tall * 0.54
    paper.disc(body, x, middle, radius + thin)
    inner = paper.mask()
    paper.disc(inner, x, middle, radius - thin)
    np.minimum(body, 255 - inner, out=body)
    for spoke in range(_SPOKES):
        turn = spoke * math.tau / _SPOKES
        across, down = math.cos(turn), math.sin(turn)
        rim = (x + across * radius, middle + down * radius)
        side = (-down * thin * 0.5, across * thin * 0.5)
        paper.shape(
            body,
            [
                (x + side[0], middle + side[1]),
                (rim[0] + side[0], rim[1] + side[1]),
                (rim[0] - side[0], rim[1] - side[1]),
                (x - side[0], middle - side[1]),
            ],
        )
        paper.disc(body, *rim, tall * 0.022)
        paper.disc(lights, *rim, max(1.0, tall * 0.01))
    for way in (-1, 1):
        at = x + way * tall * 0.24
        paper.shape(body, [(x - thin, middle), (x + thin, middle), (at + thin * 2, y), (at - thin * 2, y)])


def _bridge(paper: Paper, masks: tuple[U8, U8], foot: tuple[float, float], tall: float) -> None:
    """Hang a deck from two pylons, over the whole width of a city."""
    (body, lights), (x, y) = masks, foot
    reach, thin = tall * 1.1, max(1.0, tall * 0.008)
    deck, top = y - tall * 0.26, y - tall * 0.74
    paper.shape(
        body,
        [
            (x - reach * 2, deck),
            (x + reach * 2, deck),
            (x + reach * 2, deck + thin * 3),
            (x - reach * 2, deck + thin * 3),
        ],
    )
    for pylon in (x - reach, x + reach):
        for leg in (-1, 1):
            at = pylon + leg * tall * 0.025
            paper.shape(body, [(at - thin, y), (at - thin, top), (at + thin, top), (at + thin, y)])
        paper.shape(
            body,
            [
                (pylon - tall * 0.03, top),
                (pylon + tall * 0.03, top),
                (pylon + tall * 0.03, top + thin * 3),
                (pylon - tall * 0.03, top + thin * 3),
            ],
        )
    for start, end in ((-2, -1), (-1, 1), (1, 2)):
        for step in np.linspace(0, 1, 25):
            share = start + (end - start) * float(step)
            sag = (share**2 if abs(share) <= 1 else (2 - abs(share)) ** 2) * (deck - top)
            at, rope = x + share * reach, deck - sag - tall * 0.015
            paper.disc(body, at, rope, thin * 0.9)
            paper.disc(lights, at, rope, max(1.0, tall * 0.005))
            paper.shape(
                body,
                [
                    (at - thin * 0.3, rope),
                    (at + thin * 0.3, rope),
                    (at + thin * 0.3, deck),
                    (at - thin * 0.3, deck),
                ],
            )


def _dome(paper: Paper, masks: tuple[U8, U8], foot: tuple[float, float], tall: float) -> None:
    (body, lights), (x, y) = masks, foot
    wide, base = tall * 0.3, y - tall * 0.46
    paper.shape(
        body,
        [
            (x - wide * 1.35, y),
            (x - wide * 1.35, base + tall * 0.1),
            (x + wide * 1.35, base + tall * 0.1),
            (x + wide * 1.35, y),
        ],
    )
    paper.shape(body, [(x - wide, y), (x - wide, base), (x + wide, base), (x + wide, y)])
    turns = np.linspace(0, math.pi, 25)
    paper.shape(body, [(x + wide * 0.94 * math.cos(a), base - tall * 0.3 * math.sin(a)) for a in turns])
    paper.shape(
        body,
        [
            (x - tall * 0.03, base - tall * 0.28),
            (x, base - tall * 0.48),
            (x + tall * 0.03, base - tall * 0.28),
        ],
    )
    for window in range(7):
        paper.disc(lights, x + (window - 3) * wide * 0.28, base + tall * 0.06, max(1.0, tall * 0.011))


def _cranes(paper: Paper, masks: tuple[U8, U8], foot: tuple[float, float], tall: float) -> None:
    (body, lights), (x, y) = masks, foot
    thin = max(1.0, tall * 0.008)
    for shift, share, way in ((0.0, 0.94, 1), (tall * 0.5, 0.72, -1)):
        at, top = x + shift, y - tall * share
        paper.shape(body, [(at - thin, y), (at - thin, top), (at + thin, top), (at + thin, y)])
        arm, back = at + way * tall * 0.42, at - way * tall * 0.14
        low = top + tall * 0.06
        paper.shape(body, [(back, low), (arm, low), (arm, low + thin * 1.6), (back, low + thin * 1.6)])
        paper.shape(body, [(at, top), (arm, low), (arm, low + thin), (at, top + thin)])
        paper.shape(body, [(at, top), (back, low), (back, low + thin), (at, top + thin)])
        hook = at + way * tall * 0.3
        paper.shape(
            body,
            [
                (hook, low),
                (hook + thin * 0.6, low),
                (hook + thin * 0.6, low + tall * 0.14),
                (hook, low + tall * 0.14),
            ],
        )
        paper.disc(lights, at, top - thin * 2, max(1.2, tall * 0.009))
        paper.disc(lights, arm, low, max(1.2, tall * 0.008))


_PAINTERS = {"tower": _tower, "wheel": _wheel, "bridge": _bridge, "dome": _dome, "cranes": _cranes}
