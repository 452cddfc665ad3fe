"""Delivery: a film into its customer's own bucket, once, under a name that its owner chose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final

from filmgate.domain.failpoint import failpoint
from filmgate.objects.faults import ObjectStoreError, Trouble
from filmgate.objects.keys import BadKeyError, checked_key
from filmgate.objects.source import FileSource, Source
from filmgate.objects.store import ObjectStore

PATH: Final = "{key}/{date}/{id}.mp4"
FIELDS: Final = ("account", "date", "id", "key", "model", "name")
_NAME_CHARACTERS: Final = 100
_STRANGE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class BadPathError(ValueError):
    """A template that cannot name films; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """How films are called in a destination, such as `{key}/{date}/{id}.mp4`."""

    text: str = PATH

    def __post_init__(self) -> None:
        """Raise BadPathError where two films could get one name, or one of them none."""
        try:
            fields = [
                (field, spec, how)
                for _, field, spec, how in Formatter().parse(self.text)
                if field is not None
            ]
        except ValueError as error:
            raise BadPathError(f"the path {self.text!r} cannot be read: {error}") from None
        for field, spec, how in fields:
            if field not in FIELDS or spec or how:
                raise BadPathError(f"the path knows no {{{field}}}; it knows {', '.join(FIELDS)}")
        if "id" not in [field for field, _, _ in fields]:
            raise BadPathError("the path needs {id}, or one film would take the place of another")
        try:
            self.named(dict.fromkeys(FIELDS, "x"))
        except BadKeyError as error:
            raise BadPathError(f"the path {self.text!r} names no object: {error}") from None

    def named(self, values: Mapping[str, str]) -> str:
        """Fill in a value for each of FIELDS; what no key may hold becomes `_`."""
        return checked_key(self.text.format(**{name: _plain(values[name]) for name in FIELDS}))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A way from the gate's objects into one destination."""

    objects: ObjectStore
    destination: ObjectStore

    async def deliver_as(self, name: str, key: str, size_bytes: int) -> bool:
        """Copy an object; done again, after a crash or by mistake, it is the same copy, and False is given.

        Raise NoSuchObjectError where there is nothing to copy, ObjectStoreError for what a later try may mend, with
        `Trouble.TAKEN` where something else lies under the name: it is never replaced.
        """
        try:
            there = await self.destination.size(name)
        except ObjectStoreError as error:
            # Whoever may not list a bucket is told 403, not 404, of what is not there.
            if error.trouble not in {Trouble.ABSENT, Trouble.DENIED}:
                raise
            there = None
        if there is not None:
            if there != size_bytes:
                said = f"{name} is there already, with {there} bytes instead of {size_bytes}"
                raise ObjectStoreError(said, Trouble.TAKEN)
            return False
        source = await self._source(key, size_bytes)
        await failpoint("objects.deliver")
        await self.destination.put_source(name, source)
        return True

    async def _source(self, key: str, size_bytes: int) -> Source:
        if (have := await self.objects.size(key)) != size_bytes:
            raise ObjectStoreError(f"{key} has {have} bytes instead of {size_bytes}", Trouble.CORRUPT)
        path = self.objects.local_path(key)
        return _StoredSource(self.objects, key, size_bytes) if path is None else FileSource(path, size_bytes)


@dataclass(frozen=True, slots=True)
class _StoredSource:
    store: ObjectStore
    key: str
    size_bytes: int

    async def read(self, start: int, end: int) -> bytes:
        content = b"".join([piece async for piece in self.store.stream(self.key, start, end)])
        if len(content) != end - start:
            raise ObjectStoreError(f"{self.key} ended at {start + len(content)}, before {end}")
        return content


def _plain(value: str) -> str:
    return _STRANGE.sub("_", value).lstrip(".")[:_NAME_CHARACTERS] or "_"
