"""Does the store do what the gate will ask of it? A real object is written, read, listed and removed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from filmgate.domain.clock import Chance, Clock
from filmgate.objects.faults import MEANINGS, ObjectStoreError, Trouble
from filmgate.objects.store import ObjectStore

FOLDER: Final = "checks"
_MARK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """What the store would not do, why, and the way out, in English and Chinese."""

    step: str
    trouble: Trouble
    said: str
    way_out: str
    way_out_zh: str


_WAYS: Final[Mapping[Trouble, tuple[str, str]]] = MappingProxyType(
    {
        Trouble.BUSY: ("Try again in a minute.", "请一分钟后重试。"),
        Trouble.CLOCK: ("Set this machine's clock (NTP).", "请校准本机时钟（NTP）。"),
        Trouble.CORRUPT: (
            "Something between here and the store changes bytes: look at proxies, or use another store.",
            "途中有内容被改动：请检查代理，或更换存储。",
        ),
        Trouble.DENIED: (
            "Allow these credentials to put, get, list and delete objects of the bucket.",
            "请授予该凭证对存储桶的写入、读取、列出和删除权限。",
        ),
        Trouble.FULL: ("Make room, or raise the quota.", "请清理空间或提高配额。"),
        Trouble.NO_BUCKET: (
            "Create the bucket, or correct its name in FILMGATE_OBJECTS_URL or the endpoint.",
            "请创建存储桶，或更正 FILMGATE_OBJECTS_URL 中的桶名或端点。",
        ),
        Trouble.REGION: (
            "Set AWS_REGION, and AWS_ENDPOINT_URL where the store is not Amazon's.",
            "请设置 AWS_REGION；若非亚马逊存储，还需设置 AWS_ENDPOINT_URL。",
        ),
        Trouble.SLOW: (
            "Look at the store's load and at the network between.",
            "请检查存储的负载以及中间的网络。",
        ),
        Trouble.UNREACHABLE: (
            "Check AWS_ENDPOINT_URL, the name's address and the firewall.",
            "请检查 AWS_ENDPOINT_URL、域名解析和防火墙。",
        ),
        Trouble.WRONG_KEYS: (
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if there is one.",
            "请检查 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，以及可能存在的 AWS_SESSION_TOKEN。",
        ),
        Trouble.WRONG_SETTING: ("Correct the setting.", "请更正设置。"),
    }
)
_ELSE: Final = ("Ask whoever runs the store, with what it said.", "请将其返回内容告知存储的运维人员。")


EVERYTHING: Final = ("write", "read", "list", "delete")


async def check(store: ObjectStore, mark: bytes, steps: Sequence[str] = EVERYTHING) -> Finding | None:
    """Try each step once under a key that `mark`, some unguessable bytes, makes its own; None is well."""
    key = f"{FOLDER}/{mark.hex()}"

    async def write() -> None:
        await store.put_bytes(key, mark)

    async def read() -> None:
        if b"".join([piece async for piece in store.stream(key, 1)]) != mark[1:]:
            raise ObjectStoreError(f"{key} has other bytes than were written", Trouble.CORRUPT)

    async def enumerate_() -> None:
        if key not in [listed.key async for listed in store.list(FOLDER)]:
            raise ObjectStoreError(f"{key} is stored, but in no listing")

    async def remove() -> None:
        await store.delete(key)

    acts: Mapping[str, Callable[[], Awaitable[None]]] = {
        "write": write,
        "read": read,
        "list": enumerate_,
        "delete": remove,
    }
    for step in steps:
        try:
            await acts[step]()
        except ObjectStoreError as error:
            if step != "write":
                with suppress(ObjectStoreError):
                    await store.delete(key)
            return finding(step, error)
    return None


def new_mark(chance: Chance) -> bytes:
    """Give the bytes for one look, or for all looks of one process."""
    return chance.bytes(_MARK_BYTES)


def slow(step: str) -> Finding:
    """Say that a step took longer than anybody waits."""
    return finding(step, ObjectStoreError(MEANINGS[Trouble.SLOW], Trouble.SLOW))


def finding(step: str, error: ObjectStoreError) -> Finding:
    way_out, way_out_zh = _WAYS.get(error.trouble, _ELSE)
    return Finding(step, error.trouble, str(error), way_out, way_out_zh)


async def clock_skew(store: ObjectStore, mark: bytes, clock: Clock) -> timedelta:
    """Say by how much the store's clock is ahead of ours, as the time of a new object tells; exact to a second."""
    key = f"{FOLDER}/{mark.hex()}"
    before = clock.now()
    await store.put_bytes(key, mark)
    try:
        stored_at = (await store.look(key)).modified_at
    finally:
        with suppress(ObjectStoreError):
            await store.delete(key)
    after = clock.now()
    if stored_at < before:
        return stored_at - before
    return max(stored_at - after, timedelta())
