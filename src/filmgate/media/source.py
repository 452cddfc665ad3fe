"""A film as a path, or as a file opened earlier by someone who was allowed to."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
from av.container import InputContainer

from filmgate.media.findings import NotAFilm

Source: TypeAlias = Path | BinaryIO


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Give the file at its start; one that was handed in open stays open."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


@contextmanager
def demuxed(source: Source, options: dict[str, str] | None = None) -> Iterator[InputContainer]:
    """Open the film as MP4 and as nothing else; raise NotAFilm when that fails."""
    with opened(source) as file:
        try:
            # Left to guess, the demuxer would take a JPEG or a GIF for a film of one picture.
            container = av.open(file, "r", format="mp4", options=options, metadata_errors="replace")
        except av.FFmpegError as error:
            raise blamed(error, "it cannot be opened as MP4") from error
        with container:
            yield container


def blamed(error: av.FFmpegError, text: str, kind: type[NotAFilm] = NotAFilm) -> Exception:
    """Give what is to be raised: the film is refused, unless it was the disk that failed."""
    disk = error.__cause__ or error.__context__
    # A broken index asks for places before the file's beginning: that is no failure of the disk.
    if isinstance(disk, OSError) and disk.errno != errno.EINVAL:
        return disk
    return kind(f"{text}: {error.strerror}")
