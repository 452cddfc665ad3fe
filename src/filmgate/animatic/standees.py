"""Reference pictures with clear parts: cut out, lit as the sprites are, and standing among them."""

from typing import cast

import cv2
import numpy as np
from PIL import Image

from filmgate.animatic.cutouts import Cutout, shadow_patch
from filmgate.animatic.motions import WALK_PACE, Spot, medium, motion_of
from filmgate.animatic.palette import mix
from filmgate.animatic.picture import colours
from filmgate.animatic.planes import Field, Patch, faded, patch_of
from filmgate.animatic.spec import BadPictureError
from filmgate.animatic.stage import Stage
from filmgate.animatic.staging import DEPTH, Actor

_STRETCH = 1.15
_ROOM = 4
_SEEN = 12
_CLEAR_SHARE = 0.04
_GOING = {"walk", "run", "hunt", "drive"}
# What moves as such a guest does: on water, and everywhere else.
_AFLOAT, _AFOOT = "swan", "teddy-bear"
_ROWS = {"void": 0.62, "deep": 0.66, "air": 0.5}


def is_cut_out(image: Image.Image) -> bool:
    """Tell whether enough of a picture is clear that its outline is meant."""
    if image.mode != "RGBA":
        return False
    alpha = np.asarray(image.getchannel("A"))
    return float(np.mean(alpha < _SEEN)) > _CLEAR_SHARE


def goes_along(stage: Stage) -> bool:
    """Tell whether a guest keeps up with the camera, as who walks or floats does."""
    return medium(stage, _stand_in(stage)) != "ground" or bool(_GOING & set(stage.scene.actions))


def trimmed(image: Image.Image, name: str) -> Image.Image:
    """Cut away the clear border. Raise BadPictureError where nothing is left."""
    box = image.getchannel("A").point(lambda value: 255 if value >= _SEEN else 0).getbbox()
    if box is None:
        raise BadPictureError(f"The picture {name} shows nothing: all of it is clear.")
    return image.crop(box)


def feet_row(stage: Stage) -> float:
    """Give the row on which a guest stands or floats."""
    where = medium(stage, _stand_in(stage))
    if where == "water":
        return stage.horizon + (stage.height - stage.horizon) * 0.46
    if where in _ROWS:
        return stage.height * _ROWS[where]
    return stage.ground


def standee(
    stage: Stage, image: Image.Image, size: tuple[float, float], foot: tuple[float, float], index: int
) -> Actor:
    """Make a guest of this size in pixels whose feet are at a point of the set."""
    name = _stand_in(stage)
    where = medium(stage, name)
    patch, anchor = _cut(stage, image, (round(size[0] * _STRETCH), round(size[1] * _STRETCH)))
    spot = Spot(foot[0], foot[1], size[1], stage.unit, 1, index + 1)
    return Actor(
        cutout=Cutout((patch,), (anchor,), size[0], size[1], glows=False),
        motion=motion_of(stage, name, spot, hunter=False),
        follows=goes_along(stage),
        shadow=shadow_patch(stage, size[0]) if where == "ground" else None,
        reflection=(faded(patch, 0.3),) if where == "water" else None,
        pace=WALK_PACE,
        lag=0.0,
        stretch=_STRETCH,
        depth=DEPTH if where in {"ground", "water"} else 0.35,
    )


def _stand_in(stage: Stage) -> str:
    ashore = any(medium(stage, subject.name) in {"ground", "fixed"} for subject in stage.scene.subjects)
    return _AFLOAT if stage.scene.place in {"lake", "sea"} and not ashore else _AFOOT


def _cut(stage: Stage, image: Image.Image, size: tuple[int, int]) -> tuple[Patch, tuple[float, float]]:
    scaled = image.resize(size, Image.Resampling.LANCZOS)
    whole = np.pad(colours(scaled), ((_ROOM, _ROOM), (_ROOM, _ROOM), (0, 0)), mode="edge")
    alpha = np.pad(colours(scaled)[..., 3], _ROOM)
    rgb = _lit(stage, whole[..., :3], alpha)
    return patch_of(rgb, alpha), (alpha.shape[1] / 2, float(alpha.shape[0] - _ROOM))


def _lit(stage: Stage, rgb: Field, alpha: Field) -> Field:
    """Tint less than a sprite, so that it is known again, and catch the light on the edge that faces it."""
    palette = stage.palette
    height, width = alpha.shape
    tint = np.array(mix((1.0, 1.0, 1.0), palette.sprite, 0.75), dtype=np.float32)
    down = np.linspace(1.05, 0.92, height, dtype=np.float32).reshape(-1, 1, 1)
    shaded = rgb * tint * down
    reach = max(1.0, height * 0.009)
    way = 1.0 if stage.light.x < stage.width / 2 else -1.0
    moved = cv2.warpAffine(alpha, np.array([[1, 0, way * reach], [0, 1, reach * 0.8]]), (width, height))
    rim = np.clip(alpha - moved, 0, 1)[..., None] * np.float32(0.55 if palette.dark else 0.35)
    shaded = np.clip(shaded + (np.array(palette.light, dtype=np.float32) - shaded) * rim, 0, 1)
    return cast("Field", shaded + (palette.graded(shaded) - shaded) * np.float32(0.6))
