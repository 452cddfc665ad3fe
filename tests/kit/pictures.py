"""A server of pictures as the world has them: some good, some broken, some late, some that lead elsewhere."""

import io
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from PIL import Image

from kit.wires import picture

LATE_S: Final = 1.0
SILENT_S: Final = 20.0
TOO_LARGE_BYTES: Final = 21 * 2**20

_GOOD: Final[dict[str, Callable[[], bytes]]] = {
    "/image.jpg": lambda: picture(720, 1280, "JPEG"),
    "/image.png": lambda: picture(720, 1280),
    "/late/image.png": lambda: picture(720, 1280),
    "/silent.png": picture,
    "/wide.webp": lambda: picture(1280, 720, "WEBP"),
    "/red.png": lambda: picture(640, 360, colour="#c03020"),
    "/blue.png": lambda: picture(640, 360, colour="#2040c0"),
    "/page.html": lambda: b"<html>no picture</html>",
    "/truncated.jpg": lambda: picture(720, 1280, "JPEG")[:4000],
    "/animation.gif": lambda: picture(64, 64, "GIF"),
    "/vast.png": lambda: _white(6000, 5000),
    "/bomb.png": lambda: _bomb(30_000),
}
_ELSEWHERE: Final = {
    "/moved.png": "/red.png",
    "/inward.png": "http://127.0.0.1:9/image.png",
    "/metadata.png": "http://169.254.169.254/latest/meta-data",
}


@contextmanager
def served(port: int) -> Iterator[str]:
    """Serve them on this machine; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Pictures)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the standard library's name
        time.sleep({"/late/image.png": LATE_S, "/silent.png": SILENT_S}.get(self.path, 0))
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer()

    def _answer(self) -> None:
        if self.path in _ELSEWHERE:
            self.send_response(302)
            self.send_header("Location", _ELSEWHERE[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/large.png":
            self._head(TOO_LARGE_BYTES)
            self.wfile.write(picture())
            self.close_connection = True
        elif self.path in _GOOD:
            body = _made(self.path)
            self._head(len(body))
            self.wfile.write(body)
        else:
            self.send_error(404)

    def _head(self, length: int) -> None:
        self.send_response(200)
        # What a server calls its file decides nothing.
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        return


@cache
def _made(path: str) -> bytes:
    return _GOOD[path]()


def _white(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("1", (width, height), 1).save(made, "PNG")
    return made.getvalue()


def _bomb(side: int) -> bytes:
    """Write a PNG of a hundred kilobytes that holds a hundred megabytes of nothing."""
    packer, row = zlib.compressobj(9), bytes(side // 8 + 1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
