"""Builds the animatic's sprites and caption font: `python -m tools.build_assets [sprites] [font]`, with npm on PATH.

Needs the `assets` dependency group. The results are committed, so nobody else needs npm.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools.caption_font import build_font
from tools.drawing import webp
from tools.sprite_layers import Sprite, drawn, emoji, jointed
from tools.sprite_sources import RECOLOURED, SOURCES

TOOLS = Path(__file__).parent
ASSETS = TOOLS.parent / "src/filmgate/animatic/assets"
EMOJI = "@iconify-json/fluent-emoji-flat@1.2.6"
FONT = "@expo-google-fonts/noto-sans-sc@0.4.3"
EPOCH = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    wanted = set(sys.argv[1:]) or {"sprites", "font"}
    with tempfile.TemporaryDirectory() as folder:
        if "sprites" in wanted:
            (icons,) = _package(EMOJI, Path(folder) / "emoji", "package/icons.json")
            bodies = {name: icon["body"] for name, icon in json.loads(icons.read_text())["icons"].items()}
            pack(sprites(bodies), ASSETS / "sprites.zip")
        if "font" in wanted:
            members = ("package/500Medium/NotoSansSC_500Medium.ttf", "package/LICENSE_FONT")
            original, licence = _package(FONT, Path(folder) / "font", *members)
            build_font(original, ASSETS / "FilmgateCaption.woff2")
            (ASSETS / "FilmgateCaption.LICENSE.txt").write_text(_tidy(licence.read_text(encoding="utf-8")))
    for asset in sorted(ASSETS.iterdir()):
        print(f"{asset.stat().st_size:>9} {asset.name}")


def sprites(bodies: dict[str, str]) -> dict[str, Sprite]:
    found = {name: emoji(bodies[source.icon], source) for name, source in SOURCES.items()}
    found |= {path.stem: drawn(path) for path in sorted((TOOLS / "drawings").glob("*.svg"))}
    found |= {
        name: drawn(TOOLS / "drawings" / f"{original}.svg", colours)
        for name, (original, colours) in RECOLOURED.items()
    }
    return found | {path.stem: jointed(path) for path in sorted((TOOLS / "figures").glob("*.svg"))}


def pack(found: dict[str, Sprite], path: Path) -> None:
    """One stored ZIP: `<layer>.webp` for each layer, and `rigs.json` by sprite."""
    rigs = {name: sprite.rig for name, sprite in sorted(found.items()) if sprite.rig}
    layers = {
        f"{name}{layer}.webp": webp(image)
        for name, sprite in sorted(found.items())
        for layer, image in sprite.layers.items()
    }
    made = path.with_suffix(".part")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {
            "rigs.json": json.dumps(rigs, separators=(",", ":")).encode(),
            **layers,
        }.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    made.replace(path)


def _package(name: str, folder: Path, *members: str) -> list[Path]:
    """Some files out of an npm package."""
    folder.mkdir()
    subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for member in members:
            archive.extract(member, folder, filter="data")
    return [folder / member for member in members]


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n"


if __name__ == "__main__":
    main()
