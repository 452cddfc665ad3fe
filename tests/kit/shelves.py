"""A real bucket, gates that keep their films in it, and a vendor whose films cost nothing."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filmgate.mirage.film import draw
from kit.gates import RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor
from objects.servers import KEY, SECRET

BUCKET = "s3://films/gate"
THEIR_SECRETS = {"THEIR_KEY": KEY, "THEIR_SECRET": SECRET}
_DESTINATION = """
[[destinations]]
name = "{name}"
url = "s3://theirs/{name}"
endpoint = "{endpoint}"
credentials = {{ access_key_id = "env:THEIR_KEY", secret_access_key = "env:THEIR_SECRET" }}
accounts = {accounts}
"""
VENDORS = ("--takes", "0.05", "--poll-after", "0.1", "--idempotent")


def bucket_settings(endpoint: str) -> dict[str, str]:
    """Say in an environment that films are kept in a bucket there."""
    return {
        "FILMGATE_OBJECTS_URL": BUCKET,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "VENDOR_KEY": "x",
        "FILMGATE_ADMIN_KEY": "sk-admin",
    }


def destination_table(name: str, endpoint: str, accounts: str = "[]") -> str:
    """Let films go into a folder of that name in a customer's bucket there; its secrets are `THEIR_SECRETS`."""
    return _DESTINATION.format(name=name, endpoint=endpoint, accounts=accounts)


def vendor_settings(name: str, vendor: RunningVendor, model: str) -> str:
    return provider_table(name, vendor, "{ idempotent = true }") + route_table(model, name)


def heavy_vendor(folder: Path, size_bytes: int) -> RunningVendor:
    """Start a vendor whose films are that large, by a box at their end that players leave out."""
    path = folder / "films" / "tiny.mp4"
    path.parent.mkdir(parents=True)
    draw(path, width=128, height=96, seconds=1, shade=b"heavy")
    left = size_bytes - path.stat().st_size
    with path.open("ab") as film:
        film.write(left.to_bytes(4, "big") + b"free")
        film.write(random.Random(size_bytes).randbytes(left - 8))
    return start_vendor(folder, *VENDORS)


def bought(gate: RealGate, **wanted: Any) -> str:
    """Have a film made by the vendor; give its id."""
    return gate.make(**{"model": "sora-2", "seconds": 4, "size": "720x1280", **wanted})


def waited_for(found: Callable[[], Any], gate: RealGate, within_s: float = 60.0) -> Any:
    give_up = time.monotonic() + within_s
    while True:
        if got := found():
            return got
        assert time.monotonic() < give_up, gate.log.read_text()[-4000:]
        time.sleep(0.1)


def metric(gate: RealGate, name: str) -> float:
    """Read one metric by its whole name, labels included."""
    lines = gate.ask("GET", "/metrics").body.decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name), 0.0)


def program(
    gate: RealGate, *words: str, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a verb as whoever operates the gate."""
    command = [sys.executable, "-m", "filmgate", *words]
    said = {**os.environ, **environment, "FILMGATE_BASE_URL": gate.base_url, "FILMGATE_API_KEY": gate.key}
    return subprocess.run(
        command, capture_output=True, text=True, env=said, check=False, timeout=90, cwd=gate.data.parent
    )
