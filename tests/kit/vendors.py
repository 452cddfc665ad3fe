"""A vendor in a process of its own, for gates that have one."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.gates import free_port


@dataclass(slots=True)
class RunningVendor:
    process: subprocess.Popen[str]
    base_url: str
    log: Path

    def events(self, *names: str) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if row["event"] in names]

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def start_vendor(folder: Path, *arguments: str, port: int | None = None) -> RunningVendor:
    """Start a mirage; its films are tiny, so that only its manners take time."""
    command = [
        sys.executable,
        "-m",
        "filmgate.mirage",
        "--port",
        str(port or free_port()),
        "--data",
        str(folder),
        "--fast",
    ]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    return RunningVendor(process, said["base_url"], Path(said["log"]))


def provider_table(name: str, vendor: RunningVendor, options: str, limits: str = "{}") -> str:
    """Write a provider of that vendor for a gate's settings."""
    return f"""
[[providers]]
name = "{name}"
kind = "openai"
base_url = "{vendor.base_url}"
credentials = "env:VENDOR_KEY"
options = {options}
limits = {limits}
"""


def route_table(model: str, provider: str) -> str:
    return f"""
[[routes]]
model = "{model}"
via = [{{ provider = "{provider}", model = "sora-2" }}]
"""
