"""Pictures of any size, colours and format made into those of one film: BT.709, limited range, 8 bits."""

from fractions import Fraction
from typing import Final

from av.filter.graph import Graph
from av.video.format import VideoFormat
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

PIXELS: Final = "yuv420p"
UNSPECIFIED: Final = 2
HD_LINES: Final = 720


class Fitting:
    """Scales by Lanczos until the size is covered, and cuts off equally on both sides what is too much."""

    def __init__(self, width: int, height: int, pixel_ratio: Fraction | None) -> None:
        """`pixel_ratio` is the width of the pictures' pixels by their height."""
        self._size = width, height
        self._pixel_ratio = pixel_ratio or Fraction(1)
        self._scaler = VideoReformatter()
        self._crop: tuple[tuple[int, int], Graph] | None = None

    def fit(self, frame: VideoFrame) -> VideoFrame:
        """Give a picture without time."""
        covering = _covering(frame.width, frame.height, self._pixel_ratio, self._size)
        scaled = self._scaler.reformat(
            frame,
            width=covering[0],
            height=covering[1],
            format=PIXELS,
            src_colorspace=colours_of(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.LANCZOS,
            threads=1,
        )
        if covering != self._size:
            scaled = self._cropped(scaled)
        # The encoder would repeat the kinds of pictures that the source had.
        scaled.pict_type = PictureType.NONE
        return scaled

    def _cropped(self, frame: VideoFrame) -> VideoFrame:
        size = frame.width, frame.height
        if self._crop is None or self._crop[0] != size:
            self._crop = size, _cropping(size, self._size)
        graph = self._crop[1]
        frame.pts = None
        graph.vpush(frame)
        return graph.vpull()


def colours_of(frame: VideoFrame) -> Colorspace | None:
    """Name the colours that players take for granted where the picture does not name its own."""
    if frame.colorspace != UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601


def _covering(width: int, height: int, pixel_ratio: Fraction, size: tuple[int, int]) -> tuple[int, int]:
    shown = width * pixel_ratio
    scale = max(size[0] / shown, Fraction(size[1], height))
    return max(size[0], _even(shown * scale)), max(size[1], _even(height * scale))


def _even(length: Fraction) -> int:
    return round(length / 2) * 2


def _cropping(source: tuple[int, int], target: tuple[int, int]) -> Graph:
    graph = Graph()
    # A confined child may start no thread.
    graph.threads = 1
    start = graph.add_buffer(
        width=source[0], height=source[1], format=VideoFormat(PIXELS), time_base=Fraction(1, 1000)
    )
    graph.link_nodes(start, graph.add("crop", f"{target[0]}:{target[1]}"), graph.add("buffersink"))
    graph.configure()
    return graph
