"""SVG in, cropped WebP out."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

from PIL import Image

_SVG = "http://www.w3.org/2000/svg"


def read(path: Path) -> ET.Element:
    return ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  # Drawings of this repository.


def groups(root: ET.Element) -> dict[str, str]:
    """The inner SVG of each top-level group by its id; a group without an id is `near`."""
    ET.register_namespace("", _SVG)
    found = {}
    for group in root:
        inner = "".join(ET.tostring(shape, encoding="unicode") for shape in group)
        found[group.get("id", "near")] = re.sub(r'\s+xmlns="[^"]*"', "", inner)
    return found


def view_box(root: ET.Element) -> tuple[float, float]:
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    return width, height


def raster(inner: str, box: tuple[float, float, float, float], px_per_unit: float) -> Image.Image:
    """`box` is left, top, width and height in units."""
    left, top, width, height = box
    svg = (
        f'<svg xmlns="{_SVG}" viewBox="{left:g} {top:g} {width:g} {height:g}">'
        f'<g fill="none">{inner}</g></svg>'
    )
    to_png = cast("Callable[..., bytes]", import_module("resvg_py").svg_to_bytes)
    png = to_png(svg_string=svg, width=round(width * px_per_unit), height=round(height * px_per_unit))
    return Image.open(BytesIO(bytes(png))).convert("RGBA")


def crop_together(layers: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    """Cut all layers to the box that their visible pixels share."""
    boxes = [box for layer in layers.values() if (box := layer.getchannel("A").getbbox())]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return {name: layer.crop((left, top, right, bottom)) for name, layer in layers.items()}


def webp(image: Image.Image) -> bytes:
    packed = BytesIO()
    image.save(packed, "WEBP", lossless=True, quality=60, method=4, exact=False)
    return packed.getvalue()
