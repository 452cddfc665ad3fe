"""The same film in another size: its pictures encoded anew, its sound copied packet by packet."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from filmgate.media.clips import is_picture, is_sound, packets_of_both, sound_of
from filmgate.media.drawing import add_pictures, encoded, frames_of, pace_of
from filmgate.media.fit import Fitting
from filmgate.media.output import Output, copy_of, metadata_of, muxed, output_at
from filmgate.media.probe import examine
from filmgate.media.source import Source, demuxed, opened
from filmgate.media.track import PicturePacket, picture


def scale(source: Source, into: Path, width: int, height: int) -> None:
    """Write the film at an even `width` and `height`, faststart. Of another shape is cut off what is too much.

    Raise NotAFilm or TruncatedFilm where it cannot be decoded; what is at `into` then is no film.
    """
    with opened(source) as film, output_at(into) as output:
        rescale(film, output, width, height)


def rescale(film: BinaryIO, output: Output, width: int, height: int) -> None:
    """As scale, with files that were opened earlier."""
    _, track = examine(film)
    with demuxed(film) as source, muxed(output, metadata_of(source)) as target:
        pictures, sound = picture(source), sound_of(source)
        drawn = add_pictures(target, pictures, (width, height), pace_of(track), track.time_base)
        copy = None if sound is None else copy_of(target, sound)
        frames = frames_of(_pictures_of(source, pictures, target, sound, copy))
        fitting = Fitting(width, height, pictures.sample_aspect_ratio)
        for packet in encoded(drawn, _timed(_fitted(frames, fitting), track.end)):
            target.mux(packet)


def _pictures_of(
    source: InputContainer,
    pictures: VideoStream,
    target: OutputContainer,
    sound: AudioStream | None,
    copy: AudioStream | None,
) -> Iterator[PicturePacket]:
    """Give the pictures' packets, and write those of the sound as they come in between."""
    for packet in packets_of_both(source, pictures, sound):
        if is_picture(packet):
            yield packet
        elif is_sound(packet) and copy is not None and packet.dts is not None:
            packet.stream = copy
            target.mux(packet)


def _fitted(frames: Iterable[VideoFrame], fitting: Fitting) -> Iterator[VideoFrame]:
    for frame in frames:
        at, time_base = frame.pts, frame.time_base
        fitted = fitting.fit(frame)
        fitted.pts, fitted.time_base = at, time_base
        yield fitted


def _timed(frames: Iterable[VideoFrame], end: int) -> Iterator[VideoFrame]:
    """Tell each picture that it lasts until the next one; a demuxer tells how far they lie apart in the file."""
    last: VideoFrame | None = None
    for frame in frames:
        if last is not None:
            last.duration = (frame.pts or 0) - (last.pts or 0)
            yield last
        last = frame
    if last is not None:
        last.duration = max(1, end - (last.pts or 0))
        yield last
