"""A clip as its packets tell it: what must agree with its neighbours before they can be joined undecoded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias, TypeGuard, cast

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.probe import examine
from filmgate.media.source import blaming, demuxed
from filmgate.media.track import PicturePacket, Track, has_decoder, picture

if TYPE_CHECKING:
    from av.packet import Packet

SoundPacket: TypeAlias = "Packet[AudioStream]"
ClipPacket: TypeAlias = "Packet[VideoStream] | Packet[AudioStream]"

# Opening a film decodes a picture of it, which costs more than to read all its packets.
PACKETS_ONLY: Final = {"skip_frame": "all"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where two clips agree in it, one decoder shows both."""

    codec: str
    width: int
    height: int
    time_base: Fraction | None
    rate: Fraction | None
    extradata: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Where two clips agree in it, one decoder plays both."""

    codec: str
    profile: str | None
    rate_hz: int
    channels: int
    layout: str
    time_base: Fraction | None
    extradata: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """`number` counts from 1. `decoded_at` is when its first and last picture are decoded, `heard_at` when its sound.

    Both are in units of their own time base.
    """

    number: int
    file: BinaryIO
    track: Track
    look: Look
    decoded_at: tuple[int, int]
    voice: Voice | None
    heard_at: tuple[int, ...] = field(repr=False)

    @property
    def span(self) -> int:
        """How long its pictures are shown, in units of their time base."""
        return self.track.end - self.track.start

    @property
    def seconds(self) -> Fraction:
        return self.span * self.track.time_base

    @property
    def begins(self) -> Fraction:
        """When its first picture is shown, in seconds on the clock of its sound."""
        return self.track.start * self.track.time_base


def read_clips(files: Sequence[BinaryIO]) -> list[Clip]:
    """Check and demux each whole and decode nothing. Raise NotAFilm or TruncatedFilm, which name the clip."""
    clips = []
    for number, file in enumerate(files, 1):
        with naming(number):
            clips.append(_read(number, file))
    return clips


@contextmanager
def naming(number: int) -> Iterator[None]:
    """Say which clip a refusal is about."""
    try:
        yield
    except NotAFilm as error:
        raise type(error)(f"clip {number}: {error.reason}") from error


def sound_of(container: InputContainer) -> AudioStream | None:
    """Find the sound. One that nobody can decode is refused: left out, it would be missed by nobody but the customer."""
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        return None
    if not has_decoder(stream):
        raise NotAFilm("its sound is of no codec that is known")
    stream.codec_context.thread_count = 1
    return stream


def packets_of_both(
    container: InputContainer, pictures: VideoStream, sound: AudioStream | None
) -> Iterator[ClipPacket]:
    """Give each packet in the order of the file, and at the end an empty one for each stream."""
    streams = (pictures,) if sound is None else (pictures, sound)
    with blaming("its packets cannot be read to the end", TruncatedFilm):
        yield from cast("Iterator[ClipPacket]", container.demux(*streams))


def sound_packets(container: InputContainer) -> Iterator[SoundPacket]:
    """Give each packet of the sound that has a time; none where it is silent."""
    sound = sound_of(container)
    if sound is not None:
        with blaming("its packets cannot be read to the end", TruncatedFilm):
            yield from (packet for packet in container.demux(sound) if packet.size and packet.pts is not None)


def is_picture(packet: ClipPacket) -> TypeGuard[PicturePacket]:
    return isinstance(packet.stream, VideoStream)


def is_sound(packet: ClipPacket) -> TypeGuard[SoundPacket]:
    return isinstance(packet.stream, AudioStream)


def _read(number: int, file: BinaryIO) -> Clip:
    _, track = examine(file)
    with demuxed(file, PACKETS_ONLY) as container:
        pictures, sound = picture(container), sound_of(container)
        decoded_at: list[int] = []
        heard_at: list[int] = []
        for packet in packets_of_both(container, pictures, sound):
            if is_picture(packet) and packet.dts is not None:
                decoded_at.append(packet.dts)
            elif is_sound(packet) and packet.pts is not None:
                heard_at.append(packet.pts)
        if not decoded_at:
            raise NotAFilm("it has no picture with a time")
        return Clip(
            number=number,
            file=file,
            track=track,
            look=_look(pictures),
            decoded_at=(decoded_at[0], decoded_at[-1]),
            voice=_voice(sound) if sound is not None and heard_at else None,
            heard_at=tuple(heard_at),
        )


def _look(stream: VideoStream) -> Look:
    context = stream.codec_context
    return Look(
        codec=context.codec.canonical_name,
        width=context.width,
        height=context.height,
        time_base=stream.time_base,
        rate=stream.average_rate,
        extradata=context.extradata,
    )


def _voice(stream: AudioStream) -> Voice:
    context = stream.codec_context
    return Voice(
        codec=context.codec.canonical_name,
        profile=context.profile,
        rate_hz=context.sample_rate,
        channels=context.layout.nb_channels,
        layout=context.layout.name,
        time_base=stream.time_base,
        extradata=context.extradata,
    )
