"""Clips of different makes put behind each other: decoded, brought to the first one's size, encoded as one."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from av.video.frame import VideoFrame

from filmgate.media.clips import Clip, naming
from filmgate.media.drawing import add_pictures, encoded, frames_of, pace_of
from filmgate.media.findings import NotAFilm
from filmgate.media.fit import Fitting
from filmgate.media.output import Output, metadata_of, mux_in_order, muxed
from filmgate.media.sound import new_sound
from filmgate.media.source import demuxed
from filmgate.media.track import packets_of, picture


def redraw(clips: Sequence[Clip], output: Output) -> None:
    """Give the whole film the first clip's size and pace. Raise NotAFilm for what cannot be decoded."""
    pace = pace_of(clips[0].track)
    counts = [max(1, round(clip.seconds * pace)) for clip in clips]
    size = _even(clips[0].track.width), _even(clips[0].track.height)
    with demuxed(clips[0].file) as first, muxed(output, metadata_of(first)) as film:
        stream = add_pictures(film, picture(first), size, pace, 1 / pace)
        sound = new_sound(film, clips, [count / pace for count in counts])
        frames = _numbered(_all_fitted(clips, counts, size, pace), 1 / pace)
        mux_in_order(film, encoded(stream, frames), sound)


def _all_fitted(
    clips: Sequence[Clip], counts: Sequence[int], size: tuple[int, int], pace: Fraction
) -> Iterator[VideoFrame]:
    for clip, count in zip(clips, counts, strict=True):
        with naming(clip.number), demuxed(clip.file) as source:
            stream = picture(source)
            fitting = Fitting(*size, stream.sample_aspect_ratio)
            frames = frames_of(packets_of(source, stream))
            for frame in _at_pace(frames, clip.begins, pace, count):
                yield fitting.fit(frame)


def _at_pace(
    frames: Iterable[VideoFrame], begins: Fraction, pace: Fraction, count: int
) -> Iterator[VideoFrame]:
    """Give for each of `count` moments the frame on the screen then, and decode what is left as a proof."""
    given = 0
    shown = None
    for frame in frames:
        at = (frame.pts or 0) * (frame.time_base or 0) - begins
        # Half a picture's time is room for clocks that round.
        while shown is not None and given < count and at * pace > given + Fraction(1, 2):
            yield shown
            given += 1
        shown = frame
    if shown is None:
        raise NotAFilm("its pictures cannot be decoded")
    for _ in range(given, count):
        yield shown


def _numbered(frames: Iterable[VideoFrame], time_base: Fraction) -> Iterator[VideoFrame]:
    for number, frame in enumerate(frames):
        frame.pts, frame.duration, frame.time_base = number, 1, time_base
        yield frame


def _even(length: int) -> int:
    return max(2, length // 2 * 2)
