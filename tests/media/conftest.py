import json
import math
import random
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from kit.encoding import fairly

# One process for all: to start another takes longer than to draw.
DRAW_ALL = """
import sys
from filmgate.animatic.film import make_film
from filmgate.animatic.spec import parse_spec
for spec in sys.argv[1:]:
    make_film(parse_spec(spec), lambda done, total: None)
"""


@dataclass(frozen=True)
class Animatics:
    """256x144 each. `first` of 64 pictures and `later` of 32 are `continuous` cut where a packet of sound ends.

    `odd_later`, of 24, goes on from `odd_first`, of 36, within a packet.
    """

    continuous: Path
    first: Path
    later: Path
    odd_first: Path
    odd_later: Path


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
def animatics(tmp_path_factory) -> Animatics:
    """Films that the animatic drew of one scene."""
    folder = tmp_path_factory.mktemp("animatics")
    parts = {
        "continuous": (96, 0),
        "first": (64, 0),
        "later": (32, 64),
        "odd_first": (36, 0),
        "odd_later": (24, 36),
    }
    specs = [
        {
            "prompt": "a paper boat at dusk with fireflies",
            "width": 256,
            "height": 144,
            "seconds": frames / 24,
            "start": start / 24,
            "out": str(folder / f"{name}.mp4"),
        }
        for name, (frames, start) in parts.items()
    ]
    subprocess.run([sys.executable, "-c", DRAW_ALL, *map(json.dumps, specs)], check=True)
    return Animatics(**{name: folder / f"{name}.mp4" for name in parts})


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


@pytest.fixture(scope="session")
def damage():
    """Give the function that spoils bytes at random, the same ones for the same seed."""
    return _damaged


@pytest.fixture(scope="session")
def pierce():
    """Give the function that copies a film with a hole in it."""
    return _with_a_hole


def _draw(path, *, frames=24, sound=True, codec="libx264", options=None, size=(128, 96), **muxer):
    width, height = size
    with fairly(), av.open(str(path), "w", format="mp4", options=muxer) as film:
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


def _damaged(data: bytes, seed: int) -> bytes:
    dice = random.Random(seed)
    spoiled = bytearray(data)
    for _ in range(dice.choice((1, 3, 20, 200))):
        spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
    return bytes(spoiled[: dice.randrange(len(spoiled))] if dice.random() < 0.2 else spoiled)


def _with_a_hole(film: Path, into: Path, number: int) -> Path:
    """Copy the film with zeros in the place of one picture."""
    content = bytearray(film.read_bytes())
    with av.open(str(film)) as container:
        hole = [packet for packet in container.demux(video=0) if packet.size][number]
        assert hole.pos is not None
        content[hole.pos : hole.pos + hole.size] = bytes(hole.size)
    into.write_bytes(content)
    return into
