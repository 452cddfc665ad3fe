"""What clients of the unified wire send to have a film made, in all the spellings that are seen."""

from dataclasses import replace
from typing import Final

from filmgate.dialects.reading import (
    callback,
    first,
    metadata,
    number,
    pictures,
    spelled,
    text,
    truth,
    wrong,
)
from filmgate.domain.contracts import Fields
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, NamedSource, SourceKind

_RATIO: Final = ("aspect_ratio", "aspectRatio")
_SECONDS: Final = ("duration", "seconds")
TASK: Final = ("task_id", "id")
_ORIENTATIONS: Final = {"portrait": "9:16", "landscape": "16:9"}


def draft(fields: Fields, *pictured: str) -> Draft:
    """Read a film's body; `pictured` are further fields that hold pictures."""
    more = metadata(fields)
    return Draft(
        picture_field="images",
        model=text(fields, "model"),
        prompt=text(fields, "prompt"),
        size=text(fields, "size") or _sides(fields),
        aspect_ratio=first(fields, more, _RATIO) or _orientation(fields),
        resolution=first(fields, more, ("resolution",)),
        seconds=next((said for name in _SECONDS if (said := number(fields, name))), None),
        pictures=pictures(fields, more, *pictured),
        seed=number(fields, "seed"),
        enhance=truth(fields, "enhance_prompt", default=False),
        upsample=truth(fields, "enable_upsample", default=False),
        callback_url=callback(fields, more),
        metadata=more,
        spelled=spelled(
            fields,
            more,
            size=("size", "width"),
            aspect_ratio=(*_RATIO, "orientation"),
            resolution=("resolution",),
            seconds=_SECONDS,
        ),
    )


def extension(fields: Fields) -> Draft:
    """Read the wish to go on from a film; a model that is not named is that film's."""
    task_id = first(fields, {}, TASK)
    if task_id is None:
        raise Problem("missing_parameter", field="task_id")
    return replace(
        draft(fields),
        upsample=truth(fields, "upscale", default=truth(fields, "enable_upsample", default=False)),
        source=NamedSource(SourceKind.EXTEND, task_id, "task_id"),
    )


def _sides(fields: Fields) -> str | None:
    width, height = number(fields, "width"), number(fields, "height")
    return f"{width}x{height}" if width and height else None


def _orientation(fields: Fields) -> str | None:
    said = text(fields, "orientation")
    if said is None:
        return None
    if said.strip().lower() not in _ORIENTATIONS:
        raise wrong("orientation", "portrait or landscape", "portrait 或 landscape")
    return _ORIENTATIONS[said.strip().lower()]
