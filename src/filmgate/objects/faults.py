"""Why the store could not do it, in words that name the way out."""

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from obstore.exceptions import BaseError

from filmgate.domain.contracts_http import NotSent, ReplyLost, TooLarge
from filmgate.domain.faults import StorageFault


class Trouble(StrEnum):
    """What stands in the way, as operators would sort it."""

    ABSENT = "absent"
    BUSY = "busy"
    BROKEN = "broken"
    CLOCK = "clock"
    CORRUPT = "corrupt"
    DENIED = "denied"
    FULL = "full"
    NO_BUCKET = "no_bucket"
    REGION = "region"
    SLOW = "slow"
    TAKEN = "taken"
    UNREACHABLE = "unreachable"
    WRONG_KEYS = "wrong_keys"
    WRONG_SETTING = "wrong_setting"


MEANINGS: Final[Mapping[Trouble, str]] = MappingProxyType(
    {
        Trouble.BUSY: "the store is busy and asks to come back later",
        Trouble.CLOCK: "the clocks of this machine and of the store differ too much",
        Trouble.DENIED: "the store does not allow this to the credentials in use",
        Trouble.FULL: "the store is full or over its quota",
        Trouble.NO_BUCKET: "there is no such bucket at that endpoint",
        Trouble.REGION: "the bucket lies in another region, or behind another endpoint",
        Trouble.SLOW: "the store did not answer in time",
        Trouble.UNREACHABLE: "the store cannot be reached",
        Trouble.WRONG_KEYS: "the store does not accept the access key or its secret",
    }
)

_CODES: Final[Mapping[str, Trouble]] = MappingProxyType(
    {
        "AccessDenied": Trouble.DENIED,
        "AllAccessDisabled": Trouble.DENIED,
        "AuthorizationHeaderMalformed": Trouble.REGION,
        "BadDigest": Trouble.CORRUPT,
        "ExpiredToken": Trouble.WRONG_KEYS,
        "InvalidAccessKeyId": Trouble.WRONG_KEYS,
        "InvalidToken": Trouble.WRONG_KEYS,
        "NoSuchBucket": Trouble.NO_BUCKET,
        "PermanentRedirect": Trouble.REGION,
        "QuotaExceeded": Trouble.FULL,
        "RequestTimeTooSkewed": Trouble.CLOCK,
        "RequestTimeout": Trouble.SLOW,
        "SignatureDoesNotMatch": Trouble.WRONG_KEYS,
        "SlowDown": Trouble.BUSY,
        "TooManyRequests": Trouble.BUSY,
        "XAmzContentSHA256Mismatch": Trouble.CORRUPT,
        "XMinioStorageFull": Trouble.FULL,
    }
)
_STATUSES: Final[Mapping[int, Trouble]] = MappingProxyType(
    {
        301: Trouble.REGION,
        307: Trouble.REGION,
        401: Trouble.WRONG_KEYS,
        403: Trouble.DENIED,
        404: Trouble.ABSENT,
        408: Trouble.SLOW,
        429: Trouble.BUSY,
        503: Trouble.BUSY,
        507: Trouble.FULL,
    }
)
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>\s*([A-Za-z0-9.]{1,80})\s*</Code>")
# Some stores are opened by a token in the query, which must never come into a log.
_QUERY: Final = re.compile(r"\?\S*")
_NO_ROOM: Final = re.compile(r"no space left|disk quota exceeded|not enough space", re.IGNORECASE)
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_TIMED_OUT: Final = re.compile(r"timed ?out", re.IGNORECASE)


class ObjectStoreError(StorageFault):
    """The store could not do it this time; `trouble` says what kind of thing is in the way."""

    def __init__(self, text: str, trouble: Trouble = Trouble.BROKEN) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.kind = trouble.value


class NoSuchObjectError(ObjectStoreError):
    def __init__(self, text: str) -> None:
        super().__init__(text, Trouble.ABSENT)


def refusal(key: str, status: int, body: str) -> ObjectStoreError:
    """Say what an answer of a store means that is no success."""
    found = _CODE.search(body)
    code = found[1] if found else ""
    trouble = _CODES.get(code) or (
        Trouble.FULL if _NO_ROOM.search(body) else _STATUSES.get(status, Trouble.BROKEN)
    )
    said = f"{status} {code}".strip()
    if trouble is Trouble.ABSENT:
        return NoSuchObjectError(f"there is no object {key}")
    return ObjectStoreError(f"{key}: {MEANINGS.get(trouble, 'the store refused')} (it said {said})", trouble)


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Turn what obstore raises into ObjectStoreError, without an address that may hold a secret."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise meaning(key, error) from None


@contextmanager
def told(key: str) -> Iterator[None]:
    """Turn what our own requests raise into ObjectStoreError."""
    try:
        yield
    except NotSent as lost:
        text = f"{key}: {MEANINGS[Trouble.UNREACHABLE]}: {lost}"
        raise ObjectStoreError(text, Trouble.UNREACHABLE) from None
    except (ReplyLost, TooLarge) as lost:
        slow = isinstance(lost.__cause__, TimeoutError)
        text = f"{key}: {MEANINGS[Trouble.SLOW] if slow else 'the store hung up'}: {lost}"
        raise ObjectStoreError(text, Trouble.SLOW if slow else Trouble.BROKEN) from None


def meaning(key: str, error: Exception) -> ObjectStoreError:
    """Say what an error of obstore means."""
    text = str(error)
    status = _STATUS.search(text)
    if status is not None:
        return refusal(key, int(status[1]), text)
    if isinstance(error, FileNotFoundError):
        return NoSuchObjectError(f"there is no object {key}")
    if _TIMED_OUT.search(text):
        return ObjectStoreError(f"{key}: {MEANINGS[Trouble.SLOW]}", Trouble.SLOW)
    if "error sending request" in text:
        said = f"{key}: {MEANINGS[Trouble.UNREACHABLE]}: {first_line(error)}"
        return ObjectStoreError(said, Trouble.UNREACHABLE)
    if _NO_ROOM.search(text):
        return ObjectStoreError(f"{key}: {MEANINGS[Trouble.FULL]}", Trouble.FULL)
    return ObjectStoreError(f"{key}: {first_line(error)}")


def unwritten(key: str, error: OSError) -> ObjectStoreError:
    """Say what an error of a folder means."""
    if error.errno in _FULL:
        return ObjectStoreError(f"{key}: {MEANINGS[Trouble.FULL]}", Trouble.FULL)
    trouble = Trouble.DENIED if isinstance(error, PermissionError) else Trouble.BROKEN
    return ObjectStoreError(f"{key} cannot be stored: {error}", trouble)


def first_line(error: Exception) -> str:
    return _QUERY.sub("", str(error).partition("\n")[0])
