"""Pictures decoded from a film, and pictures encoded anew as our own films are."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from filmgate.media.findings import NotAFilm
from filmgate.media.fit import PIXELS
from filmgate.media.source import blaming
from filmgate.media.track import PicturePacket, Track

if TYPE_CHECKING:
    from av.packet import Packet

EncodedPicture: TypeAlias = "Packet[VideoStream]"

# What is encoded for the second time is given a little more than what is fresh.
X264: Final = {
    "preset": "veryfast",
    "crf": "20",
    "x264-params": "ref=1:me=dia:subme=1:bframes=2:b-adapt=0:rc-lookahead=8:keyint=48:open-gop=0",
}


def frames_of(packets: Iterable[PicturePacket]) -> Iterator[VideoFrame]:
    """Decode every packet. Raise NotAFilm for the first picture that cannot be, or that has no time."""
    lasting: dict[int | None, int] = {}
    with blaming("its pictures cannot be decoded"):
        for packet in packets:
            # The packets know how long each picture is shown; decoders that look ahead may forget.
            lasting[packet.pts] = packet.duration or 0
            for frame in packet.decode():
                if frame.is_corrupt or frame.pts is None:
                    raise NotAFilm(f"its picture at {frame.time or 0:.2f} s cannot be decoded")
                frame.duration = lasting.pop(frame.pts, 0) or frame.duration
                yield frame


def add_pictures(
    film: OutputContainer, like: VideoStream, size: tuple[int, int], rate: Fraction, time_base: Fraction
) -> VideoStream:
    """Add a stream for pictures of `size`, whose colours keep the marks that those of `like` carry."""
    stream = film.add_stream("libx264", rate=rate, options=dict(X264))
    stream.width, stream.height = size
    stream.pix_fmt = PIXELS
    context, marks = stream.codec_context, like.codec_context
    context.time_base = time_base
    context.flags |= Flags.bitexact
    # A confined child may start no thread.
    context.thread_count = 1
    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
    context.color_primaries = _named(marks.color_primaries, ColorPrimaries.BT709)
    context.color_trc = _named(marks.color_trc, ColorTrc.BT709)
    return stream


def encoded(stream: VideoStream, frames: Iterable[VideoFrame]) -> Iterator[EncodedPicture]:
    """Encode pictures whose times and durations are in the time base of the stream."""
    lasting: dict[int | None, int] = {}
    times: list[tuple[int, int]] = []
    held: EncodedPicture | None = None
    for packet in _packets(stream, frames, lasting):
        if held is not None:
            yield held
        held = packet
        times.append((packet.pts or 0, packet.dts or 0))
    if held is not None:
        # The muxer ends the film with the picture that is decoded last, which need not be the one that is shown last.
        begins, first = min(pts for pts, _ in times), times[0][1]
        ends = max(pts + lasting.get(pts, 0) for pts, _ in times)
        held.duration = max(held.duration or 1, (ends - begins) - (times[-1][1] - first))
        yield held


def _packets(
    stream: VideoStream, frames: Iterable[VideoFrame], lasting: dict[int | None, int]
) -> Iterator[EncodedPicture]:
    for frame in frames:
        lasting[frame.pts] = frame.duration
        yield from _lasting(stream.encode(frame), lasting)
    yield from _lasting(stream.encode(None), lasting)


def pace_of(track: Track) -> Fraction:
    """Tell how many pictures a second it shows, on average where they differ in length."""
    return track.rate or (
        Fraction(track.frames, track.end - track.start) / track.time_base
    ).limit_denominator(1001)


def _lasting(packets: Iterable[EncodedPicture], lasting: dict[int | None, int]) -> Iterator[EncodedPicture]:
    # The encoder forgets how long a picture is shown, and the last one's end is the end of the film.
    for packet in packets:
        packet.duration = lasting.get(packet.pts, packet.duration)
        yield packet


def _named(mark: int, otherwise: int) -> int:
    return otherwise if mark in {0, ColorPrimaries.UNSPECIFIED} else mark
