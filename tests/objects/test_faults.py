"""A store that will not: each time a word that says what stands in the way, never half an object."""

import asyncio
import hashlib
import os

import pytest

from filmgate.domain.limits import PART_BYTES
from filmgate.objects.buckets import Patience
from filmgate.objects.faults import NoSuchObjectError, ObjectStoreError, Trouble, first_line, refusal
from filmgate.objects.store import open_store
from objects.crossing import answer
from objects.servers import HASTY, start_server, stop_server

LARGE = 2 * PART_BYTES + 99
HURRIED = Patience(connect_s=0.5, idle_s=1.0, part_s=1.5, tries=2, retry_within_s=2.0, pause_s=0.01)


@pytest.fixture(params=["small", "large"])
def film(request, tmp_path):
    path = tmp_path / "film"
    path.write_bytes(os.urandom(1000 if request.param == "small" else LARGE))
    return path


async def failure(store, film) -> ObjectStoreError:
    with pytest.raises(ObjectStoreError) as failed:
        await store.put_file("tasks/1/a.mp4", film)
    await store.close()
    return failed.value


async def test_a_port_where_nobody_listens(server, place, film, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    error = await failure(open_store(place, patience=HURRIED), film)
    assert (error.trouble, "cannot be reached" in str(error)) == (Trouble.UNREACHABLE, True)


async def test_a_name_that_has_no_address(server, place, film, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://nowhere.invalid")
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.UNREACHABLE


async def test_a_bucket_that_is_missing(server, film):
    store = open_store("s3://nobody-made-this/prefix", patience=HURRIED)
    error = await failure(store, film)
    assert (error.trouble, "there is no such bucket" in str(error)) == (Trouble.NO_BUCKET, True)


async def test_a_bucket_that_is_missing_has_deleted_nothing(server):
    store = open_store("s3://nobody-made-this", patience=HURRIED)
    with pytest.raises(ObjectStoreError, match="there is no such bucket"):
        await store.delete("tasks/1/a.mp4")
    with pytest.raises(ObjectStoreError, match="there is no such bucket"):
        [listed async for listed in store.list()]


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_a_wrong_key_or_secret(server, place, film, monkeypatch, name):
    monkeypatch.setenv(name, "AKIDWRONG-and-never-shown")
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.WRONG_KEYS
    assert str(error).startswith("tasks/1/a.mp4: the store does not accept the access key or its secret")
    assert "never-shown" not in str(error)


async def test_a_store_that_allows_nothing(crossing, place, film):
    crossing.answers["."] = answer("403 Forbidden", "AccessDenied")
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.DENIED


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ("507 Insufficient Storage", "XMinioStorageFull", ""),
        ("403 Forbidden", "QuotaExceeded", ""),
        ("500 Internal Server Error", "InternalError", "write /films/a: no space left on device"),
    ],
)
async def test_a_store_that_is_full(crossing, place, film, status, code, message):
    crossing.answers["PUT"] = answer(status, code, message)
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.FULL


async def test_a_disk_of_the_server_that_is_really_full(server, tmp_path, monkeypatch, film):
    """The limit on one file's size stands in for a full disk: the server's own write fails."""
    import resource

    limited = start_server(tmp_path / "root")
    resource.prlimit(limited.process.pid, resource.RLIMIT_FSIZE, (500, 500))
    monkeypatch.setenv("AWS_ENDPOINT_URL", limited.endpoint)
    try:
        store = open_store("s3://films", patience=HURRIED)
        with pytest.raises(ObjectStoreError):
            await store.put_file("tasks/1/a.mp4", film)
        await store.close()
    finally:
        stop_server(limited)
    assert [name for name in limited.files() if not name.startswith("tasks/1/.rclone_temp")] == []


async def test_a_store_that_never_answers_is_given_up_in_time(crossing, place, film):
    crossing.silent = True
    began = asyncio.get_running_loop().time()
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.SLOW
    assert asyncio.get_running_loop().time() - began < 10


async def test_a_store_that_is_busy_is_asked_again(crossing, place, film):
    crossing.answers["PUT"] = answer("503 Slow Down", "SlowDown")
    store = open_store(place, patience=HASTY)
    asking = asyncio.ensure_future(store.put_file("tasks/1/a.mp4", film))
    await crossing.asked("PUT")
    crossing.answers.clear()
    assert (await asking).size_bytes == film.stat().st_size
    await store.close()


async def test_a_store_that_stays_busy_is_left_alone(crossing, place, film):
    crossing.answers["PUT"] = answer("503 Slow Down", "SlowDown")
    error = await failure(open_store(place, patience=HURRIED), film)
    assert error.trouble is Trouble.BUSY


async def test_bytes_that_change_on_the_way_are_never_taken_for_the_film(crossing, place, film):
    content = film.read_bytes()
    crossing.swap = (content[-300:-290], bytes(byte ^ 1 for byte in content[-300:-290]))
    error = await failure(open_store(place, patience=HASTY), film)
    assert error.trouble in {Trouble.CORRUPT, Trouble.WRONG_KEYS}


async def test_a_reader_that_is_cut_off_gets_the_rest(crossing, crossed, tmp_path):
    film = os.urandom(6_000_000)
    (tmp_path / "film").write_bytes(film)
    await crossed.put_file("a", tmp_path / "film")
    crossing.honest = True
    crossing.cut_after = 2_500_000
    got = b"".join([piece async for piece in crossed.stream("a", 10, 5_900_000)])
    assert (crossing.cut_after, got == film[10:5_900_000]) == (None, True)


async def test_a_server_that_dies_while_it_is_read_is_an_error_and_never_a_short_film(
    server, tmp_path, monkeypatch
):
    mortal = start_server(tmp_path / "root")
    (tmp_path / "root/films/a").write_bytes(bytes(80_000_000))
    monkeypatch.setenv("AWS_ENDPOINT_URL", mortal.endpoint)
    store = open_store("s3://films", patience=HASTY)
    stream = store.stream("a")
    await anext(stream)
    stop_server(mortal)
    with pytest.raises(ObjectStoreError):
        [piece async for piece in stream]
    await store.close()


async def test_a_server_that_dies_while_it_is_written_to_is_gone_on_with_after_its_return(
    server, tmp_path, monkeypatch
):
    mortal = start_server(tmp_path / "root")
    monkeypatch.setenv("AWS_ENDPOINT_URL", mortal.endpoint)
    store = open_store("s3://films", patience=HASTY)
    film = tmp_path / "film"
    film.write_bytes(os.urandom(8 * PART_BYTES))
    putting = asyncio.ensure_future(store.put_file("a", film))
    await asyncio.sleep(0.15)
    stop_server(mortal)
    with pytest.raises(ObjectStoreError) as failed:
        await putting
    assert failed.value.trouble in {Trouble.UNREACHABLE, Trouble.BROKEN}
    again = start_server(tmp_path / "root", mortal.port)
    try:
        with pytest.raises(NoSuchObjectError):
            await store.size("a")
        stored = await store.put_file("a", film)
        assert stored.sha256 == hashlib.sha256(film.read_bytes()).digest()
    finally:
        await store.close()
        stop_server(again)


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (301, "PermanentRedirect", Trouble.REGION),
        (400, "AuthorizationHeaderMalformed", Trouble.REGION),
        (403, "RequestTimeTooSkewed", Trouble.CLOCK),
        (403, "ExpiredToken", Trouble.WRONG_KEYS),
        (400, "BadDigest", Trouble.CORRUPT),
        (401, "", Trouble.WRONG_KEYS),
        (404, "NoSuchKey", Trouble.ABSENT),
        (418, "IAmATeapot", Trouble.BROKEN),
    ],
)
def test_what_a_store_says_is_put_into_words(status, code, trouble):
    error = refusal("a", status, f"<Error><Code>{code}</Code></Error>")
    assert error.trouble is trouble
    assert isinstance(error, NoSuchObjectError) is (trouble is Trouble.ABSENT)


def test_an_address_with_a_token_in_it_is_not_told():
    error = OSError("cannot GET https://acc.blob.core.windows.net/films/a?sig=SECRET&se=2030 now\nmore")
    assert first_line(error) == "cannot GET https://acc.blob.core.windows.net/films/a now"
