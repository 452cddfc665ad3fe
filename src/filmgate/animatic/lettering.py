"""Caption text as alpha masks, in the one font that comes with the program."""

import re
import unicodedata
from functools import lru_cache
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_FONT = Path(__file__).parent / "assets" / "FilmgateCaption.woff2"
_SIZE_SHARE = 0.75
_BASELINE_SHARE = 0.78
_NARROWEST_SHARE = 0.2
# Letters are set and drawn this much larger: at their own size each would be moved to a whole pixel.
_FINE = 4
_CUT = "…"
# A line may break in front of each Chinese character and after blanks, but never in front of closing punctuation.
_PIECES = re.compile(
    r"[^\s\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]+\s*|[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]\s*",
    re.UNICODE,
)
_NEVER_FIRST = frozenset("，。、；：？！）》」』】〉”’…,.;:?!)]}")
_NEVER_LAST = frozenset("（《「『【〈“‘([{")


def line(text: str, height_px: int) -> NDArray[np.uint8]:
    """Opacity of one line of text, `height_px` rows high with room for descenders, as wide as the text needs."""
    shown = legible(text)
    font = _font(_size(height_px))
    width_px = ceil(_width(font, shown))
    if not width_px:
        return np.zeros((height_px, 0), np.uint8)
    mask = Image.new("L", (width_px * _FINE, height_px * _FINE))
    baseline = round(height_px * _BASELINE_SHARE) * _FINE
    ImageDraw.Draw(mask).text((0, baseline), shown, fill=255, font=font, anchor="ls")
    return np.asarray(mask.reduce(_FINE), dtype=np.uint8)


def wrap(text: str, height_px: int, width_px: int, lines: int = 2) -> tuple[str, ...]:
    """At most `lines` lines that fit into `width_px`, of like length; what is too much ends in an ellipsis."""
    size_px = _size(height_px)
    # No more characters can fit, and a prompt may be a book.
    pieces = _pieces(legible(text[: 64 + int(lines * width_px / (size_px * _NARROWEST_SHARE))]))
    font = _font(size_px)
    filled = _filled(pieces, font, width_px)
    if len(filled) > lines:
        return (
            *filled[: lines - 1],
            _shortened("".join(pieces)[len("".join(filled[: lines - 1])) :], font, width_px),
        )
    if len(filled) > 1:
        filled = _balanced(pieces, font, width_px, len(filled))
    return tuple(row.strip() for row in filled if row.strip())


def legible(text: str) -> str:
    """Drop the characters that the font lacks, and bring the rest onto one line."""
    composed = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text))
    kept = "".join(character for character in composed if _is_drawn(character))
    return re.sub(r" {2,}", " ", kept).strip()


@lru_cache(maxsize=8192)
def _is_drawn(character: str) -> bool:
    """Know the font: it is cut to GB2312 and the printable half of Latin-1."""
    if ord(character) < 0x100:  # noqa: PLR2004  # Where Latin-1 ends.
        return character.isprintable()
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size_px * _FINE, layout_engine=ImageFont.Layout.BASIC)


def _size(height_px: int) -> int:
    return max(1, round(height_px * _SIZE_SHARE))


def _width(font: ImageFont.FreeTypeFont, text: str) -> float:
    return font.getlength(text) / _FINE


def _pieces(text: str) -> list[str]:
    """Cut the text into what must stay together."""
    pieces: list[str] = []
    for piece in _PIECES.findall(text):
        if pieces and (piece[0] in _NEVER_FIRST or pieces[-1][-1] in _NEVER_LAST):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _filled(pieces: list[str], font: ImageFont.FreeTypeFont, width_px: float) -> list[str]:
    """Each line as full as it gets; a piece too wide for a line is cut where the line ends."""
    rows = [""]
    for piece in pieces:
        if rows[-1] and _width(font, (rows[-1] + piece).rstrip()) > width_px:
            rows.append("")
        rows[-1] += piece
        while len(rows[-1]) > 1 and _width(font, rows[-1].rstrip()) > width_px:
            fit = _fitting(rows[-1], font, width_px)
            rows[-1:] = [rows[-1][:fit], rows[-1][fit:]]
    return rows


def _balanced(pieces: list[str], font: ImageFont.FreeTypeFont, width_px: float, count: int) -> list[str]:
    """Find the narrowest filling that needs no more lines."""
    narrow, wide = _width(font, "".join(pieces)) / count, width_px
    while wide - narrow > 1:
        middle = (narrow + wide) / 2
        if len(_filled(pieces, font, middle)) > count:
            narrow = middle
        else:
            wide = middle
    return _filled(pieces, font, wide)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width_px: float) -> str:
    fit = _fitting(text, font, width_px - _width(font, _CUT))
    return text[:fit].strip().rstrip("，。、；：,.;: ") + _CUT


def _fitting(text: str, font: ImageFont.FreeTypeFont, width_px: float) -> int:
    """How many characters fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _width(font, text[:middle].rstrip()) <= width_px:
            low = middle
        else:
            high = middle - 1
    return low
