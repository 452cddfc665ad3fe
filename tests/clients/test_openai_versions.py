"""Unmodified official clients of several versions, each in an environment of its own; `make clients` runs this."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from kit.gates import RealGate

FLOW = Path(__file__).parent / "openai_flow.py"
UV = shutil.which("uv") or str(Path(__file__).parents[2] / ".uv/bin/uv")
CHECKED = "failed provider_failed"
FORMS = {
    "path": CHECKED,
    "bytes": CHECKED,
    "open file": CHECKED,
    "name and bytes": CHECKED,
    "name, bytes and type": CHECKED,
    # Its types allow it, and its code refuses it, in each of these versions.
    "object": "not sent by the client",
    "object in the extra body": CHECKED,
    "address in the extra body": CHECKED,
    "list in the extra body": CHECKED,
    "object in a JSON body": CHECKED,
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGate]:
    gate = RealGate(tmp_path_factory.mktemp("clients") / "data")
    gate.start()
    yield gate
    assert gate.stop() == 0


@pytest.mark.parametrize("version", ["3.54.0", "2.24.0", "2.6.0"])
def test_a_version_of_the_official_client_makes_lists_chats_downloads_and_deletes(
    gate: RealGate, version: str, tmp_path: Path
) -> None:
    python = tmp_path / "venv/bin/python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, f"openai=={version}"], check=True)
    Image.linear_gradient("L").resize((640, 360)).convert("RGB").save(tmp_path / "frame.png")
    done = subprocess.run(
        [python, "-W", "ignore", FLOW, f"{gate.base_url}/v1", gate.key, tmp_path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said == {
        "version": version,
        "statuses": ["completed", "completed"],
        "listed": True,
        "pictures": FORMS,
        "chat": ["chat.completion", "stop", 1],
        "streamed": ["chat.completion.chunk", "stop", 1],
        "refused": ["invalid_parameter", "n"],
        "deleted": True,
        "after": "task_not_found",
        "size_bytes": said["size_bytes"],
    }
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 24
