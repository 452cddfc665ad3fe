"""Multipart forms: read as they arrive, within every limit, and their bracket names folded into objects."""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from filmgate.domain.contracts import Fields, Value
from filmgate.domain.limits import (
    FORM_BRACKETS,
    FORM_NAME_BYTES,
    FORM_PART_HEADER_BYTES,
    FORM_PARTS,
    PICTURE_BYTES,
    TEXT_FIELD_BYTES,
)
from filmgate.domain.problems import Problem
from filmgate.domain.request import Json, Upload

Part: TypeAlias = tuple[str, str | Upload]

_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BRACKET: Final = re.compile(r"\[([^\[\]]*)\]")
_DATA_URI_BYTES: Final = PICTURE_BYTES * 4 // 3 + 256
# These may come several times; any other field that does is a contradiction.
_REPEATABLE: Final = frozenset(
    {
        "input_reference", "images", "image", "image_urls", "image_url", "seconds", "reference_images",
        "first_frame_image", "last_frame_image",
    }
)  # fmt: skip
_PICTURE: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")


class FormReader:
    """Reads a multipart body piece by piece; what breaks a limit raises a Problem at once."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise malformed("the content type names no boundary")
        self._parts: list[Part] = []
        self._complete = False
        self._started = 0
        self._clear()
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._content,
            "on_part_end": self._end,
            "on_end": self._whole,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # its callback type names every key

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise malformed("its parts are not where its boundary says") from None

    def fields(self) -> Fields:
        if not self._complete:
            raise malformed("it ends before its closing boundary")
        return fold(self._parts)

    def _clear(self) -> None:
        self._name_bytes, self._value_bytes = bytearray(), bytearray()
        self._headers: dict[str, bytes] = {}
        self._header_bytes = 0
        self._body = bytearray()

    def _begin(self) -> None:
        self._clear()
        self._started += 1
        if self._started > FORM_PARTS:
            raise malformed(f"it has more than {FORM_PARTS} parts")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name_bytes += self._count(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value_bytes += self._count(data[start:end])

    def _count(self, data: bytes) -> bytes:
        self._header_bytes += len(data)
        if self._header_bytes > FORM_PART_HEADER_BYTES:
            raise malformed(f"a part has more than {FORM_PART_HEADER_BYTES} bytes of headers")
        return data

    def _header_end(self) -> None:
        self._headers[self._name_bytes.decode("latin-1").lower()] = bytes(self._value_bytes)
        self._name_bytes, self._value_bytes = bytearray(), bytearray()

    def _content(self, data: bytes, start: int, end: int) -> None:
        self._body += data[start:end]
        limit = (
            _DATA_URI_BYTES
            if b"filename" in self._disposition()
            or self._body[:5].lower() == b"data:"
            or self._body.startswith(_PICTURE)
            else TEXT_FIELD_BYTES
        )
        if len(self._body) > limit:
            raise Problem("body_too_large", limit_mib=limit // 2**20 or 1)

    def _disposition(self) -> bytes:
        return self._headers.get("content-disposition", b"")

    def _end(self) -> None:
        _, options = parse_options_header(self._disposition())
        name = options.get(b"name", b"")
        if not name or len(name) > FORM_NAME_BYTES:
            raise malformed("a part has no name, or one that is too long")
        self._parts.append((_text(name), self._value(options.get(b"filename"))))

    def _value(self, filename: bytes | None) -> str | Upload:
        if filename is None and self._body.startswith(_PICTURE):
            # Some clients send a picture's bytes without saying that they are a file.
            return Upload(bytes(self._body))
        if filename is None:
            return _text(bytes(self._body))
        # A file name is a remark: only its last part, and never a path.
        plain = _text(filename).replace("\\", "/").rsplit("/", 1)[-1][:FORM_NAME_BYTES]
        return Upload(bytes(self._body), plain)

    def _whole(self) -> None:
        self._complete = True


def fold(parts: Sequence[Part]) -> Fields:
    """Fold `a[b]`, `a[]` and `a[b][]` into objects and lists."""
    folded: dict[str, Value] = {}
    for name, value in parts:
        found = _NAME.fullmatch(name)
        if found is None:
            raise malformed(f"`{name[:40]}` is no field name")
        keys = _BRACKET.findall(found[2])
        if len(keys) > FORM_BRACKETS:
            raise malformed(f"`{name[:40]}` has more than {FORM_BRACKETS} brackets")
        _put(folded, [found[1], *keys], value)
    return folded


def _put(into: dict[str, Value], keys: Sequence[str], value: str | Upload) -> None:
    first, rest = keys[0], keys[1:]
    if first in _REPEATABLE and rest and not rest[0]:
        _append(into, first, _object(rest[1], value) if len(rest) > 1 and rest[1] else value)
    elif first in _REPEATABLE and rest:
        # `input_reference[image_url]` is an object, `images[0]` and `images[0][url]` stand in a list.
        rest = rest[1:] if rest[0].isdigit() else rest
        _append(into, first, _object(rest[0], value) if rest else value)
    elif rest == [""] and first in into and not isinstance(into[first], list):
        raise malformed(f"`{first[:40]}` is both a value and a list")
    elif rest == [""] or (not rest and first in _REPEATABLE and first in into):
        _append(into, first, value)
    elif not rest:
        if first in into:
            raise malformed(f"`{first[:40]}` came twice")
        into[first] = value
    else:
        inner = into.setdefault(first, {})
        if not isinstance(inner, dict):
            raise malformed(f"`{first[:40]}` is both a value and an object")
        _put(inner, rest, value)


def _object(key: str, value: str | Upload) -> Value:
    return cast("Value", {key: value})


def _append(into: dict[str, Value], name: str, value: Value) -> None:
    """Put one more into a list; a key that the last object there lacks is that object's."""
    known = into.get(name, [])
    listed = [*known] if isinstance(known, list) else [known]
    last = listed[-1] if listed else None
    if isinstance(value, dict) and isinstance(last, dict) and not set(value) & set(last):
        listed[-1] = {**last, **value}
    else:
        listed.append(cast("Json | Upload", value))
    into[name] = listed


def malformed(reason: str) -> Problem:
    return Problem("malformed_form", reason=reason)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise malformed("a field is not UTF-8") from None
    if "\0" in text:
        raise malformed("a field holds a NUL character")
    return text
