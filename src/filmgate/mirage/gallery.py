"""Where the films lie."""

import hashlib
from pathlib import Path

from filmgate.mirage.film import draw
from filmgate.mirage.orders import Job
from filmgate.mirage.wire import sides


class Gallery:
    """One folder. With `tiny`, every job's film are these bytes, and none is drawn."""

    def __init__(self, folder: Path, tiny: bytes | None = None) -> None:
        self._folder = folder
        self._tiny = tiny
        self._hashes: dict[str, str] = {}
        self.tiny_sha256 = None if tiny is None else hashlib.sha256(tiny).hexdigest()

    def has(self, job: Job) -> bool:
        return self._tiny is not None or self._path(job).exists()

    def film(self, job: Job) -> bytes:
        return self._path(job).read_bytes() if self._tiny is None else self._tiny

    def draw(self, job: Job) -> str:
        """Draw the film where nobody has, which takes a while, and give its sha256."""
        known = self._hashes.get(job.order.film)
        if known is not None:
            return known
        path = self._path(job)
        if not path.exists():
            part = path.with_name(f"{job.id}.part")
            width, height = sides(job.order)
            shade = bytes.fromhex(job.order.prompt_sha256)
            draw(part, width=width, height=height, seconds=int(job.order.seconds), shade=shade)
            part.replace(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._hashes[job.order.film] = sha256
        return sha256

    def _path(self, job: Job) -> Path:
        return self._folder / f"{job.order.film}.mp4"


def tiny_film(folder: Path) -> bytes:
    """Give the film of a vendor that draws none."""
    path = folder / "tiny.mp4"
    if not path.exists():
        part = path.with_suffix(".part")
        draw(part, width=128, height=96, seconds=1, shade=b"tiny!")
        part.replace(path)
    return path.read_bytes()
