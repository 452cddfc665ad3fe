"""Subjects as paper cut-outs: tinted, lit at the edge, and bent into the phases of a step."""

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from filmgate.animatic.planes import U8, Field, Frame, Patch, blend, lay, patch_of
from filmgate.animatic.sprites import PHASES, moves, pose, sprite, traits
from filmgate.animatic.stage import Stage


@dataclass(frozen=True, slots=True)
class Cutout:
    """The moments of one cycle of motion; the feet stand on `anchors`, a point of each patch."""

    moments: tuple[Patch, ...]
    anchors: tuple[tuple[float, float], ...]
    width: float
    height: float
    glows: bool


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the feet are in the frame, the turn in radians (clockwise), and the stretch along both sides."""

    x: float
    y: float
    turn: float = 0.0
    wide: float = 1.0
    tall: float = 1.0

    @property
    def upright(self) -> bool:
        return self.turn == 0.0 and self.wide == self.tall == 1.0


def cut_out(
    stage: Stage, name: str, height: float, *, faces_right: bool, action: str, stretch: float = 1.15
) -> Cutout:
    """`stretch` is how much the camera may enlarge it; where `action` has limbs to move, the cycle has many moments."""
    size = max(8, round(height * stretch))
    own = traits(name)
    turned = (own.facing == "left" and faces_right) or (own.facing == "right" and not faces_right)
    steps = range(PHASES) if action and moves(name, action) else None
    drawings = [pose(name, size, action, step) for step in steps] if steps else [sprite(name, size)]
    glow = _glow(stage, name, size) if steps is None else None
    patches, anchors = [], []
    for drawing in drawings:
        rgb, alpha = _lit(stage, drawing, glow, turned=turned)
        room = 4
        alpha = np.pad(alpha, room)
        rgb = np.pad(rgb, ((room, room), (room, room), (0, 0)), mode="edge")
        patches.append(patch_of(stage.palette.graded(rgb), alpha))
        anchors.append((alpha.shape[1] / 2, alpha.shape[0] - float(room)))
    plain = sprite(name, size)
    return Cutout(
        tuple(patches), tuple(anchors), plain.shape[1] / stretch, plain.shape[0] / stretch, glow is not None
    )


def shadow_patch(stage: Stage, width: float) -> Patch:
    """Make a soft flat oval for what stands on the ground."""
    wide, tall = max(4, round(width * 1.1)) & ~1, max(4, round(width * 0.2)) & ~1
    x = np.linspace(-1, 1, wide, dtype=np.float32).reshape(1, -1)
    y = np.linspace(-1, 1, tall, dtype=np.float32).reshape(-1, 1)
    alpha = np.clip(1 - (x * x + y * y), 0, 1) ** np.float32(0.8) * np.float32(0.42)
    dark = stage.palette.graded(np.array(stage.palette.wash, dtype=np.float32) * np.float32(0.3))
    return patch_of(np.broadcast_to(dark, (tall, wide, 3)), cast("Field", alpha))


def paste(
    frame: Frame, patch: Patch, anchor: tuple[float, float], at: Placing, *, mirrored: bool = False
) -> None:
    """Draw a patch so that its point `anchor` lies at the place; only the rectangle it touches is worked on."""
    cos, sin = math.cos(at.turn), math.sin(at.turn)
    tall = -at.tall if mirrored else at.tall
    a, b, c, d = cos * at.wide, -sin * tall, sin * at.wide, cos * tall
    height, width = patch.y.shape
    ax, ay = anchor
    e, f = at.x - a * ax - b * ay, at.y - c * ax - d * ay
    x0 = max(0, int(e + min(0, a * width) + min(0, b * height)) - 1 & ~1)
    y0 = max(0, int(f + min(0, c * width) + min(0, d * height)) - 1 & ~1)
    x1 = min(frame.width, int(e + max(0, a * width) + max(0, b * height)) + 3 & ~1)
    y1 = min(frame.height, int(f + max(0, c * width) + max(0, d * height)) + 3 & ~1)
    if x1 - x0 < 2 or y1 - y0 < 2:  # noqa: PLR2004  colour needs two pixels
        return
    e, f = e - x0, f - y0
    whole, size = np.array(((a, b, e), (c, d, f))), (x1 - x0, y1 - y0)
    blend(frame.y[y0:y1, x0:x1], _moved(patch.y, whole, size, 0), _moved(patch.keep, whole, size, 255))
    # The middle of a colour sample lies between two pixels of light.
    half = np.array(((a, b, (e - 0.5) / 2 + (a + b) / 4), (c, d, (f - 0.5) / 2 + (c + d) / 4)))
    part, size = (slice(y0 // 2, y1 // 2), slice(x0 // 2, x1 // 2)), (size[0] // 2, size[1] // 2)
    keep = _moved(patch.keep_half, half, size, 255)
    blend(frame.u[part], _moved(patch.u, half, size, 0), keep)
    blend(frame.v[part], _moved(patch.v, half, size, 0), keep)


def glide(frame: Frame, patch: Patch, x: float, y: float) -> None:
    """Draw an upright patch with its middle at a point between pixels; its border must be clear."""
    height, width = patch.y.shape
    left, top = math.floor(x - width / 2) & ~1, math.floor(y - height / 2) & ~1
    right, down = x - width / 2 - left, y - height / 2 - top
    whole, half = (width + 2, height + 2), (width // 2 + 1, height // 2 + 1)
    at = ((width + 1) / 2 - right, (height + 1) / 2 - down)
    at_half = (width / 4 - right / 2, height / 4 - down / 2)
    moved = Patch(
        y=cast("U8", cv2.getRectSubPix(patch.y, whole, at)),
        u=cast("U8", cv2.getRectSubPix(patch.u, half, at_half)),
        v=cast("U8", cv2.getRectSubPix(patch.v, half, at_half)),
        keep=cast("U8", cv2.getRectSubPix(patch.keep, whole, at)),
        keep_half=cast("U8", cv2.getRectSubPix(patch.keep_half, half, at_half)),
    )
    lay(frame, moved, left, top)


def paste_soft(frame: Frame, patch: Patch, middle: tuple[float, float], size: tuple[float, float]) -> None:
    """Stretch a patch without edges to a size, to the nearest even pixel: far cheaper than `paste`."""
    width, height = max(2, round(size[0])) & ~1, max(2, round(size[1])) & ~1
    full, half = (width, height), (width // 2, height // 2)
    planes = ((patch.y, full), (patch.u, half), (patch.v, half), (patch.keep, full), (patch.keep_half, half))
    y, u, v, keep, keep_half = (cast("U8", cv2.resize(plane, to)) for plane, to in planes)
    left, top = round(middle[0] - width / 2), round(middle[1] - height / 2)
    lay(frame, Patch(y, u, v, keep, keep_half), left, top)


def _moved(
    plane: U8,
    matrix: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    size: tuple[int, int],
    outside: int,
) -> U8:
    return cast("U8", cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR, borderValue=outside))


def _lit(stage: Stage, drawing: U8, glow: U8 | None, *, turned: bool) -> tuple[Field, Field]:
    """Tint a drawing, shade it downwards and catch the light on the edge that faces it."""
    if turned:
        drawing, glow = drawing[:, ::-1], None if glow is None else glow[:, ::-1]
    palette = stage.palette
    rgb, alpha = drawing[..., :3].astype(np.float32) / 255, drawing[..., 3].astype(np.float32) / 255
    height, width = alpha.shape
    tint = np.array(palette.sprite, dtype=np.float32)
    down = np.linspace(0, 1, height, dtype=np.float32).reshape(-1, 1, 1)
    shaded = rgb * tint * (np.float32(1.06) - np.float32(0.16) * down)
    shaded = shaded + np.array(palette.wash, np.float32) * np.float32(0.1 * (1 - float(tint.mean())))
    reach = max(1.0, height * 0.011)
    way = 1.0 if stage.light.x < stage.width / 2 else -1.0
    moved = cv2.warpAffine(alpha, np.array([[1, 0, way * reach], [0, 1, reach * 0.8]]), (width, height))
    rim = np.clip(alpha - moved, 0, 1)[..., None] * np.float32(0.62 if palette.dark else 0.4)
    shaded = shaded + (np.array(palette.light, np.float32) - shaded) * rim
    if glow is not None:
        shining = glow.astype(np.float32) / 255
        shaded = shaded + (shining[..., :3] - shaded) * shining[..., 3:]
    return cast("Field", np.clip(shaded, 0, 1)), cast("Field", alpha)


def _glow(stage: Stage, name: str, height: int) -> U8 | None:
    """Give what shines by itself in the dark, where a drawing of it exists."""
    if not (stage.palette.dark or stage.scene.time == "dusk"):
        return None
    try:
        return sprite(f"{name}-glow", height)
    except KeyError:
        return None
