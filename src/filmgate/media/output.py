"""A new MP4 with its index in front, written into files that were opened earlier."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from filmgate.media.clips import ClipPacket, SoundPacket
from filmgate.media.findings import NotAFilm
from filmgate.media.source import blaming
from filmgate.media.track import PicturePacket

KEPT: Final = ("title", "comment", "description")
# Apple's players show HEVC under this tag only, and the muxer would write another.
TAG_TO_KEEP: Final = "hvc1"
# In the muxer's own thousandths a film of 64 pictures at 24 a second would lose the end of its sound.
MOVIE_TIMESCALE: Final = "48000"
Copied = TypeVar("Copied", bound=VideoStream | AudioStream)


@dataclass(frozen=True, slots=True)
class Output:
    """`written` and `again` are one file, unbuffered: the muxer reads it again to move its index."""

    written: BinaryIO
    again: BinaryIO


@contextmanager
def output_at(path: Path) -> Iterator[Output]:
    with path.open("w+b", buffering=0) as written, path.open("rb", buffering=0) as again:
        yield Output(written, again)


def metadata_of(film: InputContainer) -> dict[str, str]:
    """Tell what the film says of itself that a film made from it goes on saying."""
    return {name: film.metadata[name] for name in KEPT if name in film.metadata}


@contextmanager
def muxed(output: Output, metadata: Mapping[str, str]) -> Iterator[OutputContainer]:
    """Give a film to put packets in; the same ones give the same bytes. Raise NotAFilm for what no MP4 can hold."""
    options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": MOVIE_TIMESCALE}
    with (
        blaming("it cannot be written anew"),
        av.open(output.written, "w", format="mp4", options=options, io_open=lambda *_: output.again) as film,
    ):
        film.metadata.update(metadata)
        yield film


def mux_in_order(
    film: OutputContainer, pictures: Iterable[PicturePacket], sound: Iterable[SoundPacket]
) -> None:
    """Write both, each in its order of decoding, so that a player never has to wait for one of them."""
    both: tuple[Iterable[ClipPacket], ...] = pictures, sound
    for packet in heapq.merge(*both, key=_decoded_at):
        film.mux(packet)


def copy_of(film: OutputContainer, stream: Copied) -> Copied:
    """Add a stream whose packets are copied from `stream`."""
    try:
        # Opaque, since else an encoder of the decoder's name is looked for, and AV1 has none.
        copy = film.add_stream_from_template(stream, opaque=True)
    except ValueError as error:
        raise NotAFilm(f"its {stream.type} cannot be copied: {error}") from error
    if stream.codec_context.codec_tag == TAG_TO_KEEP:
        copy.codec_context.codec_tag = TAG_TO_KEEP
    return copy


def _decoded_at(packet: ClipPacket) -> Fraction:
    return (packet.dts or 0) * packet.time_base
