"""What `generate` asks for, as an object of the gate's own API and as a curl line in any dialect."""

import base64
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from filmgate.cli.address import reason_of
from filmgate.cli.errors import trouble
from filmgate.cli.measures import file_size
from filmgate.cli.output import Json

Dialect = Literal["yishang", "openai"]

PICTURE_BYTES: Final = 20 * 1024 * 1024
_CREATE: Final[Mapping[str | None, str]] = {
    None: "/gate/v1/tasks",
    "yishang": "/yishang/v1/videos",
    "openai": "/openai/v1/videos",
}
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"WEBP", 8, "image/webp"),
)
_SIGNATURE_BYTES: Final = 16
_KEY: Final = '-H "Authorization: Bearer $FILMGATE_API_KEY"'
_JSON: Final = "-H 'Content-Type: application/json'"


@dataclass(frozen=True, slots=True)
class Wish:
    prompt: str
    model: str | None
    image: str | None
    size: str | None
    seconds: int | None
    seed: int | None

    @property
    def image_file(self) -> Path | None:
        """Give the picture's path where it is a file of this machine."""
        remote = self.image is None or self.image.lower().startswith(("http://", "https://", "data:"))
        return None if remote or self.image is None else Path(self.image).expanduser()

    def body(self) -> Mapping[str, Json]:
        """Give the gate's own form; raise CliError for a picture that could not be used."""
        path = self.image_file
        return self._fields() | (
            {} if self.image is None else {"image": _data_uri(path) if path else self.image}
        )

    def _fields(self) -> dict[str, Json]:
        fields: dict[str, Json] = {"prompt": self.prompt}
        given = {"model": self.model, "size": self.size, "seconds": self.seconds, "seed": self.seed}
        return fields | {name: value for name, value in given.items() if value is not None}

    def curl(self, base_url: str, dialect: Dialect | None) -> str:
        """Give the equivalent curl line; it holds the key's variable, never the key."""
        head = f"curl -sS {shlex.quote(base_url + _CREATE[dialect])}"
        path = self.image_file
        if dialect is None and path is not None:
            return _lines(head, [_KEY, _JSON, f"--data-binary @- <<JSON\n{self._document(path)}\nJSON"])
        fields = self._fields()
        if dialect is not None:
            # Both dialects want a model, and both write seconds as text.
            fields = {"model": self.model or "animatic"} | fields
            fields |= {} if self.seconds is None else {"seconds": str(self.seconds)}
        if path is not None:
            return _lines(head, [_KEY, *_parts(fields, path)])
        if self.image is not None:
            fields |= _reference(self.image, dialect)
        return _lines(head, [_KEY, _JSON, f"-d {shlex.quote(_json(fields))}"])

    def _document(self, path: Path) -> str:
        """Write the JSON for a shell's here-document, where the shell itself puts the picture in."""
        plain = _json(self._fields() | {"image": ""})
        for special in ("\\", "$", "`"):
            plain = plain.replace(special, f"\\{special}")
        encoded = f"$(base64 < {shlex.quote(str(path))} | tr -d '\\n')"
        return f'{plain.removesuffix(chr(34) + "}")}data:{picture_type(path)};base64,{encoded}"}}'


def picture_type(path: Path) -> str:
    """Read a picture's media type from its first bytes; raise CliError where it is none, or too large."""
    try:
        with path.open("rb") as file:
            first = file.read(_SIGNATURE_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise trouble("unreadable_file", path=str(path), reason=reason_of(error)) from None
    if size > PICTURE_BYTES:
        limit = f"{PICTURE_BYTES // 2**20} MiB"
        raise trouble("picture_too_large", path=str(path), size=file_size(size), limit=limit)
    found = next((kind for mark, at, kind in _SIGNATURES if first[at:].startswith(mark)), None)
    if found is None:
        raise trouble("not_a_picture", path=str(path))
    return found


def _data_uri(path: Path) -> str:
    kind = picture_type(path)
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _parts(fields: Mapping[str, Json], path: Path) -> Sequence[str]:
    forms = [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    # Curl itself reads `;` and `,` in a bare path as the end of it.
    named = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return [*forms, "-F " + shlex.quote(f'input_reference=@"{named}"')]


def _reference(image: str, dialect: Dialect | None) -> Mapping[str, Json]:
    match dialect:
        case None:
            return {"image": image}
        case "yishang":
            return {"input_reference": [image]}
        case "openai":
            return {"input_reference": {"image_url": image}}


def _json(fields: Mapping[str, Json]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _lines(head: str, parts: Sequence[str]) -> str:
    return " \\\n  ".join([head, *parts])
