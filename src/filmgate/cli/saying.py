"""A wish in the words of a dialect; what a dialect has no word for is refused, and never left out unsaid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from filmgate.cli.errors import CliError, trouble
from filmgate.cli.picture import Source
from filmgate.cli.wish import Said, Wish

Dialect = Literal["laozhang", "unified", "newapi", "yishang", "openai"]

_MODEL: Final = "animatic"
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A POST: a form, whose lists are fields that come several times, or a JSON object."""

    path: str
    form: bool
    fields: Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class _Voice:
    """`words` are the dialect's names for options, `texts` those of them that it writes as text.

    `ratio` is its name for a size that is a ratio, where that is another one.
    """

    path: str
    pictures: str
    words: Mapping[str, str]
    texts: frozenset[str] = frozenset()
    ratio: str = ""


_VOICES: Final[Mapping[Dialect, _Voice]] = {
    "laozhang": _Voice(
        path="/veo/v1/api/video/submit",
        pictures="images",
        words={"model": "model", "enhance": "enhance_prompt"},
    ),
    "unified": _Voice(
        path="/v1/video/create",
        pictures="images",
        words={
            "model": "model",
            "size": "size",
            "seconds": "duration",
            "seed": "seed",
            "enhance": "enhance_prompt",
            "upsample": "enable_upsample",
        },
        ratio="aspect_ratio",
    ),
    "newapi": _Voice(
        path="/newapi/v1/videos",
        pictures="input_reference[]",
        words={
            "model": "model",
            "extend": "prompt_extend",
            "size": "size",
            "seconds": "seconds",
            "seed": "seed",
            "sound": "generate_audio",
        },
    ),
    "yishang": _Voice(
        path="/yishang/v1/videos",
        pictures="input_reference",
        words={"model": "model", "size": "size", "seconds": "seconds", "seed": "seed"},
        texts=frozenset({"seconds"}),
    ),
    "openai": _Voice(
        path="/openai/v1/videos",
        pictures="input_reference",
        words={"model": "model", "size": "size", "seconds": "seconds", "seed": "seed"},
        texts=frozenset({"seconds"}),
    ),
}


def say(wish: Wish, dialect: Dialect | None) -> Request:
    """Say a wish, without a dialect in the gate's own form. Raise CliError for what cannot be said."""
    if dialect is None:
        return Request("/gate/v1/tasks", form=False, fields=wish.fields())
    voice, given = _VOICES[dialect], {"model": _MODEL, **wish.given()}
    model = str(given["model"])
    unsaid = [f"--{name}" for name in given if name not in _words(dialect, model)]
    if unsaid:
        raise _unsayable(dialect, model, ["--no-sound" if flag == "--sound" else flag for flag in unsaid])
    fields: dict[str, Said] = {"prompt": wish.prompt}
    for name, value in given.items():
        word = voice.ratio if name == "size" and voice.ratio and ":" in str(value) else voice.words[name]
        fields[word] = str(value) if name in voice.texts else value
    # A model comes first wherever the dialects' documents show a request.
    fields = {"model": model} | fields
    pictures = _pictures(wish, dialect, model)
    files = any(isinstance(picture, Path) for picture in pictures)
    form = dialect == "newapi" or (files and dialect in {"yishang", "openai"})
    if pictures and dialect == "openai":
        fields[voice.pictures] = pictures[0] if form else {"image_url": pictures[0]}
    elif pictures:
        fields[voice.pictures] = pictures
    return Request(voice.path, form, fields)


def _words(dialect: Dialect, model: str) -> frozenset[str]:
    words = frozenset(_VOICES[dialect].words)
    # The lengths of these are their model's own, whatever is asked for.
    return words - {"seconds"} if dialect == "newapi" and model.endswith(("-remix", "-extend")) else words


def _pictures(wish: Wish, dialect: Dialect, model: str) -> Sequence[Source]:
    """Give the pictures as a list in which the dialect sees the same roles; their model decides how it is read."""
    frames, references = wish.frames, wish.references
    means_references = _means_references(dialect, model, len(frames or references))
    unsaid: list[str] = []
    if frames and (means_references or (dialect == "openai" and len(frames) > 1)):
        unsaid = ["--image", "--last"][: len(frames)] if means_references else ["--last"]
    if references and not means_references:
        unsaid = ["--reference"]
    if unsaid:
        raise _unsayable(dialect, model, unsaid)
    return frames or references


def _means_references(dialect: Dialect, model: str, count: int) -> bool:
    match dialect:
        case "laozhang":
            return count >= _SEVERAL and model != _MODEL and not model.endswith("-frames")
        case "unified":
            return "components" in model
        case "newapi":
            frames = model == _MODEL or "fl" in model.split("-") or model.lower().endswith("-4k")
            return not frames
        case _:
            return False


def _unsayable(dialect: Dialect, model: str, options: Sequence[str]) -> CliError:
    return trouble("unsayable", dialect=dialect, model=model, options=", ".join(options))
