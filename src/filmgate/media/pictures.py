"""A customer's picture: told by its bytes, measured before it is decoded, and encoded again by us."""

import warnings
from io import BytesIO
from typing import Final, Literal

from PIL import Image, ImageCms, ImageOps

from filmgate.media.findings import BadPicture, CheckedPicture, PictureLimits

Format = Literal["JPEG", "PNG", "WEBP"]
WANTED: Final = "send a JPEG, PNG or WebP file"
# What people send by mistake, told by its first bytes so that the refusal can name it.
FOREIGN: Final = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"%PDF", "a PDF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (4, b"JXL ", "a JPEG XL"),
    (4, b"jP  ", "a JPEG 2000"),
    (4, b"ftypavi", "an AVIF"),
    (4, b"ftyphei", "an HEIC"),
    (4, b"ftypmif1", "an HEIC"),
    (4, b"ftyp", "a film"),
)
JPEG_QUALITY: Final = 95
PNG_COMPRESSION: Final = 1
SIXTEEN_BITS: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")
SRGB: Final = ImageCms.createProfile("sRGB")


def check_picture(
    data: bytes, limits: PictureLimits | None = None, *, keep_alpha: bool = False
) -> CheckedPicture:
    """Give the picture upright, in sRGB and without metadata: JPEG, or PNG where alpha is kept.

    Without `keep_alpha` it is laid on white. Raise BadPicture, or MemoryError where the process may not have
    the memory that decoding takes.
    """
    limits = limits or PictureLimits()
    kind = _told(data, limits)
    # Pillow's own limit covers what a decoder allocates while a file is being opened.
    Image.MAX_IMAGE_PIXELS = limits.pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(data, kind) as image:
            _measure(image, limits)
            _decode(image, kind)
            return _encoded(_upright(image), keep_alpha=keep_alpha)


def _told(data: bytes, limits: PictureLimits) -> Format:
    if len(data) > limits.size_bytes:
        size = f"it has {len(data)} bytes, {limits.size_bytes} are allowed"
        raise BadPicture("too_large", size)
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        if int.from_bytes(data[4:8], "little") + 8 > len(data):
            raise BadPicture("truncated", "the WebP file ends before its picture does")
        return "WEBP"
    for start, mark, name in FOREIGN:
        if data[start:].startswith(mark):
            raise BadPicture("unsupported_type", f"it is {name}; {WANTED}")
    raise BadPicture("not_a_picture", f"it is {'empty' if not data else 'no picture'}; {WANTED}")


def _opened(data: bytes, kind: Format) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=(kind,))
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise BadPicture("too_many_pixels", "it has far more pixels than are allowed") from error
    except Exception as error:
        raise BadPicture("not_a_picture", f"its {kind} header cannot be read") from error


def _measure(image: Image.Image, limits: PictureLimits) -> None:
    width, height = image.size
    if max(width, height) > limits.side or width * height > limits.pixels:
        allowed = f"{limits.pixels / 1e6:g} megapixels and {limits.side} a side are allowed"
        raise BadPicture("too_many_pixels", f"it has {width}x{height} pixels, {allowed}")
    # A JPEG may hold a second picture behind the first, a preview or a depth map: that moves nothing.
    if image.format in {"PNG", "WEBP"} and getattr(image, "is_animated", False):
        raise BadPicture("animated", "it is animated; send a still picture")


def _decode(image: Image.Image, kind: Format) -> None:
    try:
        image.load()
    except MemoryError:
        raise
    # On a stranger's bytes a decoder may raise anything.
    except Exception as error:
        if "truncated" in str(error) or isinstance(error, EOFError):
            raise BadPicture("truncated", f"the {kind} file ends before its picture does") from error
        raise BadPicture("not_a_picture", f"its {kind} data cannot be decoded") from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  EXIF that cannot be read turns nothing.
        return image


def _encoded(image: Image.Image, *, keep_alpha: bool) -> CheckedPicture:
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colours = _srgb(image)
    # Encoders would copy comments and profiles from here.
    colours.info.clear()
    out = BytesIO()
    if alpha is not None and keep_alpha:
        colours.putalpha(alpha)
        colours.save(out, "PNG", compress_level=PNG_COMPRESSION)
        return CheckedPicture(colours.width, colours.height, "image/png", out.getvalue())
    if alpha is not None:
        colours = Image.composite(colours, Image.new("RGB", colours.size, "white"), alpha)
    colours.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return CheckedPicture(colours.width, colours.height, "image/jpeg", out.getvalue())


def _srgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        # A plain conversion would cut at 255 instead of scaling.
        image = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    profile = image.info.get("icc_profile")
    opaque = image if image.mode in {"RGB", "CMYK", "L"} else image.convert("RGB")
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(opaque, given, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            # A profile that is broken or of another colour model says nothing.
            converted = None
        if converted is not None:
            return converted
    return opaque.convert("RGB")
