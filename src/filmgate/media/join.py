"""Clips put one after the other into one film, copied where that can be done and encoded anew elsewhere."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from filmgate.media.clips import read_clips
from filmgate.media.output import output_at
from filmgate.media.redraw import redraw
from filmgate.media.source import Source, opened
from filmgate.media.splice import can_splice, splice


def join(sources: Sequence[Source], into: Path) -> bool:
    """Tell whether nothing was encoded. What an error leaves at `into` is no film.

    The film has the size, the pace and the title, comment and description of the first clip. Raise NotAFilm or
    TruncatedFilm for a clip that cannot be read; pictures that are copied are not decoded.
    """
    with ExitStack() as stack:
        clips = read_clips([stack.enter_context(opened(source)) for source in sources])
        output = stack.enter_context(output_at(into))
        if can_splice(clips):
            return splice(clips, output)
        redraw(clips, output)
        return False
