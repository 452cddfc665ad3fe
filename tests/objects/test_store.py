import asyncio
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError
from filmgate.objects.keys import BadKeyError
from filmgate.objects.store import Listed, ObjectStore, Stored, open_store

MIB = 1024 * 1024


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path) -> ObjectStore:
    """A store of each sort: files of our own, and one behind obstore as buckets are."""
    return open_store(tmp_path / "objects" if request.param == "folder" else "memory:///")


@pytest.fixture
def folder_store(tmp_path) -> ObjectStore:
    return open_store(tmp_path / "objects")


def film(folder: Path, content: bytes) -> Path:
    path = folder / "source.mp4"
    path.write_bytes(content)
    return path


async def content(store: ObjectStore, key: str, *part: int) -> bytes:
    return b"".join([piece async for piece in store.stream(key, *part)])


async def listing(store: ObjectStore, prefix: str = "") -> dict[str, int]:
    return {listed.key: listed.size_bytes async for listed in store.list(prefix)}


async def test_a_file_is_stored_with_its_size_and_digest(store, tmp_path):
    data = os.urandom(3 * MIB + 5)
    stored = await store.put_file("tasks/1/a.mp4", film(tmp_path, data))
    assert stored == Stored("tasks/1/a.mp4", len(data), hashlib.sha256(data).digest())
    assert await store.size("tasks/1/a.mp4") == len(data)
    assert await content(store, "tasks/1/a.mp4") == data


async def test_a_large_file_goes_in_parts(store, tmp_path):
    data = os.urandom(12 * MIB)
    stored = await store.put_file("a", film(tmp_path, data))
    assert (stored.sha256, await content(store, "a")) == (hashlib.sha256(data).digest(), data)


async def test_bytes_are_stored_with_their_size_and_digest(store):
    stored = await store.put_bytes("a/thumb.webp", b"pixels")
    assert stored == Stored("a/thumb.webp", 6, hashlib.sha256(b"pixels").digest())
    assert await content(store, "a/thumb.webp") == b"pixels"


async def test_a_second_put_replaces_the_first(store):
    await store.put_bytes("a", b"first")
    await store.put_bytes("a", b"2nd")
    assert (await content(store, "a"), await store.size("a")) == (b"2nd", 3)


async def test_a_part_is_from_its_start_up_to_but_not_including_its_end(store):
    data = bytes(range(256)) * 100
    await store.put_bytes("a", data)
    assert await content(store, "a", 10, 20) == data[10:20]
    assert await content(store, "a", 25_000) == data[25_000:]
    assert await content(store, "a", 25_590, 99_999) == data[25_590:]
    assert await content(store, "a", 5, 5) == b""


async def test_a_part_behind_the_end_is_an_error(store):
    await store.put_bytes("a", b"abc")
    with pytest.raises(ObjectStoreError):
        await content(store, "a", 3, 5)


async def test_a_stream_comes_in_pieces_of_about_the_size_asked(store, tmp_path):
    await store.put_file("a", film(tmp_path, bytes(5 * MIB)))
    if store.local_path("a") is not None:
        assert [len(piece) async for piece in store.stream("a")] == [MIB] * 5
    assert len(await content(store, "a")) == 5 * MIB


async def test_what_is_not_there_is_said_to_be_missing(store):
    with pytest.raises(NoSuchObjectError, match="there is no object a/b"):
        await store.size("a/b")
    with pytest.raises(NoSuchObjectError, match="there is no object a/b"):
        await content(store, "a/b")


async def test_deleting_is_done_once_and_again(store):
    await store.put_bytes("tasks/1/a.mp4", b"film")
    await store.delete("tasks/1/a.mp4")
    await store.delete("tasks/1/a.mp4")
    await store.delete("never/there")
    assert await listing(store) == {}


async def test_a_listing_names_objects_under_a_prefix_of_whole_parts(store):
    for key in ("tasks/1/a.mp4", "tasks/1/a.webp", "tasks/12/b.mp4", "inputs/c.png"):
        await store.put_bytes(key, key.encode())
    assert await listing(store) == {
        "tasks/1/a.mp4": 13,
        "tasks/1/a.webp": 14,
        "tasks/12/b.mp4": 14,
        "inputs/c.png": 12,
    }
    assert await listing(store, "tasks/1") == {"tasks/1/a.mp4": 13, "tasks/1/a.webp": 14}
    assert await listing(store, "nothing") == {}


async def test_a_listing_tells_when_an_object_was_stored(store):
    before = datetime.now(UTC) - timedelta(seconds=2)
    await store.put_bytes("a", b"x")
    [listed] = [listed async for listed in store.list()]
    assert listed == Listed("a", 1, listed.modified_at)
    assert before < listed.modified_at < before + timedelta(seconds=60)


@pytest.mark.parametrize("key", ["../a", "/etc/passwd", ".temporary/a", "a/../../b", ""])
async def test_no_method_takes_a_key_that_leaves_the_store(store, tmp_path, key):
    with pytest.raises(BadKeyError):
        await store.put_bytes(key, b"x")
    with pytest.raises(BadKeyError):
        await store.put_file(key, film(tmp_path, b"x"))
    with pytest.raises(BadKeyError):
        await store.delete(key)
    with pytest.raises(BadKeyError):
        await store.size(key)
    with pytest.raises(BadKeyError):
        await content(store, key)
    if store.local_path("a") is not None:
        with pytest.raises(BadKeyError):
            store.local_path(key)


async def test_a_source_that_is_missing_is_an_error_and_stores_nothing(store, tmp_path):
    with pytest.raises((ObjectStoreError, FileNotFoundError)) as failed:
        await store.put_file("a", tmp_path / "nothing")
    assert not isinstance(failed.value, NoSuchObjectError)
    assert await listing(store) == {}


async def test_a_film_in_a_folder_can_be_sent_as_a_file(folder_store):
    await folder_store.put_bytes("tasks/1/a.mp4", b"film")
    path = folder_store.local_path("tasks/1/a.mp4")
    assert path is not None
    assert path.read_bytes() == b"film"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_an_object_in_a_bucket_has_no_path():
    assert open_store("memory:///").local_path("a") is None


async def test_deleting_the_last_object_of_a_folder_removes_the_folder(folder_store, tmp_path):
    await folder_store.put_bytes("tasks/1/a.mp4", b"film")
    await folder_store.delete("tasks/1/a.mp4")
    assert [path.name for path in (tmp_path / "objects").rglob("*")] == [".temporary"]


async def test_putting_and_deleting_neighbours_at_once_harms_neither(folder_store):
    async def put_and_delete(number: int) -> None:
        for _ in range(20):
            await folder_store.put_bytes(f"tasks/1/{number}", b"film")
            await folder_store.delete(f"tasks/1/{number}")

    await asyncio.gather(*(put_and_delete(number) for number in range(4)))
    assert await listing(folder_store) == {}


async def test_leftovers_of_killed_writers_are_swept_after_a_day_and_never_listed(folder_store, tmp_path):
    now = datetime.now(UTC)
    old, young = (tmp_path / "objects/.temporary" / name for name in ("old", "young"))
    for path, age in ((old, timedelta(hours=25)), (young, timedelta(hours=23))):
        path.write_bytes(b"half a film")
        os.utime(path, times=((now - age).timestamp(),) * 2)
    assert await listing(folder_store) == {}
    assert await folder_store.sweep(now - timedelta(days=1)) == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert await open_store("memory:///").sweep(now) == 0


async def test_a_disk_that_fails_is_an_error_of_the_store(tmp_path):
    def sync(_: int) -> None:
        raise OSError(5, "Input/output error")

    open_store(tmp_path / "objects")
    store = open_store(tmp_path / "objects", sync)
    with pytest.raises(ObjectStoreError, match=r"a cannot be stored: .* Input/output error"):
        await store.put_bytes("a", b"film")
    assert await listing(store) == {}


def test_new_folders_are_synced_up_to_the_first_that_was_there(tmp_path):
    synced = []
    open_store(
        tmp_path / "data/objects", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink())
    )
    assert synced == [tmp_path, tmp_path / "data", tmp_path / "data/objects"]


async def test_a_folder_can_be_given_as_text_or_as_a_file_url(tmp_path):
    for place in (str(tmp_path / "with space"), (tmp_path / "with space").as_uri()):
        store = open_store(place)
        await store.put_bytes("a", b"film")
        assert store.local_path("a") == tmp_path / "with space/a"


def test_a_bucket_is_opened_by_its_url_and_not_asked_anything():
    assert open_store("s3://bucket/prefix").local_path("a") is None


@pytest.mark.parametrize("place", ["ftp://example.com/x", "nonsense://x"])
def test_a_store_of_an_unknown_sort_is_refused(place):
    with pytest.raises(ObjectStoreError, match="store cannot be opened there"):
        open_store(place)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ObjectStoreError, match="cannot be used"):
        open_store(tmp_path / "file")
