"""One real gate for the tests that do not harm it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from PIL import Image

from kit.gates import RealGate, free_port

PICTURE_PORT = free_port()


class _Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the standard library's name
        kinds = {"/image.jpg": ("JPEG", "image/jpeg"), "/image.png": ("PNG", "image/png")}
        if self.path == "/page.html":
            body, kind = b"<html>no picture</html>", "text/html"
        elif self.path in kinds:
            made = BytesIO()
            Image.linear_gradient("L").resize((720, 1280)).convert("RGB").save(made, kinds[self.path][0])
            body, kind = made.getvalue(), kinds[self.path][1]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        return


@pytest.fixture(scope="session")
def pictures() -> Iterator[str]:
    """Serve pictures on this machine; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", PICTURE_PORT), _Pictures)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{PICTURE_PORT}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory, pictures: str) -> Iterator[RealGate]:
    allowed = pictures.removeprefix("http://")
    data = tmp_path_factory.mktemp("acceptance") / "data"
    gate = RealGate(data, environment={"FILMGATE_GUARD_ALLOW": allowed})
    gate.start()
    yield gate
    assert gate.stop() == 0


@pytest.fixture(scope="session")
def film_id(gate: RealGate) -> str:
    """One short film, which most tests share."""
    id_ = gate.make(prompt="a paper boat on a calm lake at dusk, fireflies", seconds=2)
    task = gate.ended(id_)
    assert task["state"] == "succeeded", task
    return id_
