"""A film from one picture: a slow push into it, light and dust drifting over it."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PIL import Image, ImageOps

from filmgate.animatic.camera import Camera
from filmgate.animatic.noise import clouds, smooth_step
from filmgate.animatic.planes import U8, Frame, halved, to_bytes, yuv
from filmgate.animatic.spec import BadPictureError, Spec
from filmgate.animatic.stage import Element, Stage
from filmgate.animatic.swarms import Mote, dust

_PIXEL_LIMIT = 25_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")
_PUSH = 0.13


@dataclass(frozen=True, slots=True)
class Print:
    """The picture as planes of the frame's size; at the moment 0 it is shown exactly as it is."""

    y: U8
    u: U8
    v: U8
    aim: tuple[float, float]
    lean: float

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return 0

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        if t <= 0:
            frame.y[:], frame.u[:], frame.v[:] = self.y, self.u, self.v
            return
        for source, out in ((self.y, frame.y), (self.u, frame.u), (self.v, frame.v)):
            height, width = out.shape
            matrix = self._matrix(width, height, t)
            cv2.warpPerspective(source, matrix, (width, height), out, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)

    def _matrix(
        self, width: int, height: int, t: float
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        near = pushed(t)
        zoom = 1 + _PUSH * near
        x, y = (width * self.aim[0], height * self.aim[1])
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        moved = (corners - np.array([x, y], np.float32)) * np.float32(zoom) + np.array([x, y], np.float32)
        # The tilt only ever moves corners outwards, so no border comes into view.
        tilt = np.float32(width * 0.02 * near)
        moved[:2, 0] += np.array([-tilt, tilt], np.float32) * np.float32(max(self.lean, 0.0))
        moved[2:, 0] += np.array([tilt, -tilt], np.float32) * np.float32(max(-self.lean, 0.0))
        return cast(
            "np.ndarray[tuple[int, int], np.dtype[np.float64]]", cv2.getPerspectiveTransform(corners, moved)
        )


@dataclass(frozen=True, slots=True)
class Gleam:
    """Soft light that wanders over the picture once it moves."""

    field: U8

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        strength = _risen(t)
        if strength <= 0:
            return
        room = self.field.shape[1] - frame.width
        left = room * (0.5 - 0.5 * np.cos(t * 0.16))
        light = frame.scratch[0].reshape(frame.height, frame.width)
        cv2.getRectSubPix(
            self.field, (frame.width, frame.height), (left + frame.width / 2, frame.height / 2), light
        )
        cv2.addWeighted(frame.y, 1.0, light, strength, 0.0, frame.y)


def picture_elements(spec: Spec, stage: Stage) -> list[Element]:
    rng = stage.rng("picture")
    image = _fitted(_read(spec.pictures[0].path), spec.width, spec.height)
    planes = yuv(image.astype(np.float32) / np.float32(255))
    y, u, v = to_bytes(planes[..., 0]), to_bytes(halved(planes[..., 1])), to_bytes(halved(planes[..., 2]))
    aim = (float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.38, 0.55)))
    motes = dust(stage, 22)

    def risen(index: int, t: float) -> Mote:
        mote = motes.course(index, t)
        return Mote(mote.at, mote.strength * _risen(t))

    return [
        Print(y, u, v, aim, float(rng.choice((-1.0, 1.0)))),
        _gleam(stage, rng),
        replace(motes, course=risen),
    ]


def pushed(t: float) -> float:
    """From 0 towards 1, starting and ending at rest."""
    return t * t / (t * t + 14.0)


def _risen(t: float) -> float:
    share = min(1.0, t / 1.6)
    return share * share * (3 - 2 * share)


def _read(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=_FORMATS)
    except FileNotFoundError:
        raise BadPictureError(f"There is no picture at {path}.") from None
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPictureError(
            f"The picture {path.name} is not a JPEG, PNG or WebP that can be read."
        ) from None
    if image.width * image.height > _PIXEL_LIMIT:
        raise BadPictureError(
            f"The picture {path.name} has more than {_PIXEL_LIMIT // 1_000_000} megapixels."
        )
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            clear = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
        return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        raise BadPictureError(f"The picture {path.name} is broken or cut off.") from None


def _fitted(image: Image.Image, width: int, height: int) -> U8:
    """Scale until the frame is covered, and keep the middle."""
    fitted = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8)


def _gleam(stage: Stage, rng: np.random.Generator) -> Gleam:
    width, height = int(stage.width * 1.5) & ~1, stage.height
    slant = np.arange(height, dtype=np.float32).reshape(-1, 1) * np.float32(0.6)
    x = (np.arange(width, dtype=np.float32).reshape(1, -1) + slant) / np.float32(stage.width)
    bars = np.exp(-(((x - 0.75) / 0.24) ** 2)) + np.float32(0.6) * np.exp(-(((x - 1.35) / 0.12) ** 2))
    soft = smooth_step(0.2, 0.8, clouds(rng, (width // 8, height // 8), (3, 3), 2))
    wide = cv2.resize(soft.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return Gleam(
        to_bytes(np.asarray(bars * (np.float32(0.5) + np.float32(0.5) * wide) * 17, dtype=np.float32))
    )
