"""Clips of one make put behind each other packet by packet, their pictures never decoded."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from filmgate.media.clips import PACKETS_ONLY, Clip, SoundPacket, Voice, sound_of, sound_packets
from filmgate.media.output import Output, copy_of, metadata_of, mux_in_order, muxed
from filmgate.media.seam import AAC_SAMPLES, copies_well
from filmgate.media.sound import new_sound
from filmgate.media.source import demuxed
from filmgate.media.track import PicturePacket, packets_of, picture


def can_splice(clips: Sequence[Clip]) -> bool:
    """Tell whether one decoder shows all clips, each from its first packet to its last."""
    look = clips[0].look
    # Without extradata a stream describes itself in its packets, where nothing is compared.
    if not look.extradata or any(clip.look != look or not _is_whole(clip) for clip in clips):
        return False
    return all(
        # Decoding times that fell back at a seam would be refused by the muxer and by players.
        before.span + after.decoded_at[0] > before.decoded_at[1]
        for before, after in pairwise(clips)
    )


def splice(clips: Sequence[Clip], output: Output) -> bool:
    """Copy the pictures, and the sound where it stays right; give False where that was encoded again."""
    copies = _sound_copies(clips)
    with demuxed(clips[0].file) as first, muxed(output, metadata_of(first)) as film:
        pictures, sound = copy_of(film, picture(first)), sound_of(first)
        if not copies:
            packets = new_sound(film, clips, [clip.seconds for clip in clips])
        elif sound is not None and clips[0].voice is not None:
            packets = [*_sound(clips, copy_of(film, sound), sound.codec_context.sample_rate)]
        else:
            packets = []
        mux_in_order(film, _pictures(clips, pictures), packets)
    return copies


def _is_whole(clip: Clip) -> bool:
    track = clip.track
    return track.start == 0 and track.frames == track.packets and min(track.keyframes, default=None) == 0


def _sound_copies(clips: Sequence[Clip]) -> bool:
    voice = clips[0].voice
    if any(clip.voice != voice for clip in clips):
        return False
    return voice is None or (
        (voice.codec, voice.profile, voice.time_base) == ("aac", "LC", Fraction(1, voice.rate_hz))
        and all(_is_in_step(clip) for clip in clips)
        and all(_is_full(clip, voice) for clip in clips[:-1])
        and all(
            copies_well(before, after, int(before.seconds * voice.rate_hz))
            for before, after in pairwise(clips)
        )
    )


def _is_in_step(clip: Clip) -> bool:
    """Tell whether its packets are an unbroken row that has one at 0."""
    first = clip.heard_at[0]
    row = range(first, first + len(clip.heard_at) * AAC_SAMPLES, AAC_SAMPLES)
    return tuple(row) == clip.heard_at and 0 in row


def _is_full(clip: Clip, voice: Voice) -> bool:
    """Tell whether its sound can end with its last picture, at the end of a packet."""
    samples = clip.seconds * voice.rate_hz
    return samples % AAC_SAMPLES == 0 and clip.heard_at[-1] + AAC_SAMPLES >= samples


def _beginnings(clips: Sequence[Clip]) -> list[Fraction]:
    return list(accumulate((clip.seconds for clip in clips[:-1]), initial=Fraction(0)))


def _pictures(clips: Sequence[Clip], stream: VideoStream) -> Iterator[PicturePacket]:
    for clip, begins in zip(clips, _beginnings(clips), strict=True):
        with demuxed(clip.file, PACKETS_ONLY) as source:
            shift = int(begins / clip.track.time_base)
            for packet in packets_of(source, picture(source)):
                if packet.size and packet.pts is not None and packet.dts is not None:
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    yield packet


def _sound(clips: Sequence[Clip], stream: AudioStream, rate_hz: int) -> Iterator[SoundPacket]:
    for clip, begins in zip(clips, _beginnings(clips), strict=True):
        with demuxed(clip.file, PACKETS_ONLY) as source:
            shift, end = int(begins * rate_hz), round(clip.seconds * rate_hz)
            for packet in sound_packets(source):
                at = packet.pts or 0
                # What a later clip says before its start would be heard at the end of the clip before.
                if at < end and (at >= 0 or begins == 0):
                    packet.duration = min(AAC_SAMPLES, end - at)
                    packet.pts = packet.dts = at + shift
                    packet.stream = stream
                    yield packet
