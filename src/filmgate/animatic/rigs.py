"""Moves the limbs of layered sprites. All layers are premultiplied RGBA at the size they were drawn."""

import math
from collections.abc import Iterable, Mapping
from typing import Literal, NotRequired, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.animatic.gaits import Turns

Layer = NDArray[np.uint8]
Layers = Mapping[str, Layer]

_PAINT_ORDER = (
    "far_upper_arm",
    "far_forearm",
    "back",
    "far_thigh",
    "far_shin",
    "near_thigh",
    "near_shin",
    "torso",
    "head",
    "near_upper_arm",
    "near_forearm",
)
# Room at the sides for arms and legs that are stretched out, in lengths of the legs.
_ARM_ROOM = 0.6
_LEG_ROOM = 0.5
# Front and hind part overlap by this many pixels, so that no gap opens in a belly below the hip.
_SEAM = 3
# A part that reaches this share of the width past the split on both sides is two legs and a belly.
_BELLY = 0.12


class Rig(TypedDict):
    """Pixels of the layers: `hip` the row where legs begin, `split` the column between front and hind legs."""

    kind: Literal["legs", "wing", "limbs"]
    hip: NotRequired[float]
    split: NotRequired[float]
    axis: NotRequired[float]
    ground: NotRequired[float]
    joints: NotRequired[dict[str, float]]
    at: NotRequired[dict[str, list[int]]]


def stacked(layers: Layers, order: Iterable[str]) -> Layer:
    """Lay the layers over each other, the first one behind."""
    found = [layers[suffix] for suffix in order if suffix in layers]
    canvas = found[0].copy()
    for layer in found[1:]:
        _over(canvas, layer)
    return canvas


def stepped(layers: Layers, rig: Rig, phase: float, strides: float) -> Layer:
    """Four legs of a walk: near and far side half a cycle apart, hind legs a quarter after the front."""
    turn = phase * math.tau
    room = round((layers["near"].shape[0] - rig["hip"]) * _LEG_ROOM)
    near, far = (np.pad(layers[side], ((0, 0), (room, room), (0, 0))) for side in ("near", "far"))
    split = rig["split"] + room
    bent = _bent(far, rig["hip"], split, (turn + math.pi, strides))
    _over(bent, _bent(near, rig["hip"], split, (turn, strides)))
    return bent


def flapped(layers: Layers, phase: float) -> Layer:
    """Both wings beat about the shoulder: up as drawn, then down past the body."""
    beat = 0.22 + 0.78 * math.cos(phase * math.tau)
    canvas = _folded(layers["far"], beat)
    _over(canvas, layers["near"])
    _over(canvas, _folded(layers["wing"], beat))
    return canvas


def jointed(layers: Layers, rig: Rig, turns: Turns) -> Layer:
    """Turn the joints of a figure; the lower foot stands on the last row unless it is lifted."""
    joints, axis, ground = rig["joints"], rig["axis"], rig["ground"]
    places = _places(joints, axis, turns)
    foot = ground - joints["ankle"]
    soles = [_sole(places[side], axis, foot, ground) for side in ("near_shin", "far_shin")]
    fall = ground - max(soles) - turns.lift * ground
    room = round((ground - joints["hip"]) * _ARM_ROOM)
    canvas = np.zeros((round(ground) + room, round(axis * 2) + 2 * room, 4), np.uint8)
    for role in _PAINT_ORDER:
        if role in layers:
            move = np.array([[1, 0, room], [0, 1, room + fall], [0, 0, 1]]) @ places[role]
            _stamp(canvas, layers[role], move, rig["at"][role])
    return canvas


def _bent(layer: Layer, hip_row: float, split: float, gait: tuple[float, float]) -> Layer:
    """Legs are cut off at the hip, where they hardly move, and bent each for itself, the hind ones later."""
    turn, strides = gait
    hip = round(hip_row)
    bent = layer.copy()
    legs = []
    for mask, is_front in _legs(layer[hip:, :, 3], split):
        cut = layer[hip:] * mask[..., None]
        bent[hip:][mask] = 0
        legs.append(_swung(cut, turn if is_front else turn - math.pi / 2, strides))
    for leg in legs:
        _over(bent[hip:], leg)
    return bent


def _legs(alpha: NDArray[np.uint8], split: float) -> list[tuple[NDArray[np.bool_], bool]]:
    """Find what reaches the ground below the hip, as a trunk does not, and whether it is in front."""
    count, labels, boxes, centres = cv2.connectedComponentsWithStats((alpha > 0).astype(np.uint8))
    height, width = alpha.shape
    columns = np.arange(width)
    found: list[tuple[NDArray[np.bool_], bool]] = []
    for label in range(1, count):
        left, top, wide, tall = (int(value) for value in boxes[label][:4])
        if top + tall < height * 0.9:
            continue
        mask = labels == label
        if left < split - _BELLY * width and left + wide > split + _BELLY * width:
            found += [(mask & (columns < split + _SEAM), False), (mask & (columns >= split - _SEAM), True)]
        else:
            found.append((mask, bool(centres[label][0] > split)))
    return found


def _swung(legs: Layer, turn: float, strides: float) -> Layer:
    height, width = legs.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down = y / np.float32(height)
    from_x = x - np.float32(math.sin(turn) * height * 0.3 * strides) * down**1.2
    from_y = y + np.float32(max(0.0, math.cos(turn)) * height * 0.17 * strides) * down
    return cv2.remap(legs, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT).astype(np.uint8)


def _folded(wing: Layer, beat: float) -> Layer:
    """Squeezed towards its lowest row, which is where it grows; a negative beat turns it downwards."""
    rows = np.flatnonzero(wing[..., 3].any(axis=1))
    root = float(rows[-1]) - 0.22 * float(rows[-1] - rows[0])
    move = np.array([[1, 0.18 * (1 - beat), -0.18 * (1 - beat) * root], [0, beat, root * (1 - beat)]])
    size = (wing.shape[1], wing.shape[0])
    return cv2.warpAffine(wing, move, size, flags=cv2.INTER_AREA).astype(np.uint8)


def _places(joints: Mapping[str, float], axis: float, turns: Turns) -> dict[str, NDArray[np.float64]]:
    """Where each part moves; a limb follows the one above it."""
    torso = _turn(axis, joints["hip"], -turns.torso)
    places = {"torso": torso, "back": torso, "head": torso @ _turn(axis, joints["shoulder"], -turns.head)}
    for side in ("near", "far"):
        arm = torso @ _turn(axis, joints["shoulder"], getattr(turns, f"{side}_upper_arm"))
        leg = _turn(axis, joints["hip"], getattr(turns, f"{side}_thigh"))
        places[f"{side}_upper_arm"] = arm
        places[f"{side}_forearm"] = arm @ _turn(axis, joints["elbow"], getattr(turns, f"{side}_forearm"))
        places[f"{side}_thigh"] = leg
        places[f"{side}_shin"] = leg @ _turn(axis, joints["knee"], getattr(turns, f"{side}_shin"))
    return places


def _turn(x: float, y: float, degrees: float) -> NDArray[np.float64]:
    """About a joint, the hanging end forward, which is to the right."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin, x - cos * x - sin * y], [-sin, cos, y + sin * x - cos * y], [0, 0, 1]])


def _sole(shin: NDArray[np.float64], axis: float, foot: float, ground: float) -> float:
    """Find the lowest row that heel or toe reaches."""
    return max(float((shin @ np.array([x, ground, 1.0]))[1]) for x in (axis - 0.7 * foot, axis + 1.6 * foot))


def _stamp(canvas: Layer, part: Layer, move: NDArray[np.float64], corner: list[int]) -> None:
    """Only the rectangle that the turned part touches is worked on."""
    height, width = part.shape[:2]
    shift = move @ np.array([[1, 0, corner[0]], [0, 1, corner[1]], [0, 0, 1]])
    corners = shift @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = (max(0, int(value)) for value in np.floor(corners[:2].min(axis=1)))
    right = min(canvas.shape[1], int(corners[0].max()) + 2)
    bottom = min(canvas.shape[0], int(corners[1].max()) + 2)
    if right <= left or bottom <= top:
        return
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ shift
    turned = cv2.warpAffine(part, shift[:2], (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    _over(canvas[top:bottom, left:right], turned.astype(np.uint8))


def _over(under: Layer, layer: Layer) -> None:
    keep = cv2.merge([255 - layer[..., 3]] * 4)
    under[:] = cv2.add(cv2.multiply(under, keep, scale=1 / 255), layer)
