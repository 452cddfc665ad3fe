"""The picture with which a film ends, as the start of what goes on from there."""

from io import BytesIO
from typing import BinaryIO, Final

from av.video.frame import VideoFrame

from filmgate.media.drawing import frames_of
from filmgate.media.findings import CheckedPicture, NotAFilm
from filmgate.media.fit import colours_of
from filmgate.media.probe import examine
from filmgate.media.source import Source, demuxed, opened
from filmgate.media.track import Track, packets_of, picture

# Nearly as small as the smallest, in a third of the time.
COMPRESSION: Final = 3


def last_frame(source: Source) -> CheckedPicture:
    """Give it as PNG, whole and in its own size. Raise NotAFilm or TruncatedFilm where the film's end is broken."""
    with opened(source) as film:
        _, track = examine(film)
        return _encoded(_last(film, track))


def _last(film: BinaryIO, track: Track) -> VideoFrame:
    if not track.keyframes:
        raise NotAFilm("it has no picture that can be decoded by itself")
    with demuxed(film) as container:
        stream = picture(container)
        container.seek(max(track.keyframes), stream=stream)
        last: VideoFrame | None = None
        for frame in frames_of(packets_of(container, stream)):
            last = frame
        if last is None:
            raise NotAFilm("its last picture cannot be decoded")
        return last


def _encoded(frame: VideoFrame) -> CheckedPicture:
    image = frame.to_image(src_colorspace=colours_of(frame), threads=1)  # type: ignore[no-untyped-call]  # PyAV leaves it without types.
    out = BytesIO()
    image.save(out, "PNG", compress_level=COMPRESSION)
    return CheckedPicture(frame.width, frame.height, "image/png", out.getvalue())
