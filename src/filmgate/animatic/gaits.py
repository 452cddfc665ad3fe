"""How the joints of a two-legged figure turn: degrees from the rest position, positive is forward."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turns:
    """Knees bend with negative, elbows with positive degrees, each against the limb above it."""

    near_thigh: float = 0.0
    near_shin: float = 0.0
    far_thigh: float = 0.0
    far_shin: float = 0.0
    near_upper_arm: float = 0.0
    near_forearm: float = 0.0
    far_upper_arm: float = 0.0
    far_forearm: float = 0.0
    torso: float = 0.0
    head: float = 0.0
    lift: float = 0.0


STANDING = Turns(3, -3, -5, -2, -9, 12, 12, 14)


def angles(action: str, phase: float) -> Turns | None:
    """Pose a figure at `phase` 0 to 1 of one cycle; None for an action that has no pose of its own."""
    move = _MOVES.get(action)
    return None if move is None else move(phase * math.tau)


def _stride(turn: float, *, reach: float, knee: float, arm: float, elbow: float, lean: float) -> Turns:
    """Swing a leg forward with its knee bent, and let it carry backwards almost straight."""
    swing, speed = math.sin(turn), math.cos(turn)
    return Turns(
        near_thigh=reach * swing + lean * 0.5,
        near_shin=-6 - knee * max(0.0, speed) ** 1.3,
        far_thigh=-reach * swing + lean * 0.5,
        far_shin=-6 - knee * max(0.0, -speed) ** 1.3,
        near_upper_arm=-arm * swing,
        near_forearm=elbow - 0.25 * elbow * swing,
        far_upper_arm=arm * swing,
        far_forearm=elbow + 0.25 * elbow * swing,
        torso=lean,
        head=1.5 * math.sin(2 * turn) - 0.6 * lean,
        lift=0.03 * max(0.0, math.sin(2 * turn + 0.9)) if reach > 40 else 0.0,  # noqa: PLR2004  # Only a run leaves the ground.
    )


def _dance(turn: float) -> Turns:
    beat, twice = math.sin(turn), math.sin(2 * turn)
    return Turns(
        near_thigh=16 * max(0.0, beat),
        near_shin=-26 * max(0.0, beat),
        far_thigh=14 * max(0.0, -beat),
        far_shin=-30 * max(0.0, -beat),
        near_upper_arm=62 + 34 * beat,
        near_forearm=22 + 18 * twice,
        far_upper_arm=-78 - 34 * beat,
        far_forearm=-14 - 18 * twice,
        torso=-6 * beat,
        head=5 * beat,
        lift=0.02 * abs(twice),
    )


def _seated(beat: float, *, playing: bool) -> Turns:
    """On a stool as high as the shins are long, hands on the keys or in the lap."""
    strike = 7 * beat if playing else 0.0
    upper, fore = (34.0, 52.0) if playing else (14.0, 46.0)
    return Turns(
        near_thigh=84,
        near_shin=-82,
        far_thigh=78,
        far_shin=-70,
        near_upper_arm=upper + strike * 0.4,
        near_forearm=fore + strike,
        far_upper_arm=upper + 6 - strike * 0.4,
        far_forearm=fore + 2 - strike,
        torso=3 + 2 * beat if playing else 0.0,
        head=3 * beat,
    )


def _leap(turn: float, *, flying: bool) -> Turns:
    """Arms up and knees drawn in at the top of a jump; a flier keeps them stretched."""
    up = 1.0 if flying else max(0.0, math.sin(turn))
    sway = 5 * math.sin(turn)
    return Turns(
        near_thigh=(-12 if flying else 38) * up + sway,
        near_shin=(-14 if flying else -62) * up,
        far_thigh=(-22 if flying else 20) * up - sway,
        far_shin=(-20 if flying else -52) * up,
        near_upper_arm=82 * up - 9 * (1 - up),
        near_forearm=14,
        far_upper_arm=152 * up + 12 * (1 - up),
        far_forearm=16,
        torso=8 * up,
        head=-4 * up,
    )


_MOVES: dict[str, Callable[[float], Turns]] = {
    "walk": lambda turn: _stride(turn, reach=26, knee=42, arm=24, elbow=18, lean=1.5),
    "run": lambda turn: _stride(turn, reach=44, knee=88, arm=42, elbow=78, lean=9),
    "hunt": lambda turn: _stride(turn, reach=24, knee=46, arm=12, elbow=62, lean=16),
    "dance": _dance,
    "sit": lambda turn: _seated(math.sin(turn), playing=False),
    "play": lambda turn: _seated(math.sin(turn), playing=True),
    "jump": lambda turn: _leap(turn, flying=False),
    "fly": lambda turn: _leap(turn, flying=True),
}
