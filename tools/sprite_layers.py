"""The picture layers of one sprite, cropped to what they share, and where its limbs turn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from tools.drawing import crop_together, groups, raster, read, view_box
from tools.limbs import AXIS, figure
from tools.sprite_sources import Source

HEIGHT_PX = 448
WIDTH_PX = 640
EMOJI_UNITS = 32.0
FIGURE_BOX = (3.0, -6.0, 26.0, 38.0)


@dataclass(frozen=True, slots=True)
class Sprite:
    """Layers by suffix ("" is the whole sprite, ".far" lies behind ".near"); `rig` in pixels of the layers."""

    layers: dict[str, Image.Image]
    rig: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Legs:
    """In units, as the sprite faces right: the row where legs begin and the column between them."""

    hip: float
    split: float


def emoji(body: str, source: Source) -> Sprite:
    shapes = re.findall(r"<(?:path|circle|ellipse|rect)\b[^>]*/>", body)
    if source.trim:
        index, subpath = source.trim
        shapes[index] = shapes[index].split(subpath)[0] + '"/>'
    kept = [index for index in range(len(shapes)) if index not in source.drop]
    parts = {"near": "".join(shapes[index] for index in kept if index not in source.far)}
    if source.far:
        parts["far"] = "".join(shapes[index] for index in source.far)
    whole = {"near": body} if not (source.drop or source.trim or source.far) else parts
    parts = {name: _recoloured(inner, source.colours) for name, inner in (parts | whole).items()}
    if source.glow:
        parts["lit"] = "".join(
            _filled(shapes[index], "#fff" if index in source.glow else "#000") for index in kept
        )
    if source.turn:
        parts = {
            name: f'<g transform="translate(32 0) scale(-1 1)">{inner}</g>' for name, inner in parts.items()
        }
    layers = _rasters(parts, (EMOJI_UNITS, EMOJI_UNITS))
    if source.glow:
        layers[".glow"] = _glow(layers[".near"], layers.pop(".lit"), source.glow_colour)
    return _cropped(layers, _Legs(source.hip, EMOJI_UNITS - source.split) if source.hip else None)


def drawn(path: Path, colours: Mapping[str, str] | None = None) -> Sprite:
    root = read(path)
    parts = {name: _recoloured(inner, colours or {}) for name, inner in groups(root).items()}
    hip, split = float(root.get("data-hip", "0")), float(root.get("data-split", "0"))
    return _cropped(_rasters(parts, view_box(root)), _Legs(hip, split) if hip else None)


def jointed(path: Path) -> Sprite:
    limbs = figure(path)
    left, top, _, height = FIGURE_BOX
    scale = HEIGHT_PX / EMOJI_UNITS
    layers: dict[str, Image.Image] = {}
    corners = {}
    for role, inner in limbs.parts.items():
        image = raster(inner, FIGURE_BOX, scale)
        box = image.getchannel("A").getbbox()
        if box is None:
            raise ValueError(f"{path.name}: the part {role!r} is empty; draw it or remove its group")
        layers[f".{role}"] = image.crop(box)
        corners[role] = box[:2]
    joints = {name: round((y - top) * scale, 2) for name, y in limbs.joints.items()}
    ground = round(height * scale)
    rig = {"kind": "limbs", "axis": (AXIS - left) * scale, "ground": ground, "joints": joints, "at": corners}
    return Sprite(layers, rig)


def _rasters(parts: Mapping[str, str], size: tuple[float, float]) -> dict[str, Image.Image]:
    scale = _scale(size)
    return {f".{name}": raster(inner, (0, 0, *size), scale) for name, inner in parts.items()}


def _scale(size: tuple[float, float]) -> float:
    return min(HEIGHT_PX / size[1], WIDTH_PX / size[0])


def _glow(sprite: Image.Image, lit: Image.Image, colour: str) -> Image.Image:
    """What shines, where nothing stands before it."""
    shining = Image.new("RGBA", sprite.size, colour) if colour else sprite.copy()
    shining.putalpha(Image.composite(lit.convert("L"), Image.new("L", lit.size), lit.getchannel("A")))
    return shining


def _cropped(layers: dict[str, Image.Image], legs: _Legs | None) -> Sprite:
    scale = HEIGHT_PX / EMOJI_UNITS
    visible = [box for name, layer in layers.items() if name != ".glow" and (box := layer.getbbox())]
    left, top = min(box[0] for box in visible), min(box[1] for box in visible)
    layers = crop_together(layers)
    if legs:
        split, hip = legs.split * scale - left, legs.hip * scale - top
        return Sprite(layers, {"kind": "legs", "hip": hip, "split": split})
    if ".wing" in layers:
        return Sprite(layers, {"kind": "wing"})
    layers[""] = layers.pop(".near")
    return Sprite(layers)


def _filled(shape: str, colour: str) -> str:
    return re.sub(r'(fill|stroke)="#[^"]*"', rf'\1="{colour}"', shape)


def _recoloured(svg: str, colours: Mapping[str, str]) -> str:
    return re.sub(r"#[0-9a-f]{3,6}\b", lambda found: colours.get(found.group(), found.group()), svg)
