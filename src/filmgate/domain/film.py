"""What is known of a finished film, read from its packets and never from what its sender claimed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """`frames`, `fps` and `seconds` are those of the picture; sound may run a little longer."""

    video_codec: str
    width: int
    height: int
    fps: float
    frames: int
    seconds: float
    audio_codec: str | None
    audio_rate_hz: int | None
    size_bytes: int
    faststart: bool
