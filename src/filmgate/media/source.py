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
        with blaming("it cannot be opened as MP4"):
            # Left to guess, the demuxer would take a JPEG or a GIF for a film of one picture.
            container = av.open(file, "r", format="mp4", options=options, metadata_errors="replace")
        with container:
            yield container


@contextmanager
def blaming(text: str, kind: type[NotAFilm] = NotAFilm) -> Iterator[None]:
    """Refuse the film for what its codecs raise; what the disk did is not its fault and stays an OSError."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        disk = error.__context__ if isinstance(error, av.FFmpegError) else error
        # A broken index asks for places before the file's beginning: that is no failure of the disk.
        if isinstance(disk, OSError) and disk.errno != errno.EINVAL:
            raise disk from None
        raise kind(f"{text}: {error.strerror}") from error
