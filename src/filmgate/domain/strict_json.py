"""JSON from strangers: read within limits of depth and size of numbers, and only what every store can hold."""

from collections.abc import Mapping
from typing import Final

import orjson

from filmgate.domain.limits import JSON_DEPTH, JSON_INTEGER

_FIELD_CHARACTERS: Final = 100


class InexactError(ValueError):
    """A number that readers do not agree on; `field` is where it stands."""

    def __init__(self, field: str) -> None:
        super().__init__("a number is too large to be exact")
        self.field = field[:_FIELD_CHARACTERS] or "body"


def read_json(text: str | bytes) -> object:
    """Read a document; raise ValueError, whose text says what is wrong with it."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(str(error)) from None
    _check(value, JSON_DEPTH, "")
    return value


def _check(value: object, depth: int, field: str) -> None:
    if depth == 0:
        raise ValueError(f"it is nested deeper than {JSON_DEPTH}")
    match value:
        case Mapping():
            for name, inner in value.items():
                _check(name, depth - 1, field)
                _check(inner, depth - 1, f"{field}.{name}" if field else str(name))
        case list():
            for inner in value:
                _check(inner, depth - 1, field)
        # What does not fit 64 bits has been read as a float by now.
        case int() | float() if abs(value) > JSON_INTEGER:
            raise InexactError(field)
        case str() if "\0" in value:
            raise ValueError("a text holds a NUL character")
        case _:
            return
