"""Ids: ours (UUIDv7, so that rows of one time lie together), and those that dialects show."""

import base64
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from filmgate.domain.clock import Chance

_TEMPLATE: Final = re.compile(r"\{(model|unix|uuid4|(?:alnum|hex|base64url):\d+)\}")
_ALNUM: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_PREFIX: Final = "sk-"


def uuid7(now: datetime, chance: Chance) -> UUID:
    """Make an id whose first 48 bits are the time in milliseconds (RFC 9562)."""
    tail = int.from_bytes(chance.bytes(10), "big")
    value = int(now.timestamp() * 1000) << 80 | 0x7 << 76 | (tail >> 66 & 0xFFF) << 64
    return UUID(int=value | 0b10 << 62 | tail & ((1 << 62) - 1))


def uuid7_floor(moment: datetime) -> UUID:
    """Give the smallest id of a moment: the bound between two partitions."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def submit_key(task_id: UUID, clip: int, attempt: int) -> str:
    """Give the key of an attempt, which is the same however often it is sent."""
    return f"{task_id}.{clip}.{attempt}"


def same_clip(one: str, other: str) -> bool:
    """Tell whether two such keys are of attempts at one clip: the film of either is that clip."""
    return one.rpartition(".")[0] == other.rpartition(".")[0]


def fill(template: str, *, model: str, now: datetime, chance: Chance) -> str:
    """Write an id by its dialect's template, such as `task_{alnum:32}` or `{model}:{uuid4}`."""

    def part(found: re.Match[str]) -> str:
        kind, _, count = found[1].partition(":")
        match kind:
            case "model":
                return model
            case "unix":
                return str(int(now.timestamp()))
            case "uuid4":
                return str(UUID(bytes=chance.bytes(16), version=4))
            case "hex":
                return chance.bytes(int(count) // 2 + 1).hex()[: int(count)]
            case "base64url":
                return base64.urlsafe_b64encode(chance.bytes(int(count))).decode()[: int(count)]
            case _:
                return alphanumeric(int(count), chance)

    return _TEMPLATE.sub(part, template)


def alphanumeric(count: int, chance: Chance) -> str:
    """Give letters and digits, each of the 62 equally likely."""

    def letters() -> Iterator[str]:
        while True:
            for byte in chance.bytes(2 * count):
                if byte < 4 * len(_ALNUM):
                    yield _ALNUM[byte % len(_ALNUM)]

    source = letters()
    return "".join(next(source) for _ in range(count))


def new_key(chance: Chance) -> str:
    """Make an API key: 43 letters and digits hold 256 bits."""
    return KEY_PREFIX + alphanumeric(43, chance)


def hint(key: str) -> str:
    """Give what may be shown of a key."""
    return f"{key[:6]}…{key[-4:]}"
