"""The sound of several clips decoded, cut to their pictures, put behind each other and encoded as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer

from filmgate.media.clips import Clip, SoundPacket, naming, sound_of
from filmgate.media.seam import AAC_SAMPLES, soften
from filmgate.media.source import blaming, demuxed

FLOAT_BYTES: Final = 4
# AAC knows no other.
RATES_HZ: Final = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})
RATE_HZ: Final = 48_000
# Sound that was encoded once already needs more than fresh sound to stay as good.
CHANNEL_BITS_PER_S: Final = 96_000


@dataclass(frozen=True, slots=True)
class Tone:
    """How one sound for all clips is encoded: `channels` is 1 or 2."""

    rate_hz: int
    channels: int

    @property
    def layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    @property
    def sample_bytes(self) -> int:
        """Of all channels together."""
        return FLOAT_BYTES * self.channels


def new_sound(film: OutputContainer, clips: Sequence[Clip], lasting: Sequence[Fraction]) -> list[SoundPacket]:
    """Add a stream to the film and encode what all clips sound like; each is heard for its seconds exactly.

    Where only some are silent there is silence; where all are, no stream is added.
    """
    tone = _tone(clips)
    if tone is None:
        return []
    return list(_encoded(_stream(film, tone), _joined(clips, lasting, tone), tone))


def _tone(clips: Sequence[Clip]) -> Tone | None:
    """Choose the rate of the first that is heard, and stereo where any is more than mono."""
    heard = [clip.voice for clip in clips if clip.voice is not None]
    if not heard:
        return None
    rate_hz = heard[0].rate_hz if heard[0].rate_hz in RATES_HZ else RATE_HZ
    return Tone(rate_hz, min(2, max(voice.channels for voice in heard)))


def _joined(clips: Sequence[Clip], lasting: Sequence[Fraction], tone: Tone) -> bytearray:
    """Decode all into interleaved floats."""
    whole = bytearray()
    seams: list[int] = []
    end = Fraction(0)
    for clip, seconds in zip(clips, lasting, strict=True):
        seams.append(len(whole) // tone.sample_bytes)
        end += seconds
        with naming(clip.number):
            whole += _cut(clip, round(end * tone.rate_hz) - seams[-1], tone)
    with memoryview(whole).cast("f") as samples:
        for seam in seams[1:]:
            soften(samples, seam, tone.channels, tone.rate_hz)
    return whole


def _stream(film: OutputContainer, tone: Tone) -> AudioStream:
    stream = film.add_stream("aac", rate=tone.rate_hz, options={"aac_coder": "fast"})
    context = stream.codec_context
    context.layout, context.format = tone.layout, "fltp"
    context.bit_rate = CHANNEL_BITS_PER_S * tone.channels
    context.thread_count = 1
    context.flags |= Flags.bitexact
    return stream


def _encoded(stream: AudioStream, sound: bytearray, tone: Tone) -> Iterator[SoundPacket]:
    """Encode interleaved floats into packets that end exactly where they do."""
    total = len(sound) // tone.sample_bytes
    with memoryview(sound) as samples:
        for at in range(0, total, AAC_SAMPLES):
            block = samples[at * tone.sample_bytes : (at + AAC_SAMPLES) * tone.sample_bytes]
            frame = AudioFrame("flt", tone.layout, len(block) // tone.sample_bytes)
            frame.planes[0].update(bytes(block))
            frame.rate, frame.pts, frame.time_base = tone.rate_hz, at, Fraction(1, tone.rate_hz)
            yield from _ending(stream.encode(frame), total)
    yield from _ending(stream.encode(None), total)


def _ending(packets: Sequence[SoundPacket], total: int) -> Iterator[SoundPacket]:
    for packet in packets:
        if packet.pts is not None and packet.pts < total:
            packet.duration = min(AAC_SAMPLES, total - packet.pts)
            yield packet


def _cut(clip: Clip, samples: int, tone: Tone) -> bytes:
    """Give so many samples from the moment of the first picture on."""
    wanted = samples * tone.sample_bytes
    sound = bytearray()
    lead = None
    for frame in _decoded(clip, tone):
        if lead is None:
            late = Fraction(frame.pts or 0) * (frame.time_base or 0) - clip.begins
            lead = round(late * tone.rate_hz) * tone.sample_bytes
            sound += bytes(min(max(lead, 0), wanted))
        sound += memoryview(frame.planes[0])[: frame.samples * tone.sample_bytes]
        if len(sound) + min(lead, 0) >= wanted:
            break
    early = -min(lead or 0, 0)
    return bytes(sound[early : early + wanted].ljust(wanted, b"\0"))


def _decoded(clip: Clip, tone: Tone) -> Iterator[AudioFrame]:
    with demuxed(clip.file) as container:
        stream = sound_of(container)
        if stream is None:
            return
        resampler = AudioResampler("flt", tone.layout, tone.rate_hz)
        with blaming("its sound cannot be decoded"):
            for frame in container.decode(stream):
                yield from resampler.resample(frame)
            yield from resampler.resample(None)
