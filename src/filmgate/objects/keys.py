"""What an object may be called."""

import re
from typing import Final

KEY_CHARACTERS: Final = 512
SEGMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
KEY: Final = re.compile(rf"{SEGMENT}(/{SEGMENT})*")
PREFIX: Final = re.compile(rf"({SEGMENT}/)*({SEGMENT})?")
_MEDIA_TYPES: Final = {"mp4": "video/mp4", "webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}


class BadKeyError(ValueError):
    pass


def checked_key(key: str) -> str:
    """Give the key back; raise BadKeyError for one that could leave its folder or differ between stores."""
    if len(key) > KEY_CHARACTERS or not KEY.fullmatch(key):
        wanted = "letters, digits and ._- in parts split by single slashes, none of which begins with a dot"
        raise BadKeyError(f"the object key {key[:80]!r} is not made of {wanted}")
    return key


def checked_prefix(prefix: str) -> str:
    """As checked_key, for the first parts of a key; empty is every key."""
    if not PREFIX.fullmatch(prefix):
        raise BadKeyError(f"{prefix[:80]!r} is not the beginning of an object key")
    return prefix


def media_type(key: str) -> str:
    """Say what a key's ending promises, for readers who come straight to the bucket."""
    return _MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
