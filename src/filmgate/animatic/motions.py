"""How subjects move: a pose for every moment, from nothing but the moment."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from filmgate.animatic.cutouts import Placing
from filmgate.animatic.scene import Scene
from filmgate.animatic.sprites import traits
from filmgate.animatic.stage import Stage

WALK_PACE, RUN_PACE = 0.85, 1.5

# The share of a scurrying cycle that is hops, and of a leap that is its gathering.
_HOPPING, _PRESS = 0.62, 0.25
_DRY = {"mountain", "snow_mountain", "meadow", "forest"}
_DEPTHS = {"space": "void", "underwater": "deep"}
_PLACED = {"face": "peek", "fixed": "still", "void": "hover", "deep": "hover", "air": "fly", "water": "float"}
_WAYS = {
    "hunt": "hunt",
    "drive": "ride",
    "walk": "walk",
    "run": "run",
    "dance": "dance",
    "jump": "leap",
    "play": "nod",
}

Motion = Callable[[float], Placing]


@dataclass(frozen=True, slots=True)
class Spot:
    x: float
    y: float
    height: float
    unit: float
    way: int
    index: int


def motion_of(stage: Stage, name: str, spot: Spot, *, hunter: bool) -> Motion:
    kind = _kind(stage, name)
    if kind == "hunt":
        kind = "stalk" if hunter else "scurry"
    if kind == "walk" and "run" in stage.scene.actions:
        kind = "run"
    course = _COURSES[kind]
    return lambda t: course(spot, t)


def launched(scene: Scene) -> Scene:
    """Put water where a boat or a swan would lie on dry land."""
    afloat = any(traits(subject.name).habitat == "water" for subject in scene.subjects)
    return replace(scene, place="lake") if afloat and scene.place in _DRY else scene


def medium(stage: Stage, name: str) -> str:
    """Say where a subject is in this scene: face, void, deep, air, water, fixed or ground."""
    own, place, actions = traits(name), stage.scene.place, stage.scene.actions
    if own.face:
        return "face"
    if own.habitat in {"scenery", "instrument"}:
        return "fixed"
    if place in _DEPTHS:
        return _DEPTHS[place]
    born_to_fly = any(traits(subject.name).habitat == "air" for subject in stage.scene.subjects)
    if own.habitat == "air" or ("fly" in actions and not born_to_fly):
        return "air"
    swims = own.habitat in {"water", "undersea"} or "swim" in actions
    return "water" if swims and place in {"lake", "sea"} else "ground"


def _kind(stage: Stage, name: str) -> str:
    where, actions = medium(stage, name), stage.scene.actions
    if where == "fixed" and "play" in actions and traits(name).habitat == "instrument":
        return "shake"
    if where in _PLACED:
        return _PLACED[where]
    return next((_WAYS[action] for action in _WAYS if action in actions), "breathe")


def _walk(spot: Spot, t: float) -> Placing:
    return _stroll(spot, t * WALK_PACE)


def _run(spot: Spot, t: float) -> Placing:
    return _stroll(spot, t * RUN_PACE)


def _stroll(spot: Spot, cycles: float) -> Placing:
    turn = cycles * math.tau
    bob = abs(math.sin(turn)) * spot.height * 0.014
    sway = math.sin(cycles * 0.5 + spot.index) * spot.unit * 0.02
    return Placing(
        spot.x + sway,
        spot.y - bob,
        spot.way * 0.022 * math.sin(turn + 0.6),
        1.0,
        1.0 + 0.008 * math.sin(2 * turn),
    )


def _stalk(spot: Spot, t: float) -> Placing:
    """Creep: low and long, with a gather before each reach."""
    turn = t * 1.15 * math.tau
    crouch = 0.06 + 0.03 * math.sin(t * 1.1)
    reach = math.sin(t * 1.1 - 0.7) * spot.unit * 0.02
    return Placing(
        spot.x + spot.way * reach,
        spot.y,
        spot.way * (0.03 + 0.018 * math.sin(turn)),
        1.0 + crouch * 0.5,
        1.0 - crouch,
    )


def _scurry(spot: Spot, t: float) -> Placing:
    """Quick hops, then a short look round."""
    cycle = (t * 0.55 + 0.3 * spot.index) % 1.0
    moving = cycle < _HOPPING
    hop = abs(math.sin(t * 3.1 * math.pi)) * spot.height * 0.22 if moving else 0.0
    rush = spot.way * spot.unit * 0.03 * math.sin(cycle * math.tau)
    return Placing(
        spot.x + rush,
        spot.y - hop,
        spot.way * (0.1 * math.sin(t * 3.1 * math.tau) if moving else 0.03),
        1.0,
        1.0,
    )


def _ride(spot: Spot, t: float) -> Placing:
    shake = math.sin(t * 19) * spot.height * 0.004 + math.sin(t * 2.7) * spot.height * 0.008
    return Placing(
        spot.x + math.sin(t * 0.45) * spot.unit * 0.03, spot.y + shake, 0.008 * math.sin(t * 2.1), 1.0, 1.0
    )


def _dance(spot: Spot, t: float) -> Placing:
    beat = t * 1.5 * math.pi + spot.index
    return Placing(
        spot.x + math.sin(beat) * spot.height * 0.08,
        spot.y - abs(math.sin(beat * 2)) * spot.height * 0.06,
        0.13 * math.sin(beat),
        1.0 + 0.03 * math.sin(beat * 2),
        1.0 - 0.04 * math.sin(beat * 2),
    )


def _leap(spot: Spot, t: float) -> Placing:
    cycle = (t * 0.8 + 0.37 * spot.index) % 1.0
    air = max(0.0, math.sin((cycle - _PRESS) / (1 - _PRESS) * math.pi)) if cycle > _PRESS else 0.0
    press = math.sin(cycle / _PRESS * math.pi) if cycle < _PRESS else 0.0
    return Placing(
        spot.x,
        spot.y - air * spot.height * 0.4,
        spot.way * 0.06 * (air - 0.5) * (air > 0),
        1 + 0.09 * press,
        1 - 0.12 * press,
    )


def _nod(spot: Spot, t: float) -> Placing:
    beat = t * 1.9 * math.pi
    return Placing(
        spot.x + math.sin(beat * 0.5) * spot.height * 0.012,
        spot.y,
        spot.way * (0.03 + 0.03 * math.sin(beat)),
        1.0,
        1.0 + 0.012 * math.sin(beat),
    )


def _breathe(spot: Spot, t: float) -> Placing:
    return Placing(
        spot.x,
        spot.y,
        0.012 * math.sin(t * 1.3 + spot.index),
        1.0 + 0.006 * math.sin(t * 2.1),
        1.0 + 0.014 * math.sin(t * 2.1 + 2),
    )


def _still(spot: Spot, t: float) -> Placing:  # noqa: ARG001  what stands still takes no notice of time
    return Placing(spot.x, spot.y)


def _shake(spot: Spot, t: float) -> Placing:
    return Placing(spot.x, spot.y, 0.006 * math.sin(t * 6.0))


def _flight(spot: Spot, t: float) -> Placing:
    turn = t * 0.7 + spot.index * 1.9
    beat = math.sin(t * 5.2 + spot.index * 2.1)
    return Placing(
        spot.x + math.sin(turn * 0.6) * spot.unit * 0.07,
        spot.y + math.sin(turn) * spot.height * 0.3 - beat * spot.height * 0.05,
        spot.way * 0.1 * math.cos(turn),
        1.0,
        1.0 - 0.13 * (0.5 + 0.5 * beat),
    )


def _afloat(spot: Spot, t: float) -> Placing:
    return Placing(
        spot.x + math.sin(t * 0.31) * spot.unit * 0.03,
        spot.y + math.sin(t * 1.25 + spot.index) * spot.height * 0.025,
        0.04 * math.sin(t * 0.95 + 0.4),
    )


def _hover(spot: Spot, t: float) -> Placing:
    turn = t * 0.6 + spot.index * 2.2
    return Placing(
        spot.x + math.sin(turn * 0.7) * spot.unit * 0.05,
        spot.y + math.sin(turn) * spot.unit * 0.025,
        0.06 * math.sin(turn * 1.1 + 0.5),
        1.0 + 0.018 * math.sin(t * 3.4 + spot.index),
        1.0 - 0.012 * math.sin(t * 3.4 + spot.index),
    )


def _peek(spot: Spot, t: float) -> Placing:
    """Up from behind the front sheet, a look to both sides, a little down again."""
    rise = min(1.0, t / 1.2)
    shown = rise * rise * (3 - 2 * rise) * (0.94 + 0.06 * math.sin(t * 0.9))
    return Placing(
        spot.x + math.sin(t * 0.8) * spot.height * 0.03,
        spot.y + spot.height * 0.5 * (1 - shown),
        0.05 * math.sin(t * 1.1),
        1.0,
        1.0,
    )


_COURSES: dict[str, Callable[[Spot, float], Placing]] = {
    "peek": _peek,
    "hover": _hover,
    "fly": _flight,
    "float": _afloat,
    "still": _still,
    "shake": _shake,
    "stalk": _stalk,
    "scurry": _scurry,
    "ride": _ride,
    "walk": _walk,
    "run": _run,
    "dance": _dance,
    "leap": _leap,
    "nod": _nod,
    "breathe": _breathe,
}
