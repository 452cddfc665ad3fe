"""Uploads that are killed: what is seen afterwards is nothing or the whole, and no part is sent twice."""

import asyncio
import hashlib
import os
import random
import sys
from datetime import UTC, datetime, timedelta

import pytest

from filmgate.domain.limits import PART_BYTES
from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError
from filmgate.objects.multipart import SLOTS
from filmgate.objects.source import FileSource
from filmgate.objects.store import open_store
from objects.crossing import answer

PARTS = 5
SIZE = (PARTS - 1) * PART_BYTES + 12_345
WRITER = """if True:
    import asyncio, os, sys
    from pathlib import Path
    from filmgate.domain.failpoint import arm
    from filmgate.objects.store import open_store
    passed = []

    async def act(name):
        passed.append(name)
        if passed.count(name) >= int(sys.argv[4]) and name == sys.argv[3]:
            os.kill(os.getpid(), 9)

    async def main():
        arm(act)
        store = open_store(sys.argv[1])
        print("ready", flush=True)
        await store.put_file("tasks/1/a.mp4", Path(sys.argv[2]))
        print("stored", flush=True)

    asyncio.run(main())
"""
FRESH = r"POST .*[?&]uploads="
PART = r"PUT .*partNumber="


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(random.Random(7).randbytes(SIZE))
    return path


async def writing(place: str, film, point: str = "", count: int = 1) -> asyncio.subprocess.Process:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, place, film, point, str(count), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    assert await writer.stdout.readline() == b"ready\n"
    return writer


async def seen(store) -> str:
    """Tell what a reader finds: nothing, the whole, or something that must never be."""
    digest = hashlib.sha256()
    try:
        async for piece in store.stream("tasks/1/a.mp4"):
            digest.update(piece)
    except NoSuchObjectError:
        return "nothing"
    whole = hashlib.sha256(random.Random(7).randbytes(SIZE)).hexdigest()
    return "whole" if digest.hexdigest() == whole else "torn"


@pytest.mark.parametrize(
    ("point", "count", "expected"),
    [
        ("objects.part_sent", 1, "nothing"),
        ("objects.part_sent", 3, "nothing"),
        ("objects.parts_sent", 1, "nothing"),
        ("objects.completed", 1, "whole"),
    ],
)
async def test_a_death_between_two_steps_leaves_nothing_or_the_whole(
    crossing, crossed, place, film, point, count, expected
):
    writer = await writing(place, film, point, count)
    assert await writer.wait() == -9
    assert await seen(crossed) == expected
    before = crossing.count(PART)
    stored = await crossed.put_file("tasks/1/a.mp4", film)
    assert (stored.size_bytes, await seen(crossed)) == (SIZE, "whole")
    again = crossing.count(PART) - before
    if expected == "nothing":
        # What was acknowledged is not sent again; what was under way at the death may be.
        assert (crossing.count(FRESH), again <= PARTS - count) == (1, True)
    assert await crossed.sweep(datetime.now(UTC) + timedelta(hours=1)) == 0


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
async def test_a_death_in_the_middle_of_a_part_leaves_nothing_and_is_gone_on_from(
    crossing, crossed, place, film, server, share
):
    crossing.bytes_per_s = 60_000_000
    writer = await writing(place, film)
    await crossing.sent(SIZE * share)
    writer.kill()
    await writer.wait()
    crossing.bytes_per_s = None
    assert await seen(crossed) == "nothing"
    before = crossing.count(PART)
    await crossed.put_file("tasks/1/a.mp4", film)
    assert await seen(crossed) == "whole"
    finished = max(0, int(SIZE * share) // PART_BYTES - SLOTS)
    # A part that the death tore may be refused at the end, and then all of it is sent anew, once.
    assert crossing.count(PART) - before <= PARTS - finished + PARTS
    folder = place.removeprefix("s3://films/")
    assert [name for name in server.files() if name.startswith(folder)] == [f"{folder}/tasks/1/a.mp4"]


async def test_what_nobody_goes_on_with_is_swept_when_it_is_old(crossed, place, film, server):
    writer = await writing(place, film, "objects.part_sent", 3)
    assert await writer.wait() == -9
    now = datetime.now(UTC)
    assert await crossed.sweep(now - timedelta(hours=24)) == 0
    assert await crossed.sweep(now + timedelta(seconds=5)) == 1
    assert await crossed.sweep(now + timedelta(seconds=5)) == 0
    folder = place.removeprefix("s3://films/")
    assert [name for name in server.files() if name.startswith(folder)] == []


async def test_a_small_object_is_never_seen_in_part(crossing, crossed, place, tmp_path):
    (tmp_path / "small").write_bytes(bytes(PART_BYTES))
    crossing.bytes_per_s = 20_000_000
    writer = await writing(place, tmp_path / "small")
    await crossing.sent(PART_BYTES / 2)
    writer.kill()
    await writer.wait()
    assert await seen(crossed) == "nothing"


async def test_parts_of_another_file_under_the_same_key_are_not_taken_for_ours(
    crossed, place, film, tmp_path
):
    writer = await writing(place, film, "objects.part_sent", 2)
    assert await writer.wait() == -9
    other = os.urandom(2 * PART_BYTES + 17)
    (tmp_path / "other").write_bytes(other)
    stored = await crossed.put_file("tasks/1/a.mp4", tmp_path / "other")
    assert stored.sha256 == hashlib.sha256(other).digest()
    assert b"".join([piece async for piece in crossed.stream("tasks/1/a.mp4")]) == other


async def test_two_writers_of_one_film_both_succeed(bucket, place, film):
    other = open_store(place)
    try:
        first, second = await asyncio.gather(
            bucket.put_file("tasks/1/a.mp4", film), other.put_file("tasks/1/a.mp4", film)
        )
    finally:
        await other.close()
    assert first == second
    assert await seen(bucket) == "whole"


async def test_a_file_that_becomes_shorter_is_an_error_and_nothing_is_seen(bucket, tmp_path):
    (tmp_path / "film").write_bytes(bytes(PART_BYTES + 5))
    with pytest.raises(ObjectStoreError, match="became shorter"):
        await bucket.put_source("tasks/1/a.mp4", FileSource(tmp_path / "film", 3 * PART_BYTES))
    assert await seen(bucket) == "nothing"


async def test_keys_that_may_not_look_for_uploads_leave_none_behind(crossing, crossed, server, place, film):
    refused = answer("403 Forbidden", "AccessDenied")
    crossing.answers["GET .*[?&]uploads="] = refused
    crossing.answers["partNumber=3&"] = refused
    with pytest.raises(ObjectStoreError, match="does not allow this to the credentials"):
        await crossed.put_file("tasks/1/a.mp4", film)
    crossing.answers.clear()
    assert await crossed.sweep(datetime.now(UTC) + timedelta(hours=1)) == 0
    assert await seen(crossed) == "nothing"
