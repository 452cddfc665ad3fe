"""Everything that a folder does, in a bucket behind a real server of S3."""

import hashlib
import os
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from yarl import URL

from filmgate.domain.limits import PART_BYTES
from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError
from filmgate.objects.store import Stored, open_store
from objects.servers import start_server, stop_server

MIB = 1024 * 1024


async def content(store, key: str, *part: int) -> bytes:
    return b"".join([piece async for piece in store.stream(key, *part)])


async def listing(store, prefix: str = "") -> dict[str, int]:
    return {listed.key: listed.size_bytes async for listed in store.list(prefix)}


@pytest.mark.parametrize(
    "size", [0, 1, 1_000_003, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 3 * PART_BYTES + 7]
)
async def test_a_file_is_stored_whole_with_its_size_and_digest(bucket, tmp_path, size):
    film = os.urandom(size)
    (tmp_path / "film").write_bytes(film)
    stored = await bucket.put_file("tasks/1/a.mp4", tmp_path / "film")
    assert stored == Stored("tasks/1/a.mp4", size, hashlib.sha256(film).digest())
    assert (await bucket.size("tasks/1/a.mp4"), await content(bucket, "tasks/1/a.mp4")) == (size, film)


async def test_what_is_stored_lies_under_the_prefix_of_the_address(bucket, server, place):
    await bucket.put_bytes("a/thumb.webp", b"pixels")
    folder = place.removeprefix("s3://films/")
    assert [name for name in server.files() if name.startswith(folder)] == [f"{folder}/a/thumb.webp"]
    whole = open_store("s3://films")
    assert await content(whole, f"{folder}/a/thumb.webp") == b"pixels"
    await whole.close()


async def test_a_second_put_replaces_the_first(bucket, tmp_path):
    (tmp_path / "film").write_bytes(bytes(PART_BYTES + 5))
    await bucket.put_file("a", tmp_path / "film")
    await bucket.put_bytes("a", b"2nd")
    assert await content(bucket, "a") == b"2nd"
    await bucket.put_file("a", tmp_path / "film")
    assert await content(bucket, "a") == bytes(PART_BYTES + 5)


async def test_a_part_is_from_its_start_up_to_but_not_including_its_end(bucket):
    film = os.urandom(3 * MIB)
    await bucket.put_bytes("a", film)
    assert await content(bucket, "a", 10, 20) == film[10:20]
    assert await content(bucket, "a", 2 * MIB) == film[2 * MIB :]
    assert await content(bucket, "a", 3 * MIB - 5, 9 * MIB) == film[-5:]
    assert await content(bucket, "a", 5, 5) == b""
    with pytest.raises(ObjectStoreError):
        await content(bucket, "a", 3 * MIB, 3 * MIB + 1)


async def test_what_is_not_there_is_said_to_be_missing(bucket):
    with pytest.raises(NoSuchObjectError, match="there is no object a/b"):
        await bucket.size("a/b")
    with pytest.raises(NoSuchObjectError, match="there is no object a/b"):
        await content(bucket, "a/b")


async def test_deleting_is_done_once_and_again(bucket):
    await bucket.put_bytes("tasks/1/a.mp4", b"film")
    await bucket.delete("tasks/1/a.mp4")
    await bucket.delete("tasks/1/a.mp4")
    await bucket.delete("never/there")
    assert await listing(bucket) == {}


async def test_a_listing_goes_on_over_as_many_pages_as_there_are(server, tmp_path, monkeypatch):
    folder = tmp_path / "root/films/mine/tasks"
    folder.mkdir(parents=True)
    for number in range(2_300):
        (folder / f"{number}.mp4").write_bytes(b"x")
    many = start_server(tmp_path / "root")
    monkeypatch.setenv("AWS_ENDPOINT_URL", many.endpoint)
    try:
        store = open_store("s3://films/mine")
        assert await listing(store, "tasks") == {f"tasks/{number}.mp4": 1 for number in range(2_300)}
        pages = [page async for page in store.old_keys("tasks", datetime.now(UTC) + timedelta(hours=1))]
        assert max(map(len, pages)) <= 500
        assert sum(map(len, pages)) == 2_300
        assert [page async for page in store.old_keys("tasks", datetime.now(UTC) - timedelta(hours=1))] == []
    finally:
        stop_server(many)


async def test_a_signed_address_leads_straight_to_the_bucket_until_it_expires(bucket):
    await bucket.put_bytes("tasks/1/a.mp4", b"a film of some length")
    address = await bucket.signed_url("tasks/1/a.mp4", timedelta(hours=1), "Ein Käse.mp4", "video/mp4")
    assert address is not None
    async with aiohttp.ClientSession() as session:
        async with session.get(URL(address, encoded=True), headers={"range": "bytes=2-5"}) as reply:
            assert await reply.read() == b"film"
            assert reply.headers["content-type"] == "video/mp4"
            assert reply.headers["content-disposition"] == (
                "inline; filename=\"Ein K?se.mp4\"; filename*=UTF-8''Ein%20K%C3%A4se.mp4"
            )
        forged = address.replace("a.mp4", "b.mp4")
        async with session.get(URL(forged, encoded=True)) as reply:
            assert reply.status == 403
        renamed = address.replace("video%2Fmp4", "text%2Fhtml")
        async with session.get(URL(renamed, encoded=True)) as reply:
            assert reply.status == 403


async def test_a_signed_address_that_expired_leads_nowhere(server, place):
    class Yesterday:
        def now(self) -> datetime:
            return datetime.now(UTC) - timedelta(hours=2)

        def monotonic(self) -> float:
            return 0.0

    store = open_store(place, clock=Yesterday())
    address = await store.signed_url("a", timedelta(hours=1), "a.mp4", "video/mp4")
    assert address is not None
    async with aiohttp.ClientSession() as session, session.get(URL(address, encoded=True)) as reply:
        assert reply.status in {400, 403}


@pytest.mark.parametrize("expires", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
async def test_a_signed_address_that_no_store_would_take_is_refused(bucket, expires):
    with pytest.raises(ValueError, match="lasts from one second to 7 days"):
        await bucket.signed_url("a", expires, "a.mp4", "video/mp4")


async def test_a_folder_has_no_signed_addresses(tmp_path):
    store = open_store(tmp_path / "objects")
    await store.put_bytes("a", b"film")
    assert await store.signed_url("a", timedelta(hours=1), "a.mp4", "video/mp4") is None
