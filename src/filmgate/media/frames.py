"""Pictures of a film at shares of its duration, as small RGB images."""

from collections.abc import Iterator, Sequence
from typing import Final

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL.Image import Image

from filmgate.media.findings import NotAFilm
from filmgate.media.source import Source, blaming, demuxed
from filmgate.media.track import Track, demux, packets_of, picture

# Above this many, about 60 s of 1080p, only key frames are decoded: pictures for people need not be exact.
DECODED_PIXELS: Final = 3_000_000_000
UNSPECIFIED: Final = 2
HD_LINES: Final = 720


def images_at(source: Source, shares: Sequence[float], widths: Sequence[int]) -> list[Image]:
    """Give one image for each share (rising, 0 to 1), not wider than its width and never enlarged.

    Raise NotAFilm where the film cannot be decoded.
    """
    track = demux(source)
    return images_of(source, track, shares, widths, to_end=False)


def images_of(
    source: Source, track: Track, shares: Sequence[float], widths: Sequence[int], *, to_end: bool
) -> list[Image]:
    """As images_at. With `to_end` what can be decoded exactly is decoded whole, as a proof that it can be."""
    times = [track.start + share * (track.end - track.start) for share in shares]
    with demuxed(source) as container:
        stream = picture(container)
        if decodes_exactly(track):
            frames = _exactly(container, stream, times, to_end=to_end)
        else:
            frames = _nearby(container, stream, times)
        with blaming("its pictures cannot be decoded"):
            return [_image(frame, width) for frame, width in zip(frames, widths, strict=True)]


def decodes_exactly(track: Track) -> bool:
    return track.width * track.height * track.frames <= DECODED_PIXELS


def _exactly(
    container: InputContainer, stream: VideoStream, times: Sequence[float], *, to_end: bool
) -> Iterator[VideoFrame]:
    """For each time the frame that is on the screen then."""
    shown: VideoFrame | None = None
    left = list(times)
    container.seek(int(left[0]), stream=stream)
    for packet in packets_of(container, stream):
        for frame in packet.decode():
            while left and shown is not None and frame.pts is not None and frame.pts > left[0]:
                del left[0]
                yield shown
            if not left and not to_end:
                return
            if frame.is_corrupt:
                raise NotAFilm(f"its picture at {frame.time or 0:.2f} s cannot be decoded")
            shown = frame
    if shown is None:
        raise NotAFilm("its pictures cannot be decoded")
    for _ in left:
        yield shown


def _nearby(container: InputContainer, stream: VideoStream, times: Sequence[float]) -> Iterator[VideoFrame]:
    """For each time the key frame before it."""
    stream.codec_context.skip_frame = "NONKEY"
    for time in times:
        container.seek(int(time), stream=stream)
        yield next(container.decode(stream))


def _image(frame: VideoFrame, width: int) -> Image:
    width = min(width, frame.width)
    # Players take large pictures without a mark for BT.709; the scaler would take them for BT.601.
    unmarked = frame.colorspace == UNSPECIFIED and frame.height >= HD_LINES
    image: Image = frame.to_image(  # type: ignore[no-untyped-call]  # PyAV leaves it without types.
        width=width,
        height=max(2, round(width * frame.height / frame.width)),
        src_colorspace=Colorspace.ITU709 if unmarked else None,
        interpolation="AREA",
        threads=1,
    )
    return image
