"""The demo's own picture, a valley at dusk, and the server that gives it to the gate."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

_WIDTH: Final = 1280
_HEIGHT: Final = 720
_SKY: Final = ((38, 46, 92), (244, 148, 96))
_SUN: Final = (255, 226, 160)
_HILLS: Final = ((0.62, (116, 84, 124)), (0.74, (72, 58, 98)), (0.88, (34, 32, 60)))
_NAME: Final = "valley.png"


def draw_picture(path: Path) -> Path:
    """Draw the picture into a folder and give its path."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT))
    draw = ImageDraw.Draw(image)
    for y in range(_HEIGHT):
        share = y / _HEIGHT
        draw.line(
            [(0, y), (_WIDTH, y)],
            fill=tuple(round(a + (b - a) * share) for a, b in zip(*_SKY, strict=True)),
        )
    _draw_sun(image)
    for no, (level, colour) in enumerate(_HILLS):
        ridge = [(x, _HEIGHT * level + _rise(x, no)) for x in range(0, _WIDTH + 8, 8)]
        ImageDraw.Draw(image).polygon([*ridge, (_WIDTH, _HEIGHT), (0, _HEIGHT)], fill=colour)
    image.save(path / _NAME)
    return path / _NAME


@contextmanager
def serve_picture(path: Path) -> Iterator[tuple[str, str]]:
    """Serve the picture on this machine alone; give its address, and `host:port`."""
    content = path.read_bytes()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's word
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, name="picture", daemon=True)
    thread.start()
    pair = f"127.0.0.1:{server.server_port}"
    try:
        yield f"http://{pair}/{path.name}", pair
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _draw_sun(image: Image.Image) -> None:
    centre, radius = (_WIDTH * 0.64, _HEIGHT * 0.56), _HEIGHT * 0.09
    box = [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius]
    glow = Image.new("L", image.size)
    ImageDraw.Draw(glow).ellipse([box[0] - 60, box[1] - 60, box[2] + 60, box[3] + 60], fill=110)
    image.paste(_SUN, mask=glow.filter(ImageFilter.GaussianBlur(48)))
    ImageDraw.Draw(image).ellipse(box, fill=_SUN)


def _rise(x: int, no: int) -> float:
    return 26 * math.sin(x / (150 - 26 * no) + 2.1 * no) + 12 * math.sin(x / 47 + no)
