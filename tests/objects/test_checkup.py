"""What `doctor` tells of a store: that it works, or which step does not and what to do."""

import pytest

from filmgate.objects.buckets import Patience
from filmgate.objects.checkup import check
from filmgate.objects.faults import Trouble
from filmgate.objects.store import open_store
from objects.crossing import answer

HURRIED = Patience(connect_s=0.5, idle_s=1.0, part_s=1.0, tries=1, retry_within_s=1.0, pause_s=0.01)
MARK = bytes(range(16))


async def keys(store) -> list[str]:
    return [listed.key async for listed in store.list()]


@pytest.mark.parametrize("kind", ["folder", "memory", "bucket"])
async def test_a_store_that_works_is_well_and_left_as_it_was(server, place, tmp_path, kind):
    store = open_store({"folder": str(tmp_path / "o"), "memory": "memory:///", "bucket": place}[kind])
    assert await check(store, MARK) is None
    assert await keys(store) == []
    await store.close()


@pytest.mark.parametrize(
    ("pattern", "reply", "step", "trouble"),
    [
        ("PUT", answer("403 Forbidden", "AccessDenied"), "write", Trouble.DENIED),
        ("PUT", answer("507 Insufficient Storage"), "write", Trouble.FULL),
        ("GET /films/[^?]*/checks", answer("403 Forbidden", "AccessDenied"), "read", Trouble.DENIED),
        ("list-type", answer("403 Forbidden", "AccessDenied"), "list", Trouble.DENIED),
        ("DELETE", answer("403 Forbidden", "AccessDenied"), "delete", Trouble.DENIED),
        (".", answer("403 Forbidden", "RequestTimeTooSkewed"), "write", Trouble.CLOCK),
    ],
)
async def test_a_step_that_is_refused_is_named_with_the_way_out(
    crossing, place, pattern, reply, step, trouble
):
    crossing.answers[pattern] = reply
    store = open_store(place, patience=HURRIED)
    found = await check(store, MARK)
    await store.close()
    assert found is not None
    assert (found.step, found.trouble) == (step, trouble)
    assert found.way_out.endswith(".")
    assert found.way_out_zh.endswith("。")


async def test_a_missing_bucket_a_wrong_secret_and_nobody_there_are_told_apart(server, place, monkeypatch):
    told = []
    for name, value in (
        ("", ""),
        ("AWS_SECRET_ACCESS_KEY", "wrong"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ):
        if name:
            monkeypatch.setenv(name, value)
        store = open_store(place if name else "s3://never-made", patience=HURRIED)
        found = await check(store, MARK)
        assert found is not None
        told.append((found.step, found.trouble))
        await store.close()
    assert told == [
        ("write", Trouble.NO_BUCKET),
        ("write", Trouble.WRONG_KEYS),
        ("write", Trouble.UNREACHABLE),
    ]


async def test_a_folder_that_nobody_may_write_is_told(tmp_path):
    store = open_store(tmp_path / "o")
    (tmp_path / "o/checks").write_bytes(b"a file where a folder should be")
    found = await check(store, MARK)
    assert found is not None
    assert (found.step, found.trouble) == ("write", Trouble.BROKEN)
