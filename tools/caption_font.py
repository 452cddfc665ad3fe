"""The caption font: Noto Sans SC cut down to GB2312 and Latin-1, under a name of its own."""

from importlib import import_module
from pathlib import Path

FAMILY = "Filmgate Caption"
FIRST_PRINTABLE = 0x20
FAMILY_NAMES = (1, 16)
FULL_NAME, POSTSCRIPT_NAME, UNIQUE_NAME = 4, 6, 3
KEPT_NAMES = (0, 1, 2, 3, 4, 5, 6, 13, 14)


def characters() -> frozenset[str]:
    """GB2312 and the printable half of Latin-1."""
    latin = {chr(code) for code in range(FIRST_PRINTABLE, 0x100) if chr(code).isprintable()}
    chinese = {
        bytes((row, cell)).decode("gb2312", "ignore")
        for row in range(0xA1, 0xF8)
        for cell in range(0xA1, 0xFF)
    }
    return frozenset(latin | chinese - {""})


def build_font(original: Path, made: Path) -> None:
    """Source: the font's own licence reserves the name of its original, so the subset bears another."""
    subset = import_module("fontTools.subset")
    options = subset.Options(
        flavor="woff2",
        layout_features=["kern", "mark", "mkmk", "ccmp"],
        name_IDs=list(KEPT_NAMES),
        notdef_outline=True,
        hinting=False,
        desubroutinize=True,
    )
    font = subset.load_font(str(original), options)
    missing = sorted(characters() - {chr(code) for code in font.getBestCmap()})
    if missing:
        raise ValueError(
            f"{original.name} lacks {len(missing)} characters of GB2312: {''.join(missing[:20])}"
        )
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters()))
    subsetter.subset(font)
    names = {**dict.fromkeys(FAMILY_NAMES, FAMILY), FULL_NAME: FAMILY, UNIQUE_NAME: FAMILY}
    names[POSTSCRIPT_NAME] = FAMILY.replace(" ", "") + "-Medium"
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    subset.save_font(font, str(made), options)
