"""Reading what clients wrote, liberally: numbers as text and back, and pictures in every form that is seen."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

from filmgate.domain.contracts import Fields
from filmgate.domain.problems import Problem
from filmgate.domain.request import GivenPicture, Json, PictureRole, Upload
from filmgate.domain.strict_json import read_json

_FIRST_FIELDS: Final = ("first_frame_image", "firstFrameImage", "first_image")
_LAST_FIELDS: Final = (
    "image_end",
    "imageEnd",
    "last_frame_image",
    "lastFrameImage",
    "tail_image",
    "tailImage",
    "end_image",
)
_REFERENCE_FIELDS: Final = ("reference_images", "referenceImages")
_PICTURE_FIELDS: Final = (
    "images", "image", "image_url", "image_urls", "input_reference", *_FIRST_FIELDS, *_LAST_FIELDS, *_REFERENCE_FIELDS,
)  # fmt: skip
_ROLES: Final = (
    dict.fromkeys(_FIRST_FIELDS, PictureRole.FIRST)
    | dict.fromkeys(_LAST_FIELDS, PictureRole.LAST)
    | dict.fromkeys(_REFERENCE_FIELDS, PictureRole.REFERENCE)
)
_CALLBACK_FIELDS: Final = ("callback_url", "webHook", "notifyHook")
# Some clients write this where others write an address: answer at once, and tell nobody.
_NO_CALLBACK: Final = "-1"
NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
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
            raise wrong(name, "text", "文本")
        case str():
            return value if value.strip() else None
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            raise wrong(name, "text", "文本")


def number(fields: Fields, name: str) -> str | None:
    """Read a number, left as the client wrote it: whether it is one, and allowed, is the catalogue's to say."""
    value = fields.get(name)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise wrong(name, "a number", "数字")
    return None if value is None or value == "" else str(value).strip()


def truth(fields: Fields, name: str, *, default: bool) -> bool:
    value = fields.get(name)
    if value is None:
        return default
    said = str(value).strip().lower()
    if said not in _TRUE | _FALSE:
        raise wrong(name, "true or false", "true 或 false")
    return said in _TRUE


def metadata(fields: Fields) -> Mapping[str, Json]:
    value = fields.get("metadata")
    if isinstance(value, str) and value.lstrip().startswith("{"):
        # Some clients send it as JSON in a text field.
        try:
            value = cast("Json", read_json(value))
        except ValueError:
            raise wrong("metadata", "a JSON object", "JSON 对象") from None
    if not isinstance(value, Mapping):
        return {}
    if _holds_file(value):
        raise wrong("metadata", "text", "文本")
    return value


def _holds_file(value: object) -> bool:
    match value:
        case Mapping():
            return any(map(_holds_file, value.values()))
        case list():
            return any(map(_holds_file, value))
        case _:
            return isinstance(value, Upload)


def first(fields: Fields, more: Mapping[str, Json], names: Sequence[str]) -> str | None:
    """Read the first of some names that is there, in the fields or else in the metadata."""
    found = (text(source, name) for source in (fields, more) for name in names)
    return next((value for value in found if value is not None), None)


def callback(fields: Fields, more: Mapping[str, Json]) -> str | None:
    """Read whom a request wants to be told when its film ends."""
    given = first(fields, more, _CALLBACK_FIELDS)
    address = None if given is None else given.strip(_TRIMMED)
    return None if address in {None, "", _NO_CALLBACK} else address


def pictures(fields: Fields, more: Mapping[str, Json] = NOTHING, *others: str) -> tuple[GivenPicture, ...]:
    """Read the pictures of a request in order, one that is given twice once.

    Fields whose name says a role give it; `more` is the metadata, which may name the last frame; `others` are further
    fields of this dialect that hold pictures.
    """
    found: list[GivenPicture] = []
    named = [(name, fields.get(name)) for name in (*_PICTURE_FIELDS, *others)]
    named += [(f"metadata.{name}", more.get(name)) for name in _LAST_FIELDS]
    for name, value in named:
        role = _ROLES.get(name.removeprefix("metadata."))
        before = list(found)
        found += [
            GivenPicture(source, role, place)
            for place, source in _sources(value, name)
            if not _is_known(source, role, before)
        ]
    return tuple(found)


def _is_known(source: Upload | str, role: PictureRole | None, before: Sequence[GivenPicture]) -> bool:
    """Tell whether a picture came under another name already; as the last frame, the first one is meant once more."""
    same = [no for no, one in enumerate(before) if one.source == source]
    return bool(same) and not (role is PictureRole.LAST and same == [0])


def picture(source: str, field: str, role: PictureRole) -> GivenPicture:
    """Read one picture of a known role: an address or a data URI."""
    return GivenPicture(_address(source, field), role, field)


def _sources(value: object, name: str) -> Iterator[tuple[str, Upload | str]]:
    """Give each source with where it stands."""
    match value:
        case None | "":
            return
        case Upload(content=b"", filename=""):
            # A browser's form sends this where no file was chosen.
            return
        case Upload():
            yield name, value
        case str() if value.strip().startswith(("[", "{")):
            yield from _sources(_json(value, name), name)
        case str():
            if value.strip(_TRIMMED):
                yield name, _address(value, name)
        case list():
            for no, one in enumerate(value):
                yield from _sources(one, f"{name}[{no}]")
        case Mapping():
            yield from _sources(_address_in(value, name), name)
        case _:
            raise _no_picture(name)


def _address_in(value: Mapping[str, object], name: str) -> object:
    """Give the address that an object holds; files are not kept here, so it cannot name one by its id."""
    match value:
        case {"file_id": _, "image_url": _}:
            raise wrong(name, "either image_url or file_id", "image_url 与 file_id 二者之一")
        case {"file_id": _}:
            raise wrong(f"{name}.file_id", "image_url", "image_url")
        case {"image_url": inner} | {"url": inner}:
            return inner
        case _:
            raise _no_picture(name)


def _json(value: str, name: str) -> object:
    """Read a list or an object that a form carries as text."""
    try:
        return read_json(value)
    except ValueError:
        raise _no_picture(name) from None


def _address(value: str, name: str) -> Upload | str:
    address = value.strip(_TRIMMED)
    if address[:5].lower() != "data:":
        return address
    head, _, content = address.partition(",")
    plain = "".join(content.split())
    try:
        padded = plain.rstrip("=") + "=" * (-len(plain.rstrip("=")) % 4)
        decoded = base64.b64decode(padded, validate=True) if head.lower().endswith(";base64") else b""
    except binascii.Error:
        decoded = b""
    if not decoded:
        raise wrong(name, "a data URI such as data:image/png;base64,...", "data:image/png;base64,...")
    return Upload(decoded)


def spelled(fields: Fields, more: Mapping[str, Json], **aliases: Sequence[str]) -> Mapping[str, str]:
    """Say under which name each field came that a client may spell in several ways."""
    came: dict[str, str] = {}
    for canonical, names in {"callback_url": _CALLBACK_FIELDS, **aliases}.items():
        written = [name for name in names if fields.get(name) not in (None, "")]
        written += [f"metadata.{name}" for name in names if more.get(name) not in (None, "")]
        if written and written[0] != canonical:
            came[canonical] = written[0]
    return came


def _no_picture(name: str) -> Problem:
    return wrong(name, "a file, an address or a data URI", "文件、地址或 data URI")


def wrong(name: str, right: str, right_zh: str) -> Problem:
    """Say what would be right in a field that holds something else."""
    return Problem(
        "invalid_parameter",
        field=name,
        reason=f"{right} is right.",
        reason_zh=f"应为{' ' if right_zh[:1].isascii() else ''}{right_zh}。",
    )
