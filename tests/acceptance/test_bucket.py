"""Gates and workers whose films lie in a real bucket, which may refuse, hang and go away."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from openai import OpenAI

from kit.gates import RealGate
from kit.shelves import (
    VENDORS,
    bought,
    bucket_settings,
    heavy_vendor,
    metric,
    program,
    vendor_settings,
    waited_for,
)
from kit.sites import Site, open_site
from kit.vendors import RunningVendor, start_vendor
from objects.crossing import Crossing, answer, crossing_beside
from objects.servers import S3Server, start_server, stop_server

HEAVY_BYTES = 38_000_000
PARTS = 5
PART = "PUT .*partNumber="
UP = "filmgate_storage_up"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bucket")


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[list[S3Server]]:
    """The server of the moment, which tests may end and start again."""
    servers = [start_server(folder / "s3" / "root")]
    yield servers
    stop_server(servers[-1])


@pytest.fixture(scope="module")
def crossing(bucket: list[S3Server]) -> Iterator[Crossing]:
    with crossing_beside(bucket[0].port) as crossing:
        yield crossing


@pytest.fixture(scope="module")
def vendor(folder: Path) -> Iterator[RunningVendor]:
    vendor = start_vendor(folder / "vendor", *VENDORS)
    yield vendor
    vendor.stop()


@pytest.fixture(scope="module")
def heavy(folder: Path) -> Iterator[RunningVendor]:
    vendor = heavy_vendor(folder / "heavy", HEAVY_BYTES)
    yield vendor
    vendor.stop()


@pytest.fixture(scope="module")
def site(
    folder: Path,
    postgres: dict[str, Any],
    crossing: Crossing,
    vendor: RunningVendor,
    heavy: RunningVendor,
    pictures: str,
) -> Iterator[Site]:
    with open_site(folder, postgres) as site:
        site.environment |= bucket_settings(f"http://127.0.0.1:{crossing.port}")
        site.environment["FILMGATE_GUARD_ALLOW"] = pictures.removeprefix("http://")
        site.say(vendor_settings("vendor", vendor, "sora-2") + vendor_settings("heavy", heavy, "sora-2-pro"))
        yield site


@pytest.fixture(scope="module")
def gate(site: Site) -> RealGate:
    """The web alone; films are made by the worker."""
    return site.gate("gate", FILMGATE_WORKER="false")


@pytest.fixture(scope="module")
def worker(site: Site, gate: RealGate, folder: Path) -> RealGate:
    points = ("part_sent", "parts_sent", "completed")
    armed = ";".join(f"objects.{point}=kill:{folder}/{point}" for point in points)
    return site.worker("worker", FILMGATE_FAILPOINTS=armed)


@pytest.fixture(scope="module")
def film(gate: RealGate, worker: RealGate, pictures: str) -> Any:
    """A film that was drawn from a picture, on another data folder than it is read from."""
    del worker
    task = gate.ended(gate.make(image=f"{pictures}/image.png"))
    assert task["state"] == "succeeded", task
    return task


def test_a_film_is_read_whole_by_range_and_by_head_where_it_was_not_made(
    gate: RealGate, worker: RealGate, film: Any, bucket: list[S3Server]
) -> None:
    path = f"/gate/v1/tasks/{film['id']}/files/video.mp4"
    whole = gate.ask("GET", path, key=gate.key)
    assert (whole.status, len(whole.body)) == (200, film["film"]["size_bytes"])
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.body).hexdigest()}"'
    part = gate.ask("GET", path, headers={"Range": "bytes=100-299"}, key=gate.key)
    assert (part.status, part.body) == (206, whole.body[100:300])
    last = gate.ask("GET", path, headers={"Range": "bytes=-7"}, key=gate.key)
    assert (last.status, last.body) == (206, whole.body[-7:])
    head = gate.ask("HEAD", path, key=gate.key)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(whole.body)))
    thumbnail = gate.ask("GET", film["urls"]["thumbnail"])
    assert (thumbnail.status, thumbnail.headers["content-type"]) == (200, "image/webp")
    roles = {Path(name).parts[1] for name in bucket[0].files()}
    assert roles >= {"tasks"}
    for one in (gate, worker):
        assert not (one.data / "objects").exists()


def test_a_film_in_the_bucket_is_gone_on_from_and_its_picture_lies_there_too(
    gate: RealGate, film: Any, site: Site
) -> None:
    taken = {"task_id": film["id"], "model": "animatic", "prompt": "it goes on", "size": "640x360"}
    made = gate.ask("POST", "/v1/video/extend", json_body=taken, key=gate.key)
    assert made.status == 200, made.body
    assert gate.ended(made.json["id"], within_s=120)["state"] == "succeeded"
    rows = site.sql(f"select role, object_key from film.files where task_id = '{film['id']}' order by role")  # noqa: S608  # an id of ours
    assert [row["role"] for row in rows] == [
        "filmstrip",
        "input",
        "poster",
        "spritesheet",
        "thumbnail",
        "video",
    ]


def test_rows_and_objects_say_the_same(gate: RealGate, film: Any, site: Site) -> None:
    del film
    compared = gate.ask("POST", "/admin/v1/storage/compare", key="sk-admin").json
    nothing = {"total": 0, "keys": []}
    names = ("rows_without_object", "objects_without_row", "objects_of_other_size")
    assert ([compared[name] for name in names], compared["complete"]) == ([nothing] * 3, True)
    assert compared["rows"] == site.sql("select count(*) from film.files")[0]["count"]
    shown = gate.ask("GET", "/admin/v1/storage", key="sk-admin").json
    assert (shown["place"], shown["failing"], shown["free_bytes"]) == ("s3://films/gate", None, None)
    assert gate.ask("GET", "/admin/v1/storage", key=gate.key).status == 403


def test_an_upload_that_was_killed_at_each_of_its_steps_is_one_whole_film(
    gate: RealGate, worker: RealGate, crossing: Crossing, folder: Path, bucket: list[S3Server]
) -> None:
    """Parts that were acknowledged are not sent again; those that were on their way when it died are.

    It dies three times, and all parts are on their way at once.
    """
    before, sent = len(bucket[0].files()), crossing.count(PART)
    task = gate.ended(bought(gate, model="sora-2-pro"), within_s=180)
    assert task["state"] == "succeeded", task
    assert [attempt["state"] for attempt in task["attempts"]] == ["done"]
    assert {path.name for path in folder.iterdir()} >= {"part_sent", "parts_sent", "completed"}
    whole = gate.ask("GET", f"/gate/v1/tasks/{task['id']}/files/video.mp4", key=gate.key)
    assert len(whole.body) == task["film"]["size_bytes"] == HEAVY_BYTES
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.body).hexdigest()}"'
    # The film, and the four pictures that show what is in it.
    assert len(bucket[0].files()) - before == 5
    assert crossing.count(PART) - sent < 3 * PARTS
    del worker


@pytest.fixture(scope="module")
def direct(site: Site, gate: RealGate) -> RealGate:
    """Another web on the same site, which leads its readers to the bucket."""
    del gate
    return site.gate("direct", FILMGATE_WORKER="false", FILMGATE_BUCKET_LINKS="true")


def redirected(gate: RealGate, path: str, *words: str) -> tuple[int, dict[str, str], str]:
    """Ask without following; give status, headers and body."""
    command = [
        "curl",
        "-s",
        "-D",
        "-",
        "-H",
        f"Authorization: Bearer {gate.key}",
        *words,
        gate.base_url + path,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    head, _, body = said.partition("\n\n") if "\r\n" not in said else said.partition("\r\n\r\n")
    lines = head.splitlines()
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:]), body


def test_readers_are_led_to_the_bucket_for_no_longer_than_their_link(
    gate: RealGate, direct: RealGate, film: Any, tmp_path: Path
) -> None:
    path = f"/gate/v1/tasks/{film['id']}/files/video.mp4"
    whole = gate.ask("GET", path, key=gate.key).body
    status, headers, body = redirected(direct, path)
    asked = parse_qs(urlsplit(headers["location"]).query)
    assert (status, body, headers["cache-control"]) == (302, "", "private, no-store")
    assert int(asked["x-amz-expires"][0]) <= 3600
    assert "authorization" not in headers
    head = direct.ask("HEAD", path, key=gate.key)
    assert (head.status, head.headers["content-length"]) == (200, str(len(whole)))
    signed = direct.ask("GET", f"/gate/v1/tasks/{film['id']}", key=gate.key).json["urls"]["video"]
    for address, words in (
        (direct.base_url + path, ["-H", f"Authorization: Bearer {gate.key}"]),
        (signed, []),
    ):
        for name, more, wanted in (("all", [], whole), ("part", ["-r", "100-299"], whole[100:300])):
            there = tmp_path / name
            subprocess.run(["curl", "-sSfL", *words, *more, "-o", there, address], check=True)
            assert there.read_bytes() == wanted, address
    # A page of the gate may read from the gate alone.
    page = direct.ask("GET", path, key=gate.key, headers={"Sec-Fetch-Site": "same-origin"})
    assert (page.status, page.body) == (200, whole)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_client_follows_to_the_bucket(gate: RealGate, direct: RealGate, film: Any) -> None:
    whole = gate.ask("GET", f"/gate/v1/tasks/{film['id']}/files/video.mp4", key=gate.key).body
    with OpenAI(base_url=f"{direct.base_url}/v1", api_key=gate.key) as client:
        assert client.videos.download_content(film["id"]).read() == whole


def denied(crossing: Crossing, bucket: list[S3Server]) -> None:
    del bucket
    crossing.answers = {"": answer("403 Forbidden", "AccessDenied")}


def broken(crossing: Crossing, bucket: list[S3Server]) -> None:
    del bucket
    crossing.answers = {"": answer("500 Internal Server Error", "InternalError")}


def hanging(crossing: Crossing, bucket: list[S3Server]) -> None:
    del crossing
    os.kill(bucket[-1].process.pid, signal.SIGSTOP)


def gone(crossing: Crossing, bucket: list[S3Server]) -> None:
    del crossing
    stop_server(bucket[-1])


def heal(crossing: Crossing, bucket: list[S3Server]) -> None:
    crossing.answers = {}
    if bucket[-1].process.poll() is None:
        os.kill(bucket[-1].process.pid, signal.SIGCONT)
    else:
        bucket.append(start_server(bucket[-1].root, bucket[-1].port))


@pytest.mark.parametrize(
    ("harm", "trouble", "said"),
    [
        (denied, "denied", "the store does not allow this to the credentials in use"),
        (broken, "broken", "the store refused"),
        pytest.param(hanging, "slow", "the store did not answer in time", marks=pytest.mark.slow),
        (gone, "", "the store"),
    ],
    ids=["denied", "broken", "hanging", "gone"],
)
def test_while_a_bucket_refuses_films_wait_and_nothing_is_bought(
    site: Site,
    gate: RealGate,
    worker: RealGate,
    vendor: RunningVendor,
    crossing: Crossing,
    bucket: list[S3Server],
    harm: Any,
    trouble: str,
    said: str,
) -> None:
    def troubles() -> set[str]:
        lines = worker.log.read_text().splitlines()[logged:]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return {event["error_code"] for event in events if event.get("event") == "store.failing"}

    logged = len(worker.log.read_text().splitlines())
    harm(crossing, bucket)
    try:
        first = bought(gate)
        # Made and paid before anybody could know, it waits at the gate's door.
        waited_for(troubles, worker, within_s=90)
        assert said in program(gate, "doctor", environment=site.environment).stdout
        bills = len(vendor.events("accepted"))
        second = bought(gate)
        waited_for(lambda: gate.ask("GET", f"/gate/v1/tasks/{first}", key=gate.key).status == 200, gate)
        shown = [gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json for id_ in (first, second)]
        assert [task["ended_at"] for task in shown] == [None, None]
        assert shown[1]["state"] == "queued"
        assert len(vendor.events("accepted")) == bills
    finally:
        heal(crossing, bucket)
    tasks = [gate.ended(id_, within_s=150) for id_ in (first, second)]
    assert [task["state"] for task in tasks] == ["succeeded", "succeeded"]
    assert [len(task["attempts"]) for task in tasks] == [1, 1]
    assert {trouble or next(iter(troubles()))} <= troubles()
    assert "store.well" in "".join(worker.log.read_text().splitlines()[logged:])


def test_a_gate_that_meets_a_refusing_bucket_starts_says_so_and_mends_by_itself(
    site: Site, gate: RealGate, film: Any, crossing: Crossing, bucket: list[S3Server]
) -> None:
    path = f"/gate/v1/tasks/{film['id']}/files/video.mp4"
    whole = gate.ask("GET", path, key=gate.key).body
    denied(crossing, bucket)
    try:
        late = site.gate("late", wait=False, FILMGATE_WORKER="false")
        waited_for(lambda: _waiting(late), late)
        told = late.ask("GET", "/readyz")
        assert (told.status, "does not allow this" in told.json["objects"]) == (200, True)
        assert "films cannot be stored now (write)" in late.log.read_text()
        assert metric(late, UP) == 0.0
        refused = late.ask("GET", path, key=gate.key)
        assert (refused.status, refused.json["error"]["code"]) == (503, "files_unavailable")
        assert refused.headers["retry-after"] == "5"
        denied_counts = metric(late, 'filmgate_storage_failures_total{trouble="denied"}')
        assert denied_counts >= 1.0
    finally:
        heal(crossing, bucket)
    waited_for(lambda: not _waiting(late), late)
    assert late.ask("GET", path, key=gate.key).body == whole
    assert metric(late, UP) == 1.0


def _waiting(gate: RealGate) -> bool:
    try:
        return "objects" in gate.ask("GET", "/readyz").json
    except OSError:
        return False
