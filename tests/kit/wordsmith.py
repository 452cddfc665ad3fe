"""A chat server of the OpenAI kind that rewords what it is sent, and is in no hurry."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

THINKS_S = 1.0


@contextmanager
def served() -> Iterator[str]:
    """Serve it on this machine; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Wordsmith)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Wordsmith(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the standard library's name
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(THINKS_S)
        message = {"role": "assistant", "content": f"Reworded: {asked['messages'][-1]['content']}"}
        body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        return
