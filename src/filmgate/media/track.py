"""The picture of a film as its packets tell it, nothing decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, cast

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.source import Source, blaming, demuxed

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.packet import Packet

PicturePacket: TypeAlias = "Packet[VideoStream]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """`packets` were found, `frames` of them are shown, `announced` is the header's number, 0 without one.

    `start`, `end` and `keyframes` are times in units of `time_base`.
    """

    codec: str
    width: int
    height: int
    packets: int
    frames: int
    announced: int
    start: int
    end: int
    time_base: Fraction
    rate: Fraction | None
    keyframes: tuple[int, ...]
    audio_codec: str | None
    audio_rate_hz: int | None

    @property
    def seconds(self) -> float:
        return float((self.end - self.start) * self.time_base)


def demux(source: Source, options: dict[str, str] | None = None) -> Track:
    """Read every packet of the picture; raise NotAFilm where there is none to read."""
    with demuxed(source, options) as container:
        stream = picture(container)
        packets = list(_times(container, stream))
        shown = [(at, duration) for at, duration, _, discarded in packets if not discarded]
        sound = _sound(container)
        return Track(
            codec=stream.codec_context.codec.canonical_name,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            packets=len(packets),
            frames=len(shown),
            announced=stream.frames,
            start=min((at for at, _ in shown), default=0),
            end=max((at + duration for at, duration in shown), default=0),
            time_base=stream.time_base or Fraction(1),
            rate=stream.average_rate,
            keyframes=tuple(at for at, _, key, _ in packets if key),
            audio_codec=None if sound is None else sound.codec.canonical_name,
            audio_rate_hz=None if sound is None else sound.sample_rate,
        )


def picture(container: InputContainer) -> VideoStream:
    """Find the moving picture, set to be decoded by one thread: a confined child may start no other."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise NotAFilm("it holds no moving picture")
    if not has_decoder(stream) or not stream.codec_context.width:
        raise NotAFilm("its moving picture is of no codec that is known")
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return stream


def has_decoder(stream: Stream) -> bool:
    """Tell whether the stream has a codec context, which its type promises but an unknown codec lacks."""
    return cast("CodecContext | None", stream.codec_context) is not None


def packets_of(container: InputContainer, stream: VideoStream) -> Iterator[PicturePacket]:
    """Give each packet, and at the end an empty one, on which a decoder gives up what it holds."""
    with blaming("its packets cannot be read to the end", TruncatedFilm):
        yield from container.demux(stream)


def _sound(container: InputContainer) -> AudioCodecContext | None:
    stream = container.streams.best("audio")
    return stream.codec_context if isinstance(stream, AudioStream) and has_decoder(stream) else None


def _times(container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, int, bool, bool]]:
    for packet in packets_of(container, stream):
        at = packet.pts if packet.pts is not None else packet.dts
        if packet.size and at is not None:
            yield at, packet.duration or 0, packet.is_keyframe, packet.is_discard
