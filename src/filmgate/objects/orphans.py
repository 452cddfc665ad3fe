"""Objects that no row knows: what a death between storing and writing down left behind."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from filmgate.objects.faults import NoSuchObjectError
from filmgate.objects.store import ObjectStore

Known = Callable[[Sequence[str]], Awaitable[Collection[str]]]


async def sweep_orphans(store: ObjectStore, prefix: str, before: datetime, known: Known) -> Sequence[str]:
    """Remove the objects under a prefix that are older than `before` and unknown; give their keys.

    `known` is given some keys and gives those of them that a row names. `before` must lie further back than
    any film is on its way from its first byte to its row.
    """
    removed = []
    async for keys in store.old_keys(prefix, before):
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
