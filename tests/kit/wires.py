"""What clients do with a gate: send forms and curl's own words, look until a task has ended, measure its film."""

import io
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import av
from PIL import Image

from kit.gates import Answer, RealGate

Json: TypeAlias = dict[str, Any]

_BOUNDARY = "a-boundary-of-the-tests"
_LOOK_EVERY_S = 0.04


@dataclass(frozen=True, slots=True)
class File:
    """A file part; without a name it goes as raw bytes, as some clients send it."""

    content: bytes
    name: str | None = "picture.png"


@dataclass(frozen=True, slots=True)
class Measure:
    width: int
    height: int
    seconds: float
    """Of the decoded frames, at their rate."""


def post_form(gate: RealGate, path: str, parts: Sequence[tuple[str, str | File]], key: str) -> Answer:
    """Send a multipart form; a name may come several times."""
    body = b"".join(_part(name, value) for name, value in parts) + f"--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return gate.ask("POST", path, body=body, headers={"Content-Type": kind}, key=key)


def _part(name: str, value: str | File) -> bytes:
    said = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if isinstance(value, str):
        return f"{said}\r\n\r\n{value}\r\n".encode()
    if value.name is not None:
        said += f'; filename="{value.name}"\r\nContent-Type: application/octet-stream'
    return f"{said}\r\n\r\n".encode() + value.content + b"\r\n"


def curl(command: str) -> Any:
    """Run a document's own command line; give the JSON that it answers."""
    words = command.strip() + " --silent --show-error"
    return json.loads(subprocess.run(["bash", "-c", words], capture_output=True, check=True).stdout)


def looked_at(look: Callable[[], Json], word: Callable[[Json], str], *, within_s: float = 90.0) -> list[Json]:
    """Look until the word is completed or failed; give each different answer once, in order."""
    give_up = time.monotonic() + within_s
    seen: list[Json] = []
    while not seen or word(seen[-1]) not in {"completed", "failed"}:
        now = look()
        if not seen or now != seen[-1]:
            seen.append(now)
        assert time.monotonic() < give_up, seen[-1]
        time.sleep(_LOOK_EVERY_S)
    return seen


def watched(gate: RealGate, path: str, key: str, word: Callable[[Json], str]) -> list[Json]:
    """As `looked_at`, at a path of the gate."""

    def look() -> Json:
        answer = gate.ask("GET", path, key=key)
        assert answer.status == 200, answer.body
        return dict(answer.json)

    return looked_at(look, word)


def words_of(seen: Sequence[Json], word: Callable[[Json], str]) -> list[str]:
    """Give the words in order, each once where it stood several times in a row."""
    words = [word(one) for one in seen]
    return [one for no, one in enumerate(words) if not no or one != words[no - 1]]


def measured(film: bytes) -> Measure:
    """Decode every frame of a film."""
    with av.open(io.BytesIO(film), mode="r") as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        return Measure(video.width, video.height, float(frames / (video.average_rate or 1)))


def opened(gate: RealGate, address: str) -> Measure:
    """Fetch a film as anybody may, without a key; measure it."""
    answer = gate.ask("GET", address)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4"), address
    return measured(answer.body)


def picture(width: int = 640, height: int = 360, kind: str = "PNG", colour: str | None = None) -> bytes:
    """Draw a picture: a gradient, or one colour."""
    made = io.BytesIO()
    if colour is None:
        image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    else:
        image = Image.new("RGB", (width, height), colour)
    image.save(made, kind)
    return made.getvalue()


def changed(address: str, at: int) -> str:
    """Give an address with one character of it changed."""
    other = "A" if address[at] != "A" else "B"
    return address[:at] + other + address[at + 1 :]
