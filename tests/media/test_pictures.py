import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from filmgate.media.findings import BadPicture, CheckedPicture, PictureLimits
from filmgate.media.pictures import check_picture

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def opened(checked: CheckedPicture) -> Image.Image:
    image = Image.open(BytesIO(checked.content))
    image.load()
    assert (image.size, Image.MIME[image.format or ""]) == (
        (checked.width, checked.height),
        checked.media_type,
    )
    return image


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def near(colour, wanted) -> bool:
    return bool(max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 3)


def refusal(data: bytes, limits: PictureLimits | None = None) -> tuple[str, str]:
    with pytest.raises(BadPicture) as refused:
        check_picture(data, limits)
    return refused.value.code, refused.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_kind_becomes_a_jpeg_of_its_own_size(encode, kind):
    checked = check_picture(encode(kind, (41, 23)))
    assert (checked.width, checked.height, checked.media_type) == (41, 23, "image/jpeg")
    assert opened(checked).mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_laid_on_white_or_kept_as_asked(kind):
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (20, 0, 40, 20))
    data = saved(image, kind, lossless=True) if kind == "WEBP" else saved(image, kind)
    flat, kept = opened(check_picture(data)), opened(check_picture(data, keep_alpha=True))
    assert near(flat.getpixel((4, 10)), RED)
    assert near(flat.getpixel((36, 10)), WHITE)
    assert (kept.format, kept.mode) == ("PNG", "RGBA")
    assert (kept.getpixel((4, 10)), kept.getchannel("A").getpixel((36, 10))) == ((255, 0, 0, 255), 0)


def test_an_opaque_picture_is_a_jpeg_also_where_alpha_would_be_kept(encode):
    assert check_picture(encode("PNG"), keep_alpha=True).media_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_turned_upright(kind):
    image = Image.new("RGB", (100, 50), RED)
    image.paste(BLUE, (0, 0, 50, 50))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = opened(check_picture(saved(image, kind, exif=exif, quality=95)))
    assert upright.size == (50, 100)
    assert near(upright.getpixel((25, 10)), BLUE)
    assert near(upright.getpixel((25, 90)), RED)


def test_nothing_but_the_picture_is_kept():
    exif = Image.Exif()
    exif[0x010F] = "CAMERA-MAKER"
    exif.get_ifd(0x8825)[1] = "N"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "A-COMMENT")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 128))
    full = {"exif": exif, "icc_profile": profile, "xmp": b"<x:xmpmeta>SOME-XMP</x:xmpmeta>"}
    jpeg = check_picture(saved(image.convert("RGB"), "JPEG", comment=b"A-COMMENT", **full))
    png = check_picture(saved(image, "PNG", pnginfo=notes, **full), keep_alpha=True)
    for checked in (jpeg, png):
        told = opened(checked)
        assert not told.getexif()
        assert {"exif", "icc_profile", "xmp", "comment", "Comment"} & set(told.info) == set()
        assert not any(word in checked.content for word in (b"CAMERA", b"A-COMMENT", b"SOME-XMP"))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")],
)
def test_every_colour_model_becomes_rgb(encode, mode, kind):
    assert opened(check_picture(encode(kind, mode=mode))).mode == "RGB"


def test_a_palette_with_a_transparent_colour_is_laid_on_white():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 255, 255, 0, 0])
    checked = check_picture(saved(image, "PNG", transparency=0))
    assert near(opened(checked).getpixel((4, 4)), WHITE)


def test_sixteen_bits_are_scaled_and_not_cut():
    grey = np.full((8, 8), 0x8000, np.uint16)
    assert near(opened(check_picture(saved(Image.fromarray(grey), "PNG"))).getpixel((4, 4)), (128, 128, 128))


def test_colours_are_taken_through_their_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")
    data = saved(Image.new("RGB", (8, 8), RED), "JPEG", icc_profile=swapped, quality=95)
    assert near(opened(check_picture(data)).getpixel((4, 4)), BLUE)


def test_a_broken_profile_says_nothing():
    data = saved(Image.new("RGB", (8, 8), RED), "JPEG", icc_profile=b"no profile at all", quality=95)
    assert near(opened(check_picture(data)).getpixel((4, 4)), RED)


def test_a_jpeg_with_a_second_picture_behind_the_first_is_the_first():
    first, second = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (20, 10), "blue")
    out = BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])
    checked = check_picture(out.getvalue())
    assert (checked.width, checked.height) == (40, 20)
    assert near(opened(checked).getpixel((20, 10)), (254, 0, 0))


@pytest.mark.parametrize(
    ("kind", "code", "name"),
    [
        ("GIF", "unsupported_type", "a GIF"),
        ("BMP", "unsupported_type", "a BMP"),
        ("TIFF", "unsupported_type", "a TIFF"),
        ("AVIF", "unsupported_type", "an AVIF"),
        ("JPEG2000", "unsupported_type", "a JPEG 2000"),
        ("PDF", "unsupported_type", "a PDF"),
    ],
)
def test_other_kinds_are_named_and_refused(encode, kind, code, name):
    assert refusal(encode(kind)) == (code, f"it is {name}; send a JPEG, PNG or WebP file")


def test_a_film_is_named_and_refused(films):
    wanted = "it is a film; send a JPEG, PNG or WebP file"
    assert refusal(films.whole.read_bytes()) == ("unsupported_type", wanted)


@pytest.mark.parametrize(
    ("data", "is_"), [(b"", "empty"), (b"<svg/>", "no picture"), (b"\0" * 64, "no picture")]
)
def test_what_is_no_picture_is_refused(data, is_):
    assert refusal(data) == ("not_a_picture", f"it is {is_}; send a JPEG, PNG or WebP file")


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff\xe0junk", b"\x89PNG\r\n\x1a\njunkjunk", b"RIFF\4\0\0\0WEBPjunk"]
)
def test_magic_bytes_alone_are_no_picture(start):
    assert refusal(start)[0] == "not_a_picture"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_is_cut_short_is_truncated(encode, kind):
    data = encode(kind, (200, 200))
    assert refusal(data[: len(data) * 2 // 3]) == (
        "truncated",
        f"the {'WebP' if kind == 'WEBP' else kind} file ends before its picture does",
    )


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(animate, kind):
    assert refusal(animate(kind)) == ("animated", "it is animated; send a still picture")


def test_too_many_bytes_are_refused_before_anything_is_read():
    assert refusal(b"\x89PNG" + bytes(100), PictureLimits(size_bytes=64)) == (
        "too_large",
        "it has 104 bytes, 64 are allowed",
    )


def test_thirty_megapixels_are_refused_by_the_header(promise):
    assert refusal(promise(6000, 5000)) == (
        "too_many_pixels",
        "it has 6000x5000 pixels, 25 megapixels and 16384 a side are allowed",
    )


def test_a_side_that_is_too_long_is_refused_by_the_header(promise):
    assert refusal(promise(16385, 10))[0] == "too_many_pixels"


def test_a_bomb_beyond_all_measure_is_refused_by_the_header(promise):
    assert refusal(promise(100_000, 100_000)) == (
        "too_many_pixels",
        "it has far more pixels than are allowed",
    )


def test_a_webp_canvas_is_measured_before_its_memory_is_taken():
    canvas = b"\x10\0\0\0" + (16383 - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", len(canvas)) + canvas + b"VP8L\x08\0\0\0\x2f" + bytes(7)
    assert refusal(b"RIFF" + struct.pack("<I", len(body)) + body)[0] == "too_many_pixels"


def test_a_png_that_holds_more_than_it_promises_gives_what_it_promised(promise):
    checked = check_picture(promise(10, 10, bytes(50_000_000)))
    assert (checked.width, checked.height) == (10, 10)


def test_a_png_with_a_text_that_unpacks_without_end_does_not_get_far():
    import zlib

    notes = PngImagePlugin.PngInfo()
    notes.add(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    assert refusal(saved(Image.new("RGB", (8, 8)), "PNG", pnginfo=notes))[0] == "not_a_picture"
