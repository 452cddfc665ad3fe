"""Draw docs/films.webp, the README's picture, from the animatic engine itself: six prompts, one moment of each."""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from PIL import Image

PROMPTS = (
    "一只猫咪在雨夜散步,准备抓一只老鼠",
    "雪山日出,航拍",
    "a paper boat on a calm lake at dusk, fireflies",
    "cyberpunk city at night, neon, slow dolly in",
    "大雪中的小木屋,夜晚",
    "three birds fly over the sea at sunset",
)
CELL = (480, 270)
MOMENT_S = 4.6


def moment(prompt: str, folder: Path) -> Image.Image:
    """Draw a film and give its frame at the moment."""
    path = folder / "film.mp4"
    spec = {"prompt": prompt, "width": 1280, "height": 720, "seconds": 5, "out": str(path)}
    subprocess.run([sys.executable, "-m", "filmgate.animatic"], input=json.dumps(spec).encode(), check=True)
    with av.open(str(path)) as film:
        frames = [frame for frame in film.decode(video=0) if frame.time and frame.time >= MOMENT_S]
        still: Image.Image = frames[0].to_image()
        return still.resize(CELL, Image.Resampling.LANCZOS)


def main() -> None:
    sheet = Image.new("RGB", (CELL[0] * 3, CELL[1] * 2))
    with tempfile.TemporaryDirectory() as folder:
        for no, prompt in enumerate(PROMPTS):
            sheet.paste(moment(prompt, Path(folder)), (no % 3 * CELL[0], no // 3 * CELL[1]))
    made = io.BytesIO()
    sheet.save(made, "WEBP", quality=82, method=6)
    (Path(__file__).parents[1] / "docs" / "films.webp").write_bytes(made.getvalue())


if __name__ == "__main__":
    main()
