"""Pictures that a film is asked to show: read with care, and cut to the frame."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from filmgate.animatic.planes import U8, Field, Frame, halved, to_bytes, yuv
from filmgate.animatic.spec import BadPictureError

_PIXEL_LIMIT = 25_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Planes:
    """A whole picture in the colours of a frame: `u` and `v` have half its sides."""

    y: U8
    u: U8
    v: U8

    def show(self, frame: Frame) -> None:
        frame.y[:], frame.u[:], frame.v[:] = self.y, self.u, self.v


def open_picture(path: Path) -> Image.Image:
    """Read a picture upright, as RGB, or as RGBA where parts of it are clear. Raise BadPictureError."""
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
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, ValueError, SyntaxError):
        raise BadPictureError(f"The picture {path.name} is broken or cut off.") from None


def opaque(image: Image.Image) -> Image.Image:
    """Lay what is clear on white."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def colours(image: Image.Image) -> Field:
    """Give height x width x 3, 0 to 1."""
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def covering(path: Path, width: int, height: int) -> Planes:
    """Read a picture, scale it until the frame is covered, and keep the middle."""
    fitted = ImageOps.fit(opaque(open_picture(path)), (width, height), Image.Resampling.LANCZOS)
    planes = yuv(colours(fitted))
    return Planes(
        to_bytes(planes[..., 0]), to_bytes(halved(planes[..., 1])), to_bytes(halved(planes[..., 2]))
    )
