"""Where the sound of one clip ends and the next begins: nobody may hear a click there."""

import itertools
import math
from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext

from filmgate.media.clips import PACKETS_ONLY, Clip, SoundPacket, Voice, sound_of, sound_packets
from filmgate.media.findings import NotAFilm
from filmgate.media.source import blaming, demuxed

AAC_SAMPLES: Final = 1024
# A decoder has settled after its first packets.
RUN_UP: Final = 4 * AAC_SAMPLES
# Copies of one continuous sound are wrong by a thousandth at their seam, those that click by a tenth.
AUDIBLE: Final = 0.02
CROSSFADE_S: Final = 0.010


def copies_well(before: Clip, after: Clip, samples: int) -> bool:
    """Tell whether packets of `after` may follow those of the first `samples` samples of `before`, AAC both.

    A packet sounds right only behind the one that it was encoded behind, or behind one of the same sound.
    """
    if before.voice is None:
        return False
    start = _packets(after, 0, AAC_SAMPLES)
    wanted = _last_sound(before.voice, _packets(after, -RUN_UP, AAC_SAMPLES))
    heard = _last_sound(before.voice, [*_packets(before, samples - RUN_UP, samples), *start])
    return len(heard) == len(wanted) and all(
        abs(one - other) <= AUDIBLE for one, other in zip(heard, wanted, strict=True)
    )


def soften(sound: "memoryview[float]", at: int, channels: int, rate_hz: int) -> None:
    """Take the click out of interleaved floats at a seam `at` samples from the start, where there is one.

    A step no steeper than the sound around it makes no click, and stays as it is.
    """
    count = min(round(CROSSFADE_S * rate_hz), at, len(sound) // channels - at)
    if count == 0 or not any(_clicks(sound[channel::channels], at, count) for channel in range(channels)):
        return
    for number in range(count):
        fading = 0.5 + 0.5 * math.cos(math.pi * (number + 0.5) / count)
        for channel in range(channels):
            # What came before goes on backwards, for want of a sound that was never made.
            mirrored = sound[(at - 1 - number) * channels + channel]
            place = (at + number) * channels + channel
            sound[place] = fading * mirrored + (1 - fading) * sound[place]


def _clicks(wave: "memoryview[float]", at: int, count: int) -> bool:
    around = wave[at - count : at + count].tolist()
    steps = [abs(after - before) for before, after in itertools.pairwise(around)]
    seam = steps.pop(count - 1)
    return seam > max(steps, default=0.0)


def _packets(clip: Clip, start: int, stop: int) -> list[SoundPacket]:
    """Give those whose sound starts from `start` up to `stop`, in samples."""
    found = []
    with demuxed(clip.file, PACKETS_ONLY) as container:
        if start > 0:
            container.seek(start, stream=sound_of(container))
        for packet in sound_packets(container):
            if packet.pts is None or packet.pts >= stop:
                break
            if packet.pts >= start:
                found.append(packet)
    return found


def _last_sound(voice: Voice, packets: list[SoundPacket]) -> list[float]:
    """Give the samples that the last packet brings, channel after channel."""
    decoder = av.CodecContext.create("aac", "r")
    if not isinstance(decoder, AudioCodecContext):
        raise NotAFilm("its sound is of no codec that is known")
    decoder.extradata = voice.extradata
    with blaming("its sound cannot be decoded"):
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
    if not frames:
        return []
    return [sample for plane in frames[-1].planes for sample in memoryview(plane).cast("f")]
