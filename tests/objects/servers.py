"""A real server of S3: rclone's, in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filmgate.objects.buckets import Patience

RCLONE = Path(sys.executable).with_name("rclone")
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI-EXAMPLEKEY"
HASTY = Patience(connect_s=1.0, idle_s=5.0, part_s=10.0, tries=3, retry_within_s=10.0, pause_s=0.02)


@dataclass(frozen=True)
class S3Server:
    """A real server of S3, with a bucket `films` and one `theirs`."""

    port: int
    root: Path
    process: "subprocess.Popen[bytes]"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def files(self, bucket: str = "films") -> list[str]:
        """What lies on its disk, its own unfinished files included."""
        folder = self.root / bucket
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def start_server(root: Path, port: int = 0) -> S3Server:
    for bucket in ("films", "theirs"):
        (root / bucket).mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    log = root.parent / "rclone.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [
                RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}",
                "--config", os.devnull, root,
            ],
            stderr=said,
        )  # fmt: skip
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return S3Server(port, root, process)
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def stop_server(server: S3Server) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
