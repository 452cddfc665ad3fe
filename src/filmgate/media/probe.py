"""Facts of a film by demuxing it, and the proof that it is one by decoding its first and last pictures."""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final

from av.container import InputContainer
from av.video.stream import VideoStream

from filmgate.domain.film import FilmFacts
from filmgate.media.boxes import is_faststart, top_level_boxes
from filmgate.media.findings import NotAFilm, TruncatedFilm
from filmgate.media.source import Source, blaming, demuxed, opened
from filmgate.media.track import PicturePacket, Track, demux, packets_of, picture

SNIFFED_BYTES: Final = 512
QUOTED_CHARACTERS: Final = 120


def probe(source: Source) -> FilmFacts:
    """Demux the whole film and decode nothing. Raise NotAFilm when there is no film to ask."""
    with opened(source) as file:
        return _facts(file, demux(file))


def validate(source: Source) -> FilmFacts:
    """Prove that the film is whole and can be shown. Raise NotAFilm or TruncatedFilm when it is not."""
    with opened(source) as file:
        facts, track = examine(file)
        decode_ends(file, track)
        return facts


def examine(file: BinaryIO) -> tuple[FilmFacts, Track]:
    """Check all that can be checked without decoding."""
    _check_start(file)
    _check_boxes(file)
    track = demux(file)
    _check_count(file, track)
    return _facts(file, track), track


def decode_ends(file: BinaryIO, track: Track) -> None:
    """Decode from the first key frame to the second, and from the last to the end."""
    if not track.keyframes:
        raise NotAFilm("it has no picture that can be decoded by itself")
    second = track.keyframes[1] if len(track.keyframes) > 1 else None
    _decode_group(file, track.keyframes[0], second)
    if second is not None:
        _decode_group(file, track.keyframes[-1], None)


def _facts(file: BinaryIO, track: Track) -> FilmFacts:
    if track.frames == 0 or track.seconds <= 0:
        raise NotAFilm("it lasts no time at all")
    return FilmFacts(
        video_codec=track.codec,
        width=track.width,
        height=track.height,
        fps=round(float(track.rate) if track.rate else track.frames / track.seconds, 3),
        frames=track.frames,
        seconds=round(track.seconds, 6),
        audio_codec=track.audio_codec,
        audio_rate_hz=track.audio_rate_hz,
        size_bytes=file.seek(0, os.SEEK_END),
        faststart=is_faststart(file),
    )


def _check_start(file: BinaryIO) -> None:
    file.seek(0)
    start = file.read(SNIFFED_BYTES)
    if not start:
        raise NotAFilm("it is empty")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<", b"{")):
        # Vendors send their errors with status 200 and the film's name.
        words = " ".join(text.decode(errors="replace").split())
        raise NotAFilm(f"it is text: {words[:QUOTED_CHARACTERS]!r}")
    if start[4:8] != b"ftyp":
        raise NotAFilm(f"it begins with {start[:12]!r}, an MP4 file with its ftyp box")


def _check_boxes(file: BinaryIO) -> None:
    kinds = {box.kind for box in top_level_boxes(file)}
    if b"moov" not in kinds:
        raise TruncatedFilm("it has no moov box")


def _check_count(file: BinaryIO, track: Track) -> None:
    if track.packets >= track.announced:
        return
    # An edit list hides packets in all honesty, so count once more without it.
    packets = demux(file, {"ignore_editlist": "1"}).packets
    if packets < track.announced:
        raise TruncatedFilm(f"it has {packets} of the {track.announced} pictures that it announces")


def _decode_group(file: BinaryIO, start: int, stop: int | None) -> None:
    """Decode from the key frame at `start` up to the one at `stop`, or to the end."""
    with demuxed(file) as container:
        stream = picture(container)
        text = f"its picture at {float(start * (stream.time_base or 0)):.2f} s cannot be decoded"
        with blaming(text):
            container.seek(start, stream=stream)
            corrupt = [f.is_corrupt for packet in _group(container, stream, stop) for f in packet.decode()]
            corrupt += [frame.is_corrupt for frame in stream.codec_context.decode(None)]
        if not corrupt or any(corrupt):
            raise NotAFilm(text)


def _group(container: InputContainer, stream: VideoStream, stop: int | None) -> Iterator[PicturePacket]:
    for packet in packets_of(container, stream):
        at = packet.pts
        if packet.size == 0 or (stop is not None and packet.is_keyframe and at is not None and at >= stop):
            return
        yield packet
