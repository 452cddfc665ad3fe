"""A test card as a film: one colour, a bar that crosses it, a soft tone; cheap to draw, and an honest MP4."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

FPS: Final = 24
RATE_HZ: Final = 48_000
_BLOCK: Final = 1024
_LOUDNESS: Final = 0.05
_X264: Final = {
    "preset": "ultrafast",
    "crf": "30",
    "x264-params": f"threads=1:keyint={2 * FPS}:scenecut=0",
}


def draw(path: Path, *, width: int, height: int, seconds: float, shade: bytes) -> None:
    """Write a film to `path`; `shade` are five bytes or more that choose its colours and its tone.

    The same arguments give the same bytes. Odd sides are rounded down to even.
    """
    with av.open(
        str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as film:
        picture = film.add_stream("libx264", rate=FPS, options=_X264)
        picture.width, picture.height, picture.pix_fmt = width // 2 * 2, height // 2 * 2, "yuv420p"
        sound = film.add_stream(
            "aac", rate=RATE_HZ, layout="mono", options={"b": "32k", "flags": "+bitexact"}
        )
        frames = max(1, round(seconds * FPS))
        _draw_pictures(film, picture, frames, shade)
        _play(film, sound, frames * RATE_HZ // FPS, 220 + shade[4])


def _draw_pictures(film: OutputContainer, stream: VideoStream, frames: int, shade: bytes) -> None:
    width, height = stream.width, stream.height
    planes = np.empty((height * 3 // 2, width), np.uint8)
    ground = 60 + shade[0] % 100
    planes[:height] = ground
    chroma = planes[height:].reshape(2, -1)
    chroma[0], chroma[1] = 64 + shade[1] // 2, 64 + shade[2] // 2
    bar = max(2, width // 16)
    for no in range(frames):
        left = no * (width - bar) // max(1, frames - 1)
        planes[:height, left : left + bar] = 220
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = no, Fraction(1, FPS)
        film.mux(stream.encode(frame))
        planes[:height, left : left + bar] = ground
    film.mux(stream.encode(None))


def _play(film: OutputContainer, stream: AudioStream, samples: int, pitch_hz: int) -> None:
    for start in range(0, samples, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, samples))
        tone = _LOUDNESS * np.sin(2 * np.pi * pitch_hz / RATE_HZ * at)
        frame = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))
