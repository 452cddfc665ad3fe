"""A film into its customer's own bucket: once, whole, and by a name that cannot be misused."""

import asyncio
import json
import os
import random
import sys

import pytest

from filmgate.domain.limits import PART_BYTES
from filmgate.objects.delivery import BadPathError, Delivery, PathTemplate
from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError, Trouble
from filmgate.objects.store import open_destination, open_store
from objects.servers import HASTY, KEY, SECRET

SIZE = 4 * PART_BYTES + 321
VALUES = {
    "account": "team",
    "date": "2026-11-21",
    "id": "0198-ab",
    "key": "Team A/影片",
    "model": "veo3.1",
    "name": "video_1",
}
NAME = "Team_A_/2026-11-21/0198-ab.mp4"
OPTIONS = {"access_key_id": KEY, "secret_access_key": SECRET}
PART = r"PUT /theirs/.*partNumber="
COURIER = """if True:
    import asyncio, json, os, sys
    from filmgate.domain.failpoint import arm
    from filmgate.objects.delivery import Delivery, PathTemplate
    from filmgate.objects.store import open_destination, open_store
    passed = []

    async def act(name):
        passed.append(name)
        if passed.count("objects.part_sent") >= 2:
            os.kill(os.getpid(), 9)

    async def main():
        arm(act)
        own, theirs, options, size, values = map(json.loads, sys.argv[1:])
        delivery = Delivery(open_store(own), open_destination(theirs, options))
        await delivery.deliver_as(PathTemplate().named(values), "tasks/1/a.mp4", size)

    asyncio.run(main())
"""


@pytest.fixture(params=["folder", "bucket"])
async def own(request, server, tmp_path, place):
    where = str(tmp_path / "objects") if request.param == "folder" else place
    store = open_store(where, patience=HASTY)
    (tmp_path / "film").write_bytes(random.Random(3).randbytes(SIZE))
    await store.put_file("tasks/1/a.mp4", tmp_path / "film")
    yield store, where
    await store.close()


@pytest.fixture
async def theirs(crossing, place):
    address = f"s3://theirs/{place.rpartition('/')[2]}"
    options = {**OPTIONS, "endpoint": f"http://127.0.0.1:{crossing.port}"}
    store = open_destination(address, options, patience=HASTY)
    yield store, address, options
    await store.close()


async def content(store, key: str) -> bytes:
    return b"".join([piece async for piece in store.stream(key)])


async def test_a_film_is_copied_whole_and_only_once(own, theirs, crossing):
    delivery, name = Delivery(own[0], theirs[0]), PathTemplate().named(VALUES)
    assert (name, await delivery.deliver_as(name, "tasks/1/a.mp4", SIZE)) == (NAME, True)
    assert await theirs[0].size(NAME) == SIZE
    assert await content(theirs[0], NAME) == random.Random(3).randbytes(SIZE)
    before = crossing.count("(PUT|POST) /theirs")
    assert not await delivery.deliver_as(name, "tasks/1/a.mp4", SIZE)
    assert await theirs[0].size(NAME) == SIZE
    assert crossing.count("(PUT|POST) /theirs") == before


async def test_a_delivery_that_is_killed_is_gone_on_with(own, theirs, crossing):
    _, address, options = theirs
    arguments = [json.dumps(each) for each in (own[1], address, options, SIZE, VALUES)]
    courier = await asyncio.create_subprocess_exec(sys.executable, "-c", COURIER, *arguments)
    assert await courier.wait() == -9
    with pytest.raises(NoSuchObjectError):
        await theirs[0].size(NAME)
    before = crossing.count(PART)
    assert await Delivery(own[0], theirs[0]).deliver_as(NAME, "tasks/1/a.mp4", SIZE)
    assert await theirs[0].size(NAME) == SIZE
    assert crossing.count(PART) - before <= 3
    assert await content(theirs[0], NAME) == random.Random(3).randbytes(SIZE)


async def test_something_else_under_the_name_is_never_replaced(own, theirs):
    await theirs[0].put_bytes(NAME, b"the customer's own")
    with pytest.raises(ObjectStoreError, match="is there already, with 18 bytes") as refused:
        await Delivery(own[0], theirs[0]).deliver_as(NAME, "tasks/1/a.mp4", SIZE)
    assert refused.value.trouble is Trouble.TAKEN
    assert await content(theirs[0], NAME) == b"the customer's own"


async def test_a_film_that_is_gone_is_said_to_be(own, theirs):
    with pytest.raises(NoSuchObjectError, match=r"there is no object tasks/2/b\.mp4"):
        await Delivery(own[0], theirs[0]).deliver_as(NAME, "tasks/2/b.mp4", SIZE)
    with pytest.raises(ObjectStoreError, match=f"has {SIZE} bytes instead of {SIZE + 1}"):
        await Delivery(own[0], theirs[0]).deliver_as(NAME, "tasks/1/a.mp4", SIZE + 1)


async def test_a_destination_that_refuses_has_nothing_and_says_why(own, server):
    options = {**OPTIONS, "secret_access_key": "wrong", "endpoint": server.endpoint}
    refusing = open_destination("s3://theirs", options, patience=HASTY)
    with pytest.raises(ObjectStoreError) as refused:
        await Delivery(own[0], refusing).deliver_as(NAME, "tasks/1/a.mp4", SIZE)
    await refusing.close()
    assert refused.value.trouble in {Trouble.WRONG_KEYS, Trouble.DENIED}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("{key}/{date}.mp4", "needs {id}"),
        ("film.mp4", "needs {id}"),
        ("{secret}/{id}.mp4", "knows no {secret}; it knows account, date, id, key, model, name"),
        ("{id.__class__}.mp4", "knows no"),
        ("{id[0]}.mp4", "knows no"),
        ("{id!r}.mp4", "knows no"),
        ("{id:>9}.mp4", "knows no"),
        ("{id.mp4", "cannot be read"),
        ("/{id}.mp4", "names no object"),
        ("../{id}.mp4", "names no object"),
        ("a b/{id}.mp4", "names no object"),
        ("{id}/", "names no object"),
        ("", "needs {id}"),
    ],
)
def test_a_path_that_cannot_name_films_is_refused(path, said):
    with pytest.raises(BadPathError, match=said.replace("{", r"\{")):
        PathTemplate(path)


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("a", "a"),
        ("../../etc", "_.._etc"),
        ("..", "_"),
        ("", "_"),
        ("影片", "_"),
        ("-x.y_", "-x.y_"),
        ("a" * 200, "a" * 100),
    ],
)
def test_a_name_cannot_leave_its_place(key, plain):
    assert PathTemplate("{key}/{id}.mp4").named({**VALUES, "key": key}) == f"{plain}/0198-ab.mp4"


def test_each_film_has_a_name_of_its_own():
    names = {PathTemplate().named({**VALUES, "id": os.urandom(4).hex()}) for _ in range(100)}
    assert len(names) == 100
