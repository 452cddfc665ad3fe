"""One picture of a film, for lists and players."""

from io import BytesIO
from typing import Final, Literal

from PIL.Image import Image

from filmgate.media.frames import images_at
from filmgate.media.source import Source

Kind = Literal["webp", "jpeg"]
AT: Final = 0.4
WIDTH: Final = 640


def thumbnail(source: Source, kind: Kind, at: float = AT, width: int = WIDTH) -> bytes:
    """Encode the picture at a share of the duration (0 to 1), at most `width` wide."""
    return encoded(images_at(source, [at], [width])[0], kind)


def encoded(image: Image, kind: Kind) -> bytes:
    out = BytesIO()
    if kind == "webp":
        image.save(out, "WEBP", quality=80, method=2)
    else:
        image.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()
