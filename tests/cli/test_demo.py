import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from filmgate.cli.demo.film import Customer, Seen, look
from filmgate.cli.demo.orders import ORDERS, Order
from filmgate.cli.demo.picture import draw_picture, serve_picture
from filmgate.cli.demo.wire import CurlWire, PlainWire, Wire
from filmgate.cli.sight import Sight
from filmgate.world import SystemClock

_CURL = shutil.which("curl")
WIRES: list[Wire] = [PlainWire(), *([CurlWire(_CURL)] if _CURL else [])]


class SilentBoard:
    def see(self, key: str, sight: Sight) -> None:
        pass

    def end(self, key: str, line: str, state: str) -> None:
        pass


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(12):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


class Relay:
    """Speaks both dialects as their documents show them; `ends` is how its films end."""

    def __init__(self, film: bytes) -> None:
        self.film, self.ends, self.looks = film, "completed", 0
        self.forms: list[bytes] = []
        self.bodies: list[object] = []
        relay = self

        class Answers(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's word
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers["content-type"].startswith("multipart/"):
                    relay.forms.append(body)
                else:
                    relay.bodies.append(json.loads(body))
                self._json({"task_id": "t1", "id": "t1", "status": "queued", "progress": 0})

            def do_GET(self) -> None:
                if self.path.endswith(("/content", ".mp4")):
                    self._send(relay.film, "video/mp4")
                    return
                relay.looks += 1
                shares = {1: ("processing", 45), 2: (relay.ends, 100)}
                status, share = shares[min(relay.looks, 2)]
                link = f"http://127.0.0.1:{relay.port}/files/t1.mp4"
                error = {"message": "The provider failed.", "code": "x"}
                self._json({"status": status, "progress": share, "video_url": link, "error": error})

            def _json(self, body: object) -> None:
                self._send(json.dumps(body).encode(), "application/json")

            def _send(self, content: bytes, kind: str) -> None:
                self.send_response(200 if self.path.endswith(".mp4") or self._known() else 401)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _known(self) -> bool:
                return self.headers["authorization"] == "Bearer sk-demo"

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.port = self.server.server_port


@pytest.fixture
def relay(film: bytes) -> Iterator[Relay]:
    relay = Relay(film)
    thread = threading.Thread(target=relay.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield relay
    relay.server.shutdown()
    relay.server.server_close()
    thread.join()


def made(relay: Relay, wire: Wire, order: Order, folder: Path) -> Seen:
    picture = draw_picture(folder)
    base_url, url = f"http://127.0.0.1:{relay.port}", "http://127.0.0.1:9/valley.png"
    customer = Customer(wire, base_url, "sk-demo", picture, url, SystemClock(), threading.Event())
    seen = Seen(order, "0")
    customer.make(seen, folder, SilentBoard())
    return seen


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name.split()[0])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.tongue.name + "-form" * order.form)
def test_a_film_is_made_in_the_words_of_its_dialect(
    relay: Relay, wire: Wire, order: Order, tmp_path: Path
) -> None:
    seen = made(relay, wire, order, tmp_path)
    assert (seen.error, seen.phases, seen.shares) == ("", ["queued", "processing", "completed"], [0, 45, 100])
    assert seen.path is not None
    assert seen.path.read_bytes() == relay.film
    assert seen.film is not None
    assert (seen.film["width"], seen.film["height"], seen.film["frames"]) == (64, 48, 12)
    if order.form:
        assert (tmp_path / "valley.png").read_bytes() in relay.forms[0]
    else:
        assert relay.bodies == [order.filled("http://127.0.0.1:9/valley.png")]


def test_a_film_that_fails_is_told_with_its_reason(relay: Relay, tmp_path: Path) -> None:
    relay.ends = "failed"
    seen = made(relay, WIRES[0], ORDERS[0], tmp_path)
    assert (seen.error, seen.path) == ("The provider failed.", None)


def test_a_file_that_is_no_film_is_told(relay: Relay, tmp_path: Path) -> None:
    relay.film = relay.film[: len(relay.film) // 2]
    seen = made(relay, WIRES[0], ORDERS[0], tmp_path)
    assert (seen.error.startswith("PyAV cannot read the film"), seen.path) == (True, None)


def test_a_gate_that_is_not_there_is_told(relay: Relay, tmp_path: Path) -> None:
    relay.port = 9
    for wire in WIRES:
        assert made(relay, wire, ORDERS[0], tmp_path).error != ""


def test_the_picture_is_served_to_whoever_asks_on_this_machine(tmp_path: Path) -> None:
    picture = draw_picture(tmp_path)
    with serve_picture(picture) as (url, pair):
        assert url == f"http://{pair}/valley.png"
        assert PlainWire().fetch(url, None, tmp_path / "again.png") == 200
    assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()


def test_only_a_film_can_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no film")
    with pytest.raises(OSError, match="PyAV cannot read the film"):
        look(tmp_path / "x.mp4")
