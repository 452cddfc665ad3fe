"""Objects without a row go after a day; a known one, or a young one, never does."""

import asyncio
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from filmgate.objects.faults import ObjectStoreError
from filmgate.objects.orphans import Known, find_orphans, remove_orphans
from filmgate.objects.store import ObjectStore, open_store
from objects.crossing import answer
from objects.servers import HASTY

DAY = timedelta(hours=24)


class Rows:
    """Keys that rows name, and what was asked of them."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.asked: list[str] = []

    async def __call__(self, keys: Sequence[str]) -> Collection[str]:
        self.asked += keys
        return self.keys.intersection(keys)


@pytest.fixture(params=["folder", "bucket"])
async def store(request, server, tmp_path, place):
    store = open_store(tmp_path / "objects" if request.param == "folder" else place, patience=HASTY)
    yield store
    await store.close()


async def sweep_orphans(store: ObjectStore, prefix: str, before: datetime, known: Known) -> Sequence[str]:
    """Remove the objects under a prefix that are older than `before` and unknown; give their keys."""
    found = await find_orphans(store, prefix, before, known)
    return await remove_orphans(store, found.keys, before, known)


async def keys(store) -> list[str]:
    return sorted([listed.key async for listed in store.list()])


async def test_a_young_object_is_not_even_looked_up(store):
    await store.put_bytes("tasks/1/orphan.mp4", b"film")
    rows = Rows()
    assert await sweep_orphans(store, "tasks", datetime.now(UTC) - DAY, rows) == []
    assert (rows.asked, await keys(store)) == ([], ["tasks/1/orphan.mp4"])


async def test_only_what_is_old_and_unknown_is_removed(store):
    for key in ("tasks/1/known.mp4", "tasks/1/orphan.mp4", "uploads/1/orphan"):
        await store.put_bytes(key, b"film")
    # All three are old for whoever asks tomorrow.
    tomorrow = datetime.now(UTC) + DAY
    assert await sweep_orphans(store, "tasks", tomorrow, Rows("tasks/1/known.mp4")) == ["tasks/1/orphan.mp4"]
    assert await keys(store) == ["tasks/1/known.mp4", "uploads/1/orphan"]


async def test_what_is_stored_again_while_it_is_looked_up_stays(tmp_path):
    store = open_store(tmp_path / "objects")
    await store.put_bytes("tasks/1/a.mp4", b"film")
    then = (datetime.now(UTC) - 2 * DAY).timestamp()
    os.utime(tmp_path / "objects/tasks/1/a.mp4", (then, then))

    async def known(_: Sequence[str]) -> Collection[str]:
        await store.put_bytes("tasks/1/a.mp4", b"film")
        return []

    assert await sweep_orphans(store, "tasks", datetime.now(UTC) - DAY, known) == []
    assert await keys(store) == ["tasks/1/a.mp4"]


async def test_a_look_up_that_fails_removes_nothing(store):
    await store.put_bytes("tasks/1/a.mp4", b"film")

    async def known(_: Sequence[str]) -> Collection[str]:
        raise ConnectionError("the rows cannot be read")

    with pytest.raises(ConnectionError):
        await sweep_orphans(store, "tasks", datetime.now(UTC) + DAY, known)
    assert await keys(store) == ["tasks/1/a.mp4"]


async def test_two_sweeps_at_once_harm_nothing(store):
    for number in range(30):
        await store.put_bytes(f"tasks/{number}/a.mp4", b"film")
    before = datetime.now(UTC) + DAY
    await asyncio.gather(*(sweep_orphans(store, "tasks", before, Rows("tasks/7/a.mp4")) for _ in range(2)))
    assert await keys(store) == ["tasks/7/a.mp4"]


async def test_a_bucket_without_any_upload_has_nothing_to_sweep(crossed, crossing):
    crossing.answers = {"uploads": answer("404 Not Found", "NoSuchUpload")}
    assert await crossed.sweep(datetime.now(UTC)) == 0
    crossing.answers = {"uploads": answer("404 Not Found", "NoSuchBucket")}
    with pytest.raises(ObjectStoreError, match="there is no such bucket"):
        await crossed.sweep(datetime.now(UTC))
