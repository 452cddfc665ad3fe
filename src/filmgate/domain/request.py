"""What a client asks for: as it was written, and as it will be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, TypeAlias, cast
from uuid import UUID

from filmgate.domain.limits import PICTURE_BYTES
from filmgate.domain.size import Size

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"


class PictureRole(StrEnum):
    FIRST = "first"
    LAST = "last"
    REFERENCE = "reference"
    BEFORE = "before"
    """The last frame of the film that a clip goes on from; no client sends one."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a form, or the bytes of a data URI; the file name is a remark, never a path."""

    content: bytes = field(repr=False)
    filename: str = ""


@dataclass(frozen=True, slots=True)
class GivenPicture:
    """A picture as a client gave it; without a role it has the one that its place and its model give it."""

    source: str | Upload
    role: PictureRole | None = None
    field: str = "input_reference"
    """Where in the request it stood, for errors about it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a film starts from, ends on or refers to: an address, bytes, or bytes already kept."""

    role: PictureRole
    url: str | None = None
    upload: Upload | None = None
    object_key: str | None = None
    field: str = "input_reference"

    def as_json(self) -> dict[str, Json]:
        return {"role": self.role.value, "url": self.url, "object_key": self.object_key, "field": self.field}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        url, key = value["url"], value["object_key"]
        return cls(
            role=PictureRole(str(value["role"])),
            url=None if url is None else str(url),
            object_key=None if key is None else str(key),
            field=str(value.get("field", "input_reference")),
        )


class SourceKind(StrEnum):
    EXTEND = "extend"
    REMIX = "remix"


@dataclass(frozen=True, slots=True)
class NamedSource:
    """The film that a client wants to go on from or to vary, by one of its names.

    `use` says which of its names it must be, where not any will do; `field` is where the client wrote it.
    """

    kind: SourceKind
    name: str
    field: str
    use: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The film that a task goes on from or varies: its name as the client gave it, and the file to go on from.

    `clip` is the number of the clip that the file shows, 0 where it shows several.
    """

    kind: SourceKind
    task_id: UUID
    name: str
    file_id: UUID | None = None
    clip: int = 0

    def as_json(self) -> dict[str, Json]:
        file_id = None if self.file_id is None else str(self.file_id)
        return {
            "kind": self.kind.value,
            "task_id": str(self.task_id),
            "name": self.name,
            "file_id": file_id,
            "clip": self.clip,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Read back what `as_json` wrote."""
        return cls(
            kind=SourceKind(str(value["kind"])),
            task_id=UUID(str(value["task_id"])),
            name=str(value["name"]),
            file_id=None if value["file_id"] is None else UUID(str(value["file_id"])),
            clip=cast("int", value["clip"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request as its dialect read it: text where the client wrote text, None where it wrote nothing."""

    model: str | None = None
    prompt: str | None = None
    prompt_extend: str | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    seconds: str | None = None
    pictures: tuple[GivenPicture, ...] = ()
    seed: str | None = None
    sound: bool = True
    enhance: bool = False
    upsample: bool = False
    source: NamedSource | None = None
    picture_field: str = "input_reference"
    """Where its clients put pictures, for errors about those that are missing."""
    any_model: bool = False
    """Whether also models may be asked for that the catalogue offers in no dialect of this one's."""
    callback_url: str | None = None
    deliver_to: str | None = None
    start_within_s: int | None = None
    """A film that has not begun by then is not wanted any more."""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How the client spelled a field, where that is not the field's first name: errors name it so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """A request that the catalogue has agreed to; everything is said, nothing is left to defaults."""

    model: str
    prompt: str
    prompt_extend: str | None
    size: Size
    clips: tuple[int, ...]
    """How long each clip of the film is, in seconds; the one that another film gives is among them."""
    pictures: tuple[Picture, ...]
    picture_bytes: int = PICTURE_BYTES
    """How large each picture may be."""
    seed: int | None
    sound: bool
    enhance: bool
    upsample_to: Size | None
    soften: bool
    source: Source | None
    metadata: Mapping[str, Json]
    callback_url: str | None = None
    """Whom to tell when the film ends."""
    deliver_to: str | None = None
    """The destination into which the film goes; empty is none, None what its key says."""
    start_within_s: int | None = None

    @property
    def seconds(self) -> int:
        return sum(self.clips)

    def culprit(self, picture: Picture) -> str:
        """Name a picture by what it is for: `first_frame`, `last_frame`, or `reference[1]` for the first of those."""
        if picture.role is not PictureRole.REFERENCE:
            return f"{picture.role.value}_frame"
        return f"reference[{[one for one in self.pictures if one.role is picture.role].index(picture) + 1}]"

    def as_json(self) -> dict[str, Json]:
        return {
            "model": self.model,
            "prompt": self.prompt,
            "prompt_extend": self.prompt_extend,
            "size": str(self.size),
            "clips": list(self.clips),
            "pictures": [picture.as_json() for picture in self.pictures],
            "picture_bytes": self.picture_bytes,
            "seed": self.seed,
            "sound": self.sound,
            "enhance": self.enhance,
            "upsample_to": None if self.upsample_to is None else str(self.upsample_to),
            "soften": self.soften,
            "source": None if self.source is None else self.source.as_json(),
            "metadata": dict(self.metadata),
            # Left out where there is none: a repeated request is known by what it says.
            **({} if self.callback_url is None else {"callback_url": self.callback_url}),
            **({} if self.deliver_to is None else {"deliver_to": self.deliver_to}),
            **({} if self.start_within_s is None else {"start_within_s": self.start_within_s}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Read back what `as_json` wrote, also before there were clips."""
        upsample_to = cast("str | None", value.get("upsample_to"))
        source = cast("Mapping[str, Json] | None", value.get("source"))
        pictures = cast("list[Mapping[str, Json]]", value["pictures"])
        return cls(
            model=cast("str", value["model"]),
            prompt=cast("str", value["prompt"]),
            prompt_extend=cast("str | None", value["prompt_extend"]),
            size=Size.parse(cast("str", value["size"])),
            clips=tuple(cast("list[int]", value.get("clips") or [value["seconds"]])),
            pictures=tuple(Picture.from_json(picture) for picture in pictures),
            picture_bytes=cast("int", value.get("picture_bytes", PICTURE_BYTES)),
            seed=cast("int | None", value["seed"]),
            sound=cast("bool", value["sound"]),
            enhance=cast("bool", value["enhance"]),
            upsample_to=None if upsample_to is None else Size.parse(upsample_to),
            soften=bool(value.get("soften")),
            source=None if source is None else Source.from_json(source),
            metadata=cast("Mapping[str, Json]", value["metadata"]),
            callback_url=cast("str | None", value.get("callback_url")),
            deliver_to=cast("str | None", value.get("deliver_to")),
            start_within_s=cast("int | None", value.get("start_within_s")),
        )
