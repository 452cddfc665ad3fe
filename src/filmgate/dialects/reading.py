"""Reading what clients wrote, liberally: numbers as text and back, and pictures in every form that is seen."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from filmgate.domain.contracts import Fields
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json, Picture, PictureRole, Upload

_PICTURE_FIELDS: Final = (
    "images", "image", "image_url", "image_urls", "input_reference", "first_frame_image",
)  # fmt: skip
_TRIMMED: Final = " \t\r\n`"
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off", ""})


def text(fields: Fields, name: str) -> str | None:
    """Read text; a number is text too, anything else is wrong, and blank text is as good as none."""
    value = fields.get(name)
    match value:
        case None:
            return None
        case bool():
            raise _wrong(name, "text", "文本")
        case str():
            return value if value.strip() else None
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            raise _wrong(name, "text", "文本")


def number(fields: Fields, name: str) -> str | None:
    """Read a number, left as the client wrote it: whether it is one, and allowed, is the catalogue's to say."""
    value = fields.get(name)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise _wrong(name, "a number", "数字")
    return None if value is None or value == "" else str(value).strip()


def truth(fields: Fields, name: str, *, default: bool) -> bool:
    value = fields.get(name)
    if value is None:
        return default
    said = str(value).strip().lower()
    if said not in _TRUE | _FALSE:
        raise _wrong(name, "true or false", "true 或 false")
    return said in _TRUE


def metadata(fields: Fields) -> Mapping[str, Json]:
    value = fields.get("metadata")
    if isinstance(value, str) and value.lstrip().startswith("{"):
        # Some clients send it as JSON in a text field.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _wrong("metadata", "a JSON object", "JSON 对象") from None
    if not isinstance(value, Mapping):
        return {}
    if any(isinstance(inner, Upload) for inner in value.values()):
        raise _wrong("metadata", "text", "文本")
    return value


def first(fields: Fields, more: Mapping[str, Json], names: Sequence[str]) -> str | None:
    """Read the first of some names that is there, in the fields or else in the metadata."""
    found = (text(source, name) for source in (fields, more) for name in names)
    return next((value for value in found if value is not None), None)


def pictures(fields: Fields, *others: str) -> tuple[Picture, ...]:
    """Read the pictures of a request in order, one that is given twice once; the first is the first frame."""
    found: list[Upload | str] = []
    for name in (*_PICTURE_FIELDS, *others):
        for source in _sources(fields.get(name), name):
            if source not in found:
                found.append(source)
    roles = [PictureRole.FIRST, PictureRole.LAST]
    return tuple(
        _picture(source, roles[no] if no < len(roles) else PictureRole.REFERENCE)
        for no, source in enumerate(found)
    )


def _sources(value: object, name: str) -> Iterator[Upload | str]:
    match value:
        case None | "":
            return
        case Upload(content=b"", filename=""):
            # A browser's form sends this where no file was chosen.
            return
        case Upload():
            yield value
        case str():
            yield _address(value, name)
        case list():
            for one in value:
                yield from _sources(one, name)
        case {"image_url": inner} | {"url": inner}:
            yield from _sources(inner, name)
        case _:
            raise _wrong(name, "a file, an address or a data URI", "文件、地址或 data URI")


def _address(value: str, name: str) -> Upload | str:
    address = value.strip(_TRIMMED)
    if not address.startswith("data:"):
        return address
    head, _, content = address.partition(",")
    try:
        decoded = base64.b64decode(content, validate=True) if head.endswith(";base64") else b""
    except binascii.Error:
        decoded = b""
    if not decoded:
        raise _wrong(name, "a data URI such as data:image/png;base64,...", "data:image/png;base64,...")
    return Upload(decoded)


def _picture(source: Upload | str, role: PictureRole) -> Picture:
    return Picture(role, upload=source) if isinstance(source, Upload) else Picture(role, url=source)


def _wrong(name: str, right: str, right_zh: str) -> Problem:
    return Problem(
        "invalid_parameter", field=name, reason=f"{right} is right.", reason_zh=f"应为{right_zh}。"
    )
