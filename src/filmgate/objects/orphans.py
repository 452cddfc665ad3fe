"""Objects that no row knows: what a death between storing and writing down left behind."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from filmgate.objects.faults import NoSuchObjectError
from filmgate.objects.store import PAGE_KEYS, ObjectStore

Known = Callable[[Sequence[str]], Awaitable[Collection[str]]]
# Of more the rest waits for the next sweep.
_MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Orphans:
    """What was found under a prefix: keys, the first of them, out of so many among so many that are old."""

    keys: Sequence[str]
    count: int
    total: int


async def find_orphans(store: ObjectStore, prefix: str, before: datetime, known: Known) -> Orphans:
    """Find what is older than `before` and unknown; nothing is removed.

    `known` is given some keys and gives those of them that a row names. `before` must lie further back than
    any film is on its way from its first byte to its row.
    """
    orphans: list[str] = []
    count = total = 0
    async for keys in store.old_keys(prefix, before):
        named = set(await known(keys))
        strange = [key for key in keys if key not in named]
        total, count = total + len(keys), count + len(strange)
        orphans += islice(strange, _MOST - len(orphans))
    return Orphans(orphans, count, total)


async def remove_orphans(
    store: ObjectStore, found: Sequence[str], before: datetime, known: Known
) -> Sequence[str]:
    """Remove what was found, unless it was written down or stored again meanwhile; give what is gone."""
    removed = []
    for start in range(0, len(found), PAGE_KEYS):
        keys = found[start : start + PAGE_KEYS]
        named = set(await known(keys))
        for key in keys:
            # What was stored again since it was listed is about to get its row.
            if key not in named and await _still_old(store, key, before):
                await store.delete(key)
                removed.append(key)
    return removed


async def _still_old(store: ObjectStore, key: str, before: datetime) -> bool:
    try:
        return (await store.look(key)).modified_at < before
    except NoSuchObjectError:
        return False
