"""Whether films can be kept is known, said once, and forgotten when it is over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.limits import ROOM_BYTES
from filmgate.objects import watch
from filmgate.objects.checkup import Finding
from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError, Trouble
from filmgate.objects.store import ObjectStore, open_store
from filmgate.objects.watch import WatchedStore
from filmgate.world import SystemChance
from objects.crossing import Crossing, answer
from objects.test_housekeeping import Telemetry


@pytest.fixture
async def watched(crossed: ObjectStore) -> AsyncIterator[tuple[WatchedStore, Telemetry]]:
    telemetry = Telemetry()
    watched = WatchedStore(crossed, telemetry, SystemChance())
    await watched.begin()
    yield watched, telemetry
    await watched.close()


async def until(*, well: bool, watched: WatchedStore) -> Finding | None:
    for _ in range(1000):
        if (watched.failing is None) is well:
            return watched.failing
        await asyncio.sleep(0.02)
    raise AssertionError(watched.failing)


async def test_a_refusal_is_noticed_said_once_and_over_by_itself(
    watched: tuple[WatchedStore, Telemetry], crossing: Crossing
) -> None:
    store, telemetry = watched
    crossing.answers = {"": answer("403 Forbidden", "AccessDenied")}
    for _ in range(2):
        with pytest.raises(ObjectStoreError):
            await store.put_bytes("tasks/1/a.mp4", b"film")
    found = await until(well=False, watched=store)
    assert found is not None
    assert (found.step, found.trouble, store.full) == ("write", Trouble.DENIED, False)
    crossing.answers = {}
    await until(well=True, watched=store)
    assert [event for event in telemetry.events if event.startswith("store.")] == [
        "store.failing", "store.well",
    ]  # fmt: skip
    assert telemetry.events.count("denied") == 2


async def test_one_object_that_is_not_there_says_nothing_of_the_store(
    watched: tuple[WatchedStore, Telemetry],
) -> None:
    store, telemetry = watched
    with pytest.raises(NoSuchObjectError):
        async for _ in store.stream("tasks/1/a.mp4"):
            pass
    assert store.failing is None
    assert telemetry.events == ["object.absent"]


async def test_a_folder_without_room_is_full_until_there_is_room(tmp_path: Path) -> None:
    store = open_store(tmp_path / "objects")
    free = store.free_bytes()
    assert free is not None
    assert free > ROOM_BYTES
    assert WatchedStore(store, Telemetry(), SystemChance()).failing is None
    crowded = WatchedStore(store, Telemetry(), SystemChance(), room_bytes=1 << 60)
    assert crowded.full
    assert crowded.failing is not None
    assert crowded.failing.said.endswith(f"bytes are free where films are kept, less than {1 << 60}")


async def test_a_disk_that_fills_is_logged_once_and_once_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "STORE_PROBE_EVERY", timedelta(milliseconds=10))
    folder, telemetry = open_store(tmp_path / "objects"), Telemetry()
    store = WatchedStore(folder, telemetry, SystemChance(), room_bytes=1000)
    free = [1000]
    monkeypatch.setattr(folder, "free_bytes", lambda: free[0])
    await store.begin()
    for free[0], events in ((999, ["store.failing"]), (1000, ["store.failing", "store.well"])):
        async with asyncio.timeout(10):
            while len(telemetry.events) < len(events):  # noqa: ASYNC110  # what tells it is what is looked for
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert telemetry.events == events
    await store.close()


async def test_a_refusal_is_noticed_where_nothing_is_stored(
    crossed: ObjectStore, crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that serves the web alone, whose metrics tell of the whole gate."""
    monkeypatch.setattr(watch, "STORE_PROBE_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(watch, "STORE_LOOK_EVERY", timedelta(milliseconds=50))
    store = WatchedStore(crossed, Telemetry(), SystemChance())
    await store.begin()
    crossing.answers = {"": answer("403 Forbidden", "AccessDenied")}
    found = await until(well=False, watched=store)
    assert (found and found.trouble) is Trouble.DENIED
    crossing.answers = {}
    await until(well=True, watched=store)
    await store.close()
