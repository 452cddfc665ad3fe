"""The same film with its index in front, so that players start before they have all of it."""

from pathlib import Path
from typing import BinaryIO

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from filmgate.media.boxes import is_faststart
from filmgate.media.findings import NotAFilm
from filmgate.media.output import Output, copy_of, muxed
from filmgate.media.source import Source, blaming, demuxed, opened
from filmgate.media.track import has_decoder


def faststart(source: Source, into: Path) -> bool:
    """Copy the packets to `into`, `moov` before `mdat`. Where it is so already, write nothing and give False.

    Boxes that the muxer does not know, a statement of provenance among them, are not carried over.
    """
    with opened(source) as film:
        if is_faststart(film):
            return False
        with into.open("w+b", buffering=0) as written, into.open("rb", buffering=0) as again:
            remux(film, written, again)
        return True


def remux(film: BinaryIO, written: BinaryIO, again: BinaryIO) -> None:
    """Copy into `written`, unbuffered; `again` is the same file, which the muxer reads to move its index."""
    with (
        demuxed(film) as source,
        blaming("its packets cannot be copied"),
        muxed(Output(written, again), dict(source.metadata)) as target,
    ):
        _copy(source, target)


def _copy(source: InputContainer, target: OutputContainer) -> None:
    streams = [stream for stream in source.streams if isinstance(stream, VideoStream | AudioStream)]
    if not streams or not all(has_decoder(stream) for stream in streams):
        raise NotAFilm("it holds no picture and sound of codecs that are known")
    copies = {stream.index: copy_of(target, stream) for stream in streams}
    for packet in source.demux(streams):
        # The demuxer ends each stream with an empty packet.
        if packet.dts is not None:
            packet.stream = copies[packet.stream.index]
            target.mux(packet)
