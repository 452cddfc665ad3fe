"""The jointed parts of a figure: arms and legs are made from its measures, torso and head are its drawing."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from tools.drawing import groups, read

AXIS = 16.0
SKIN = "#f7cba6"
SKIN_FAR = "#dfa77f"
BUILDS = {
    "adult": {"shoulder": 11.6, "elbow": 15.4, "wrist": 18.8, "hip": 19.6, "knee": 25.0, "ankle": 30.2},
    "child": {"shoulder": 14.6, "elbow": 17.8, "wrist": 20.6, "hip": 21.6, "knee": 26.0, "ankle": 30.4},
}
PAINT_ORDER = (
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


@dataclass(frozen=True, slots=True)
class Figure:
    """SVG of each part by its role, hanging straight down from its joint, feet on 32; joints are heights."""

    joints: dict[str, float]
    parts: dict[str, str]


def figure(path: Path) -> Figure:
    root = read(path)
    joints = BUILDS[root.attrib["data-build"]]
    drawn = groups(root)
    parts = _near_and_far(root, joints) | drawn
    return Figure(joints, {role: parts[role] for role in PAINT_ORDER if role in parts})


def _near_and_far(root: Element, joints: dict[str, float]) -> dict[str, str]:
    arm = float(root.get("data-arm-width", "2.3"))
    leg = float(root.get("data-leg-width", "3.1"))
    parts = {}
    for side, suffix in (("near", ""), ("far", "-far")):
        top = root.attrib[f"data-top{suffix}"]
        legs = root.attrib[f"data-legs{suffix}"]
        hand = root.get(f"data-hand{suffix}", SKIN_FAR if suffix else SKIN)
        sleeve = root.get(f"data-sleeve{suffix}", top)
        upper = (joints["shoulder"], joints["elbow"], arm)
        lower = (joints["elbow"], joints["wrist"] - 0.5, arm * 0.92)
        parts[f"{side}_upper_arm"] = _shadow(*upper) + _limb(*upper, top)
        parts[f"{side}_forearm"] = _hand(joints, arm, hand) + _shadow(*lower) + _limb(*lower, sleeve)
        parts[f"{side}_thigh"] = _limb(joints["hip"], joints["knee"], leg, legs)
        parts[f"{side}_shin"] = _limb(
            joints["knee"], joints["ankle"] - 0.3, leg * 0.86, root.get(f"data-shin{suffix}", legs)
        ) + _shoe(joints, leg * 0.86, root.attrib["data-shoes"], shaded=bool(suffix))
    return parts


def _limb(start: float, end: float, width: float, colour: str) -> str:
    stroke = f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"'
    return f'<path fill="none" {stroke} d="M{AXIS} {start:g}V{end:g}"/>'


def _shadow(start: float, end: float, width: float) -> str:
    """A dark edge that lifts an arm off a body of the same colour."""
    stroke = f'stroke="#1a1026" stroke-opacity=".16" stroke-width="{width + 0.55:g}" stroke-linecap="round"'
    return f'<path fill="none" {stroke} d="M{AXIS} {start + 0.6:g}V{end:g}"/>'


def _hand(joints: dict[str, float], width: float, colour: str) -> str:
    return f'<circle cx="{AXIS}" cy="{joints["wrist"] + 0.5:g}" r="{width * 0.52:g}" fill="{colour}"/>'


def _shoe(joints: dict[str, float], width: float, colour: str, *, shaded: bool) -> str:
    heel = AXIS - width * 0.52
    outline = (
        f"M{heel:g} {joints['ankle'] - 0.4:g}h{width * 1.04:g}c.9.5 2.2.5 2.5 1.5c.1.4-.1.9-.6.9H{heel + 0.2:g}"
        f"c-.4 0-.6-.3-.6-.6z"
    )
    shade = f'<path fill="#000" opacity=".28" d="{outline}"/>' if shaded else ""
    return f'<path fill="{colour}" d="{outline}"/>{shade}'
