"""What `generate` asks for, as its options and as an object of the gate's own API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Group, Parameter

from filmgate.cli.errors import trouble
from filmgate.cli.output import Json
from filmgate.cli.picture import Source, data_uri, source_of

FILM: Final = Group("Film", sort_key=10)

Said: TypeAlias = "str | int | bool | Path | Sequence[Said] | Mapping[str, Said]"
"""A field's value; a path stands for the picture that lies there."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOptions:
    """How the film shall be, beside its prompt; what is left out is the model's to choose."""

    model: Annotated[str | None, Parameter(group=FILM, help="See `filmgate models`; else animatic.")] = None
    image: Annotated[
        str | None, Parameter(group=FILM, help="The first frame: a file, or an https address.")
    ] = None
    last: Annotated[str | None, Parameter(group=FILM, help="The last frame, where there is a first one.")] = (
        None
    )
    reference: Annotated[
        tuple[str, ...],
        Parameter(group=FILM, negative="", help="A picture of what the film shows; up to three times."),
    ] = ()
    extend: Annotated[
        str | None, Parameter(group=FILM, help="What a second clip shows: the film goes on with it.")
    ] = None
    size: Annotated[str | None, Parameter(group=FILM, help="1280x720, or a ratio such as 9:16.")] = None
    seconds: Annotated[int | None, Parameter(group=FILM, help="How long; else what the model makes.")] = None
    seed: Annotated[int | None, Parameter(group=FILM, help="The same seed draws the same film.")] = None
    enhance: Annotated[
        bool, Parameter(group=FILM, negative="", help="Let the prompt be worded richly, in English.")
    ] = False
    upsample: Annotated[
        bool, Parameter(group=FILM, negative="", help="Scale the film up, to 1080p or as the model says.")
    ] = False
    sound: Annotated[
        bool, Parameter(group=FILM, name="--sound", negative="--no-sound", help="Whether it has sound.")
    ] = True


PLAIN_FILM: Final = FilmOptions()


@dataclass(frozen=True, slots=True)
class Wish:
    """A prompt with its options; a combination that no model makes is refused here."""

    prompt: str
    options: FilmOptions

    def __post_init__(self) -> None:
        options = self.options
        if options.last and not options.image:
            raise trouble("last_without_image")
        if options.reference and options.image:
            raise trouble("references_beside_frames")

    @property
    def frames(self) -> Sequence[Source]:
        return [source_of(given) for given in (self.options.image, self.options.last) if given]

    @property
    def references(self) -> Sequence[Source]:
        return [source_of(given) for given in self.options.reference]

    def given(self) -> Mapping[str, Said]:
        """Give the options that were named, but for pictures, under the names that they have as flags."""
        options = self.options
        named = {
            "model": options.model,
            "extend": options.extend,
            "size": options.size,
            "seconds": options.seconds,
            "seed": options.seed,
            "enhance": options.enhance or None,
            "upsample": options.upsample or None,
            "sound": None if options.sound else False,
        }
        return {name: value for name, value in named.items() if value is not None}

    def fields(self) -> Mapping[str, Said]:
        """Give the gate's own form."""
        fields: dict[str, Said] = {"prompt": self.prompt}
        fields |= {_NAMES.get(name, name): value for name, value in self.given().items()}
        fields |= dict(zip(("image", "last_image"), self.frames, strict=False))
        return fields | ({"references": self.references} if self.references else {})

    def body(self) -> Mapping[str, Json]:
        """Give the gate's own form with its pictures in it; raise CliError for one that could not be used."""
        return {name: _whole(value) for name, value in self.fields().items()}


_NAMES: Final = {"extend": "prompt_extend"}


def _whole(value: Said) -> Json:
    match value:
        case Path():
            return data_uri(value)
        case str() | bool() | int():
            return value
        case Mapping():
            return {name: _whole(part) for name, part in value.items()}
        case _:
            return [_whole(part) for part in value]
