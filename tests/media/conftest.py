import math
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image


@dataclass(frozen=True)
class Films:
    whole: Path
    moov_last: Path
    fragmented: Path


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> Films:
    """One second of 128x96 each: 24 pictures, key frames at 0 and 0.5 s, with sound."""
    folder = tmp_path_factory.mktemp("films")
    return Films(
        whole=_draw(folder / "whole.mp4", movflags="+faststart"),
        moov_last=_draw(folder / "moov_last.mp4"),
        fragmented=_draw(folder / "fragmented.mp4", movflags="frag_keyframe+empty_moov"),
    )


@pytest.fixture(scope="session")
def draw():
    """Give the function that draws a film to a path."""
    return _draw


@pytest.fixture(scope="session")
def encode():
    """Give the function that encodes a noisy picture."""
    return _encode


@pytest.fixture(scope="session")
def animate():
    """Give the function that encodes two pictures as an animation."""
    return _animate


@pytest.fixture(scope="session")
def promise():
    """Give the function that makes a PNG with a header of any size and next to no content."""
    return _promise


def _draw(path, *, frames=24, sound=True, codec="libx264", options=None, size=(128, 96), **muxer):
    width, height = size
    with av.open(str(path), "w", format="mp4", options=muxer) as film:
        picture = film.add_stream(codec, rate=24, options=options or {"g": "12"})
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        tone = film.add_stream("aac", rate=48000, layout="stereo") if sound else None
        noise = np.random.default_rng(1).integers(0, 255, (height, width + frames * 4, 3), dtype=np.uint8)
        for number in range(frames):
            pixels = np.ascontiguousarray(noise[:, number * 4 : number * 4 + width])
            film.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(picture.encode())
        if tone is not None:
            wave = np.sin(np.arange(frames * 2000) * 440 / 48000 * 2 * math.pi).astype(np.float32) / 4
            samples = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            samples.sample_rate, samples.pts = 48000, 0
            film.mux(tone.encode(samples))
            film.mux(tone.encode())
    return path


def _encode(kind, size=(40, 20), mode="RGB", **options) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(out, kind, **options)
    return out.getvalue()


def _animate(kind) -> bytes:
    out = BytesIO()
    first, second = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (40, 20), "blue")
    first.save(out, kind, save_all=True, append_images=[second], duration=100)
    return out.getvalue()


def _promise(width, height, content=b"\0" * 100) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(content)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
