"""What looking at a file can find: values and errors that cross from a child process to the gate."""

from dataclasses import dataclass
from typing import Literal

from filmgate.domain.film import FilmFacts
from filmgate.domain.limits import PICTURE_BYTES, PICTURE_PIXELS, PICTURE_SIDE

PictureCode = Literal[
    "not_a_picture", "unsupported_type", "too_large", "too_many_pixels", "animated", "truncated"
]
PictureType = Literal["image/jpeg", "image/png"]


class NotAFilm(Exception):  # noqa: N818  It names what the file is, as the caller says it.
    """The file is no MP4 that can be shown. `reason` is for operators: it may quote the file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TruncatedFilm(NotAFilm):
    """It began as a film and ends too early: fetching it again may help."""


class BadPicture(Exception):  # noqa: N818  It names what the file is, as the caller says it.
    """The customer's picture is refused. `reason` is fit to be shown to them."""

    def __init__(self, code: PictureCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code: PictureCode = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PictureLimits:
    size_bytes: int = PICTURE_BYTES
    pixels: int = PICTURE_PIXELS
    side: int = PICTURE_SIDE


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """`content` was encoded by us and carries no metadata."""

    width: int
    height: int
    media_type: PictureType
    content: bytes


@dataclass(frozen=True, slots=True)
class Inspection:
    facts: FilmFacts
    thumbnail_webp: bytes
    thumbnail_jpeg: bytes
    spritesheet_jpeg: bytes
    filmstrip_webp: bytes
