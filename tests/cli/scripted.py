"""A scripted gate on a real socket, and the program as a process."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "sk-" + "k" * 43
ADMIN_KEY = "sk-" + "a" * 43
TASK_ID = "019a7c00-0000-7000-8000-00000000000a"
QUOTE_ID = "019a7c00-0000-7000-8000-00000000000b"
FILM = bytes(range(256)) * 400
FACTS = {
    "seconds": 8.0,
    "width": 1280,
    "height": 720,
    "fps": 24.0,
    "frames": 192,
    "size_bytes": len(FILM),
    "video_codec": "h264",
    "audio_codec": "aac",
}


RECORD: dict[str, Any] = {
    "enhanced_prompt": None,
    "enhanced_by": None,
    "softened_prompt": None,
    "retries": 0,
    "last_error": None,
    "upsampled_by": None,
    "upsample_error": None,
    "joined_by": None,
    "warnings": [],
}


def task(state: str = "succeeded", progress: int = 100, **more: Any) -> dict[str, Any]:
    """A task as the gate shows it."""
    shown = {
        "id": TASK_ID,
        "name": "film_x",
        "dialect": "gate",
        "state": state,
        "progress": progress,
        "model": "animatic",
        "prompt": "a paper boat",
        "size": "1280x720",
        "seconds": 8,
        "queue_position": None,
        "hold_micros": 0,
        "cost_micros": 0 if state == "succeeded" else None,
        "created_at": "2026-11-21T12:00:00Z",
        "started_at": "2026-11-21T12:00:01Z",
        "ended_at": "2026-11-21T12:00:05Z" if state == "succeeded" else None,
        "waited_s": 1.0,
        "running_s": 4.2,
        "version": progress + 1,
        "error": None,
        "film": FACTS if state == "succeeded" else None,
        "clips": [8],
        "record": RECORD,
        "urls": {"self": "http://gate/x", "video": None, "thumbnail": None, "first": None, "source": None},
    }
    return shown | more


def quote(price_micros: int = 0, left_micros: int | None = None, **more: Any) -> dict[str, Any]:
    """A quote for 8 s as the gate gives it."""
    line = {"what": "clip 1", "clip": 1, "quantity": 8, "unit": "second"}
    amounts = {"unit_price_micros": price_micros // 8, "amount_micros": price_micros}
    shown = {
        "quote_id": QUOTE_ID,
        "amount_micros": price_micros,
        "lines": [line | amounts],
        "expires_at": "2999-01-01T00:00:00Z",
        "model": "animatic",
        "size": "1280x720",
        "clips": [8],
        "remaining_micros": left_micros,
        "after_micros": None if left_micros is None else left_micros - price_micros,
        "warnings": [],
    }
    return shown | more


def problem(code: str, message: str, exit_code: int) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": {"field": None, "exit_code": exit_code}}}


@dataclass
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedGate:
    """Answers by what a test wrote into it; `story` is what each look at the task shows next."""

    story: list[dict[str, Any]] = field(default_factory=lambda: [task()])
    created: dict[str, Any] = field(default_factory=lambda: task("queued", 0, queue_position=2))
    quoted: dict[str, Any] = field(default_factory=quote)
    lost_replies: int = 0
    away: int = 0
    silent: threading.Event | None = None
    stalled: threading.Event | None = None
    look_s: float = 0.0
    refusal: tuple[int, dict[str, Any]] | None = None
    cut_after: list[int] = field(default_factory=list)
    etag: str = hashlib.sha256(FILM).hexdigest()
    asked: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, object]] = field(default_factory=dict)
    """What it says to a method and a path, where a test wants something of its own."""
    torn: list[str] = field(default_factory=list)
    """Each of these paths is once told that the gate is away, in an answer that breaks in its body."""
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked_of(self, method: str, path: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method and one.path.startswith(path)]

    def next_look(self) -> dict[str, Any]:
        return self.story.pop(0) if len(self.story) > 1 else self.story[0]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: ScriptedGate

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's word
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        gate = self.gate
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        gate.asked.append(Asked(method, self.path, headers, json.loads(body) if body else None))
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._json(*gate.answers.get((method, path), (200, {"status": "ok"})))
        elif gate.away:
            gate.away -= 1
            self._json(503, problem("shutting_down", "The gate is stopping.", 6), {"retry-after": "0"})
        elif headers.get("authorization") not in {f"Bearer {KEY}", f"Bearer {ADMIN_KEY}"}:
            code = "invalid_key" if "authorization" in headers else "missing_key"
            self._json(401, problem(code, "This key is not known here.", 4))
        elif path in gate.torn:
            gate.torn.remove(path)
            self._torn()
        elif gate.refusal is not None:
            self._json(*gate.refusal)
        else:
            self._known(method, path)

    def _known(self, method: str, path: str) -> None:
        match method, path:
            case _ if (method, path) in self.gate.answers:
                self._json(*self.gate.answers[method, path])
            case "POST", "/gate/v1/quote":
                self._json(200, self.gate.quoted)
            case "POST", "/gate/v1/tasks":
                self._create()
            case "GET", _ if path == f"/gate/v1/tasks/{TASK_ID}":
                time.sleep(self.gate.look_s)
                self._json(200, self.gate.next_look())
            case "GET", _ if path == f"/gate/v1/tasks/{TASK_ID}/files/video.mp4":
                self._film()
            case _ if (method, path) in _FIXED:
                self._json(*_FIXED[method, path])
            case _:
                self._json(404, problem("task_not_found", "Task not found.", 7))

    def _create(self) -> None:
        gate = self.gate
        if gate.silent is not None:
            gate.silent.wait(10)
        if gate.lost_replies:
            gate.lost_replies -= 1
            self.close_connection = True
        else:
            self._json(201, gate.created)

    def _torn(self) -> None:
        self.send_response(503)
        self.send_header("content-length", "200")
        self.end_headers()
        self.wfile.write(b'{"error": {"code"')
        self.close_connection = True

    def _film(self) -> None:
        gate = self.gate
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        start = int(found[1]) if found else 0
        if start >= len(FILM):
            self.send_response(416)
            self.send_header("content-range", f"bytes */{len(FILM)}")
            self.send_header("etag", f'"{gate.etag}"')
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(206 if found else 200)
        self.send_header("etag", f'"{gate.etag}"')
        self.send_header("content-length", str(len(FILM) - start))
        self.end_headers()
        end = start + gate.cut_after.pop(0) if gate.cut_after else len(FILM)
        self.wfile.write(FILM[start : start + 10_000])
        if gate.stalled is not None:
            gate.stalled.wait(10)
        self.wfile.write(FILM[start + 10_000 : end])
        self.close_connection = True

    def _json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


_MODEL = {
    "name": "animatic",
    "owner": "filmgate",
    "about": "Drawn by the gate itself.",
    "dialects": ["openai", "yishang"],
    "seconds": list(range(1, 26)),
    "default_seconds": 8,
    "sizes": ["1280x720", "720x1280"],
    "pictures": {"first": 1, "last": 1, "reference": 3},
    "sound": True,
    "available": True,
}


_KEY = {
    "id": 7,
    "name": "ci",
    "account": "team",
    "hint": "sk-abc…wxyz",
    "operator": False,
    "dialect": "newapi",
    "strict": True,
    "soften": True,
    "language": None,
    "budget_micros": 20_000_000,
    "budget_period": "month",
    "spent_micros": 5_000_000,
    "held_micros": 400_000,
    "max_running": 2,
    "running": 1,
    "created_at": "2026-11-21T12:00:00Z",
    "expires_at": None,
    "revoked_at": None,
}
KEYS = {"data": [_KEY, _KEY | {"id": 8, "strict": False, "soften": False}]}
MADE_KEY = {"id": 7, "name": "ci", "account": "ci", "key": "sk-fresh"}
TASKS = {
    "data": [task(), task("generating", 62, prompt="a\tsly \x1b[31mfox", hold_micros=400_000)],
    "next_cursor": None,
}
MODELS = {"data": [_MODEL]}
_FIXED: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {
    ("GET", "/gate/v1/tasks"): (200, TASKS),
    ("GET", "/gate/v1/models"): (200, MODELS),
    ("POST", "/admin/v1/keys"): (201, MADE_KEY),
    ("GET", "/admin/v1/keys"): (200, KEYS),
    ("DELETE", "/admin/v1/keys/ci"): (200, {"revoked": 2}),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is part of the tests."""


class serving:  # noqa: N801  # reads as the phrase that it is: with serving(gate)
    """Serves a scripted gate on its port, or on a free one."""

    def __init__(self, scripted: ScriptedGate) -> None:
        answers = type("Answers", (_Answers,), {"gate": scripted})
        self._server = _Server(("127.0.0.1", scripted.port), answers)
        scripted.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object, which is the last line of stderr."""
        # Python may still warn of a connection that Ctrl-C left open.
        said = [line for line in self.err.splitlines() if line.startswith("{")]
        return json.loads(said[-1])["error"]


class Program:
    """`filmgate` as a process, in a folder of its own, without the settings of whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
        self.env |= {"FILMGATE_DATA": str(folder / "data"), "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}
        for name in ("LC_ALL", "LC_MESSAGES", "CI", "NO_COLOR"):
            self.env.pop(name, None)

    def knows(self, gate: ScriptedGate, key: str = KEY) -> "Program":
        self.env |= {"FILMGATE_BASE_URL": gate.base_url, "FILMGATE_API_KEY": key}
        return self

    def start(self, *words: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "filmgate", *words],
            cwd=self.folder,
            env=self.env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *words: str, given: str | None = None) -> Ran:
        process = self.start(*words, stdin=subprocess.DEVNULL if given is None else subprocess.PIPE)
        out, err = process.communicate(given, timeout=60)
        return Ran(process.returncode, out, err)


def interrupt(process: "subprocess.Popen[str]") -> Ran:
    """Press Ctrl-C, once."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return Ran(process.returncode, out, err)
