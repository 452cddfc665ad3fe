"""What a client asks for: as it was written, and as it will be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, TypeAlias, cast

from filmgate.domain.size import Size

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"


class PictureRole(StrEnum):
    FIRST = "first"
    LAST = "last"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a form, or the bytes of a data URI; the file name is a remark, never a path."""

    content: bytes = field(repr=False)
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a film starts from, ends on or refers to: an address, bytes, or bytes already kept."""

    role: PictureRole
    url: str | None = None
    upload: Upload | None = None
    object_key: str | None = None

    def as_json(self) -> dict[str, Json]:
        return {"role": self.role.value, "url": self.url, "object_key": self.object_key}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        url, key = value["url"], value["object_key"]
        return cls(
            role=PictureRole(str(value["role"])),
            url=None if url is None else str(url),
            object_key=None if key is None else str(key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request as its dialect read it: text where the client wrote text, None where it wrote nothing."""

    model: str | None = None
    prompt: str | None = None
    prompt_extend: str | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    seconds: str | None = None
    pictures: tuple[Picture, ...] = ()
    seed: str | None = None
    sound: bool = True
    enhance: bool = False
    upsample: bool = False
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """A request that the catalogue has agreed to; everything is said, nothing is left to defaults."""

    model: str
    prompt: str
    prompt_extend: str | None
    size: Size
    seconds: int
    pictures: tuple[Picture, ...]
    seed: int | None
    sound: bool
    enhance: bool
    upsample: bool
    metadata: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        return {
            "model": self.model,
            "prompt": self.prompt,
            "prompt_extend": self.prompt_extend,
            "size": str(self.size),
            "seconds": self.seconds,
            "pictures": [picture.as_json() for picture in self.pictures],
            "seed": self.seed,
            "sound": self.sound,
            "enhance": self.enhance,
            "upsample": self.upsample,
            "metadata": dict(self.metadata),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Read back what `as_json` wrote; nothing else is ever given to it."""
        pictures = cast("list[Mapping[str, Json]]", value["pictures"])
        return cls(
            model=cast("str", value["model"]),
            prompt=cast("str", value["prompt"]),
            prompt_extend=cast("str | None", value["prompt_extend"]),
            size=Size.parse(cast("str", value["size"])),
            seconds=cast("int", value["seconds"]),
            pictures=tuple(Picture.from_json(picture) for picture in pictures),
            seed=cast("int | None", value["seed"]),
            sound=cast("bool", value["sound"]),
            enhance=cast("bool", value["enhance"]),
            upsample=cast("bool", value["upsample"]),
            metadata=cast("Mapping[str, Json]", value["metadata"]),
        )
