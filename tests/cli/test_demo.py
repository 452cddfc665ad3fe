import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from filmgate.animatic.kinship import kinship_of
from filmgate.animatic.picture import covering
from filmgate.cli.demo.film import Customer, Seen
from filmgate.cli.demo.hosting import serve_pictures
from filmgate.cli.demo.look import look
from filmgate.cli.demo.orders import DUSK_URL, NIGHT_URL, ORDERS, Order
from filmgate.cli.demo.picture import draw_pictures
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
    """Speaks every dialect as its document shows it; `ends` is how its films end."""

    def __init__(self, film: bytes) -> None:
        self.film, self.fails, self.looks = film, False, 0
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
                self._json(relay.said(self.path, body, "submitted"))

            def do_GET(self) -> None:
                if self.path.endswith(("/content", ".mp4")):
                    self._send(relay.film, "video/mp4")
                    return
                relay.looks += 1
                stage = "working" if relay.looks == 1 else "failed" if relay.fails else "done"
                self._json(relay.said(self.path, b"", stage))

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

    def said(self, path: str, body: bytes, stage: str) -> object:
        """Answer a call on a path at a stage of the film."""
        link = f"http://127.0.0.1:{self.port}/files/t1.mp4"
        if path.startswith("/veo/"):
            return laozhang(stage, link)
        if b"-remix" in body or path.endswith("/task_r"):
            return envelope(stage, link)
        plain = {"submitted": "queued", "working": "processing", "done": "completed", "failed": "failed"}[
            stage
        ]
        share = {"submitted": 0, "working": 45}.get(stage, 100)
        name = "task_f" if b"-fl" in body or path.endswith("/task_f") else "t1"
        error: object = {"message": "The provider failed.", "code": "x"}
        if path.startswith("/v1/video/") or name == "task_f":
            error = "The provider failed."
        return {
            "task_id": name, "id": name, "status": plain, "progress": share, "video_url": link, "url": link,
            "error": error,
        }  # fmt: skip


def laozhang(stage: str, link: str) -> object:
    word = {"done": "completed", "failed": "failed"}.get(stage, "processing")
    data: dict[str, object] = {"taskId": "veo3:t1", "status": word}
    if stage == "working":
        data["upstreamData"] = {"status": "video_generating"}
    if stage == "done":
        data["result"] = {"video_url": link}
    if stage == "failed":
        data["message"] = "The provider failed."
    return {"success": True, "data": data}


def envelope(stage: str, link: str) -> object:
    word = {"submitted": "SUBMITTED", "working": "IN_PROGRESS", "done": "SUCCESS", "failed": "FAILURE"}[stage]
    share = {"submitted": "0%", "working": "45%"}.get(stage, "100%")
    reason = "The provider failed." if stage == "failed" else ""
    data = {"video_url": link} if stage == "done" else {}
    return {"task_id": "task_r", "status": word, "progress": share, "fail_reason": reason, "data": data}


PLAIN_STORY = "queued → processing 45 % → completed"
STORIES = {
    "veo3": "processing → video_generating → completed",
    "veo_3_1-fast-remix": "SUBMITTED → IN_PROGRESS 45 % → SUCCESS",
}


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
    dusk, night = draw_pictures(folder)
    base_url, host = f"http://127.0.0.1:{relay.port}", "http://127.0.0.1:9"
    pictures = {DUSK_URL: dusk, NIGHT_URL: night}
    urls = {word: f"{host}/{path.name}" for word, path in pictures.items()}
    customer = Customer(wire, base_url, "sk-demo", pictures, urls, SystemClock(), threading.Event())
    seen = Seen(order, "0")
    customer.make(seen, folder, SilentBoard())
    return seen


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name.split()[0])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.tongue.name}-{order.fields['model']}")
def test_a_film_is_made_in_the_words_of_its_dialect(
    relay: Relay, wire: Wire, order: Order, tmp_path: Path
) -> None:
    seen = made(relay, wire, order, tmp_path)
    assert (seen.error, seen.story) == ("", STORIES.get(str(order.fields["model"]), PLAIN_STORY))
    assert seen.path is not None
    assert seen.path.read_bytes() == relay.film
    assert seen.film is not None
    assert (seen.film["width"], seen.film["height"], seen.film["frames"]) == (64, 48, 12)
    if order.form:
        names = ["valley-dusk.png", "valley-night.png"][: len(order.pictures)]
        assert all((tmp_path / name).read_bytes() in relay.forms[0] for name in names)
        assert relay.forms[0].count(b'name="input_reference[]"') == len(order.pictures)
    else:
        urls = {
            DUSK_URL: "http://127.0.0.1:9/valley-dusk.png",
            NIGHT_URL: "http://127.0.0.1:9/valley-night.png",
        }
        assert relay.bodies == [order.filled(urls)]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.tongue.name}-{order.fields['model']}")
def test_a_film_that_fails_is_told_with_its_reason(relay: Relay, order: Order, tmp_path: Path) -> None:
    relay.fails = True
    seen = made(relay, WIRES[0], order, tmp_path)
    assert (seen.error, seen.path) == ("The provider failed.", None)


def test_a_file_that_is_no_film_is_told(relay: Relay, tmp_path: Path) -> None:
    relay.film = relay.film[: len(relay.film) // 2]
    seen = made(relay, WIRES[0], ORDERS[0], tmp_path)
    assert (seen.error.startswith("PyAV cannot read the film"), seen.path) == (True, None)


def test_a_gate_that_is_not_there_is_told(relay: Relay, tmp_path: Path) -> None:
    relay.port = 9
    for wire in WIRES:
        assert made(relay, wire, ORDERS[0], tmp_path).error != ""


def test_the_pictures_are_served_to_whoever_asks_on_this_machine(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path)
    with serve_pictures(pictures) as pair:
        for picture in pictures:
            assert PlainWire().fetch(f"http://{pair}/{picture.name}", None, tmp_path / "again.png") == 200
            assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()
        assert PlainWire().fetch(f"http://{pair}/other.png", None, tmp_path / "other.png") == 404


def test_the_two_pictures_are_alike_enough_to_be_led_into_each_other(tmp_path: Path) -> None:
    dusk, night = (covering(path, 1280, 720) for path in draw_pictures(tmp_path))
    assert kinship_of(dusk.y, night.y).close


def test_only_a_film_can_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no film")
    with pytest.raises(OSError, match="PyAV cannot read the film"):
        look(tmp_path / "x.mp4")
