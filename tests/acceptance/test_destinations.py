"""Films go into customers' own buckets: once, under one name, with tries of their own."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from filmgate.objects.store import open_destination
from kit.databases import own_database
from kit.gates import RealGate
from kit.shelves import (
    THEIR_SECRETS,
    VENDORS,
    bought,
    destination_table,
    heavy_vendor,
    metric,
    program,
    vendor_settings,
    waited_for,
)
from kit.vendors import RunningVendor, start_vendor
from objects.crossing import Crossing, answer, crossing_beside
from objects.servers import KEY, SECRET, S3Server, start_server, stop_server

HEAVY_BYTES = 38_000_000
PARTS = 5
PART = "PUT .*partNumber="
SECRETS = {**THEIR_SECRETS, "VENDOR_KEY": "x"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("destinations")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Iterator[S3Server]:
    server = start_server(folder / "s3" / "root")
    yield server
    stop_server(server)


@pytest.fixture(scope="module")
def crossing(theirs: S3Server) -> Iterator[Crossing]:
    with crossing_beside(theirs.port) as crossing:
        yield crossing


@pytest.fixture(scope="module")
def vendors(folder: Path) -> Iterator[tuple[RunningVendor, RunningVendor]]:
    both = start_vendor(folder / "vendor", *VENDORS), heavy_vendor(folder / "heavy", HEAVY_BYTES)
    yield both
    for vendor in both:
        vendor.stop()


@pytest.fixture(scope="module")
def gate(
    folder: Path,
    crossing: Crossing,
    vendors: tuple[RunningVendor, RunningVendor],
    postgres: dict[str, Any],
) -> Iterator[RealGate]:
    endpoint = f"http://127.0.0.1:{crossing.port}"
    (folder / "filmgate.toml").write_text(
        vendor_settings("vendor", vendors[0], "sora-2")
        + vendor_settings("heavy", vendors[1], "sora-2-pro")
        + destination_table("everybody", endpoint)
        + destination_table("acme", endpoint, '["acme"]')
    )
    points = ("objects.deliver", "objects.part_sent", "objects.parts_sent", "ship.after_copy")
    armed = ";".join(f"{point}=kill:{folder}/{point}" for point in points)
    # The engine is a process of its own, so that only it dies.
    with own_database(postgres) as dsn:
        gate = RealGate(
            folder / "data",
            arguments=("--web-workers", "2"),
            environment={**SECRETS, "FILMGATE_DATABASE_URL": dsn, "FILMGATE_FAILPOINTS": armed},
        )
        gate.start()
        yield gate
        gate.kill()


@pytest.fixture(scope="module")
def acme(gate: RealGate) -> str:
    return gate.new_key("acme key", account="acme")


def shown(gate: RealGate, id_: str, key: str | None = None) -> list[Any]:
    found = gate.ask("GET", f"/gate/v1/tasks/{id_}", key=key or gate.key).json["deliveries"]
    return list(found)


def arrived(gate: RealGate, id_: str, key: str | None = None, within_s: float = 60.0) -> Any:
    def over() -> list[Any]:
        return [one for one in shown(gate, id_, key) if one["state"] == "delivered"]

    [found] = waited_for(over, gate, within_s)
    return found


def films(theirs: S3Server, folder: str) -> dict[str, int]:
    return {
        name: (theirs.root / "theirs" / name).stat().st_size
        for name in theirs.files("theirs")
        if name.startswith(f"{folder}/")
    }


async def put(theirs: S3Server, name: str, content: bytes | None) -> None:
    """Put something there, or remove it, as the bucket's owner does."""
    options = {"access_key_id": KEY, "secret_access_key": SECRET, "endpoint": theirs.endpoint}
    store = open_destination("s3://theirs", options)
    if content is None:
        await store.delete(name)
    else:
        await store.put_bytes(name, content)
    await store.close()


def test_a_large_film_arrives_once_and_whole_though_every_step_is_killed(
    gate: RealGate, theirs: S3Server, crossing: Crossing, folder: Path
) -> None:
    """The engine dies before the copy, after its first part, before its end, and after the copy."""
    id_ = bought(gate, model="sora-2-pro", deliver_to="everybody")
    task = gate.ended(id_, within_s=120)
    assert task["state"] == "succeeded", task
    found = arrived(gate, id_, within_s=120)
    marks = {"objects.deliver", "objects.part_sent", "objects.parts_sent", "ship.after_copy"}
    assert {path.name for path in folder.iterdir()} >= marks
    today = datetime.now(UTC).date().isoformat()
    assert re.fullmatch(rf"local/{today}/{id_}\.mp4", found["name"]), found
    assert films(theirs, "everybody") == {f"everybody/{found['name']}": HEAVY_BYTES}
    content = (theirs.root / "theirs/everybody" / found["name"]).read_bytes()
    assert content == gate.ask("GET", f"/gate/v1/tasks/{id_}/files/video.mp4", key=gate.key).body
    assert crossing.count(PART) <= 2 * PARTS
    assert (found["next_at"], found["trouble"], found["tries_most"]) == (None, None, 10)


def test_a_key_has_a_destination_that_a_request_may_leave_out(
    gate: RealGate, acme: str, theirs: S3Server
) -> None:
    keys = gate.ask("GET", "/admin/v1/keys", key="sk-admin").json["data"]
    [id_] = [key["id"] for key in keys if key["name"] == "acme key"]
    said = gate.ask(
        "POST", f"/admin/v1/keys/{id_}/destination", json_body={"destination": "acme"}, key="sk-admin"
    )
    assert (said.status, said.json) == (200, {"destination": "acme"})
    body = {"prompt": "a boat", "model": "sora-2", "seconds": 4, "size": "720x1280"}
    dialect = gate.ask("POST", "/openai/v1/videos", json_body={**body, "seconds": "4"}, key=acme)
    assert dialect.status == 200, dialect.body
    made = dialect.headers["x-filmgate-task"]
    found = arrived(gate, made, acme)
    assert found["destination"] == "acme"
    assert found["name"].startswith("acme_key/")
    assert list(films(theirs, "acme")) == [f"acme/{found['name']}"]
    without = gate.ask("POST", "/gate/v1/tasks", json_body={**body, "deliver_to": ""}, key=acme).json["id"]
    assert gate.ended(without, key=acme)["deliveries"] == []
    assert len(films(theirs, "acme")) == 1


def test_a_destination_that_is_not_there_or_not_theirs_is_refused_by_name(gate: RealGate, acme: str) -> None:
    body = {"prompt": "a boat", "model": "sora-2", "seconds": 4, "size": "720x1280"}
    for key, name, allowed in (
        (gate.key, "nowhere", "It may use `everybody`."),
        (gate.key, "acme", "It may use `everybody`."),
        (acme, "../acme", "It may use `acme`, `everybody`."),
    ):
        refused = gate.ask("POST", "/gate/v1/tasks", json_body={**body, "deliver_to": name}, key=key)
        error = refused.json["error"]
        assert (refused.status, error["code"]) == (400, "destination_not_found")
        assert error["message"].startswith("`deliver_to` names no destination that this account may use: ")
        assert error["message"].endswith(allowed)
    assert gate.ask("GET", "/gate/v1/destinations", key=acme).json == {"data": ["acme", "everybody"]}
    assert gate.ask("GET", "/gate/v1/destinations", key=gate.key).json == {"data": ["everybody"]}


def test_a_destination_that_refuses_delays_its_own_films_alone_and_tries_again(
    gate: RealGate, theirs: S3Server, crossing: Crossing
) -> None:
    crossing.answers = {"/theirs/everybody": answer("403 Forbidden", "AccessDenied")}
    try:
        id_ = bought(gate, deliver_to="everybody")
        assert gate.ended(id_)["state"] == "succeeded"
        [waits] = waited_for(lambda: [one for one in shown(gate, id_) if one["tries"]], gate)
        assert (waits["state"], waits["trouble"]) == ("due", "denied")
        tested = gate.ask("POST", "/admin/v1/destinations/everybody/test", key="sk-admin").json
        assert (tested["success"], tested["problem"]["step"], tested["problem"]["trouble"]) == (
            False, "write", "denied",
        )  # fmt: skip
        page = gate.ask("GET", "/admin/v1/destinations", key="sk-admin").json["data"]
        [one] = [one for one in page if one["name"] == "everybody"]
        assert (one["due"], one["trouble"]) == (1, "denied")
        doctor = program(gate, "doctor", environment={"FILMGATE_ADMIN_KEY": "sk-admin", **SECRETS})
        checks = json.loads(doctor.stdout)["checks"]
        said = [check for check in checks if check["name"] == "destination"]
        assert {check["found"].partition(":")[0]: check["verdict"] for check in said} == {
            "acme": "ok",
            "everybody": "warn",
        }
    finally:
        crossing.answers = {}
    # Nobody needs to wait for the next try.
    path = f"/gate/v1/tasks/{id_}/deliver"
    again = gate.ask("POST", path, json_body={"deliver_to": "everybody"}, key=gate.key)
    assert (again.status, again.json["deliveries"][0]["tries"]) == (200, 0)
    assert arrived(gate, id_)["tries"] == 1
    tested = gate.ask("POST", "/admin/v1/destinations/everybody/test", key="sk-admin").json
    assert (tested["success"], tested["problem"]) == (True, None)
    assert not [name for name in theirs.files("theirs") if "checks" in name]
    listed = gate.ask("GET", "/admin/v1/shipments?destination=everybody&limit=1", key="sk-admin").json
    assert [one["task_id"] for one in listed["data"]] == [id_]


async def test_a_film_is_delivered_again_under_the_same_name_when_it_is_asked_for(
    gate: RealGate, theirs: S3Server
) -> None:
    id_ = bought(gate, deliver_to="everybody")
    first = arrived(gate, id_)
    there = theirs.root / "theirs/everybody" / first["name"]
    await put(theirs, f"everybody/{first['name']}", None)
    assert not there.exists()
    path = f"/gate/v1/tasks/{id_}/deliver"
    again = gate.ask("POST", path, json_body={"deliver_to": "everybody"}, key=gate.key)
    assert (again.status, again.json["deliveries"][0]["state"]) == (200, "due")
    assert arrived(gate, id_)["name"] == first["name"]
    waited_for(there.exists, gate)
    wrong = gate.ask("POST", path, json_body={"deliver_to": "acme"}, key=gate.key)
    assert (wrong.status, wrong.json["error"]["code"]) == (400, "destination_not_found")
    other = gate.new_key("other", account="other")
    foreign = gate.ask("POST", path, json_body={"deliver_to": "everybody"}, key=other)
    assert (foreign.status, foreign.json["error"]["code"]) == (404, "task_not_found")


async def test_something_else_of_that_name_is_never_replaced(gate: RealGate, theirs: S3Server) -> None:
    id_ = bought(gate, deliver_to="")
    assert gate.ended(id_)["state"] == "succeeded"
    today = datetime.now(UTC).date().isoformat()
    there = theirs.root / "theirs/everybody/local" / today / f"{id_}.mp4"
    await put(theirs, f"everybody/local/{today}/{id_}.mp4", b"the customer's own")
    path = f"/gate/v1/tasks/{id_}/deliver"
    assert gate.ask("POST", path, json_body={"deliver_to": "everybody"}, key=gate.key).status == 200
    [waits] = waited_for(lambda: [one for one in shown(gate, id_) if one["tries"]], gate)
    assert (waits["state"], waits["trouble"]) == ("due", "taken")
    assert there.read_bytes() == b"the customer's own"


def test_no_secret_of_a_destination_is_shown_anywhere(gate: RealGate) -> None:
    settings = program(gate, "doctor", "--settings", environment=SECRETS).stdout
    assert "s3://theirs/acme" in settings
    told = gate.ask("GET", "/admin/v1/destinations", key="sk-admin").body.decode()
    for said in (settings, told, gate.log.read_text()):
        assert SECRET not in said
        assert KEY not in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('path = "../{id}.mp4"', "names no object"),
        ('path = "{secret}/{id}.mp4"', "knows no {secret}"),
        ('path = "film.mp4"', "needs {id}"),
        ('url = "ftp://theirs"', "write s3://"),
        ('credentials = { access_key_id = "env:THEIR_KEY" }', "needs credentials of its own"),
        ('credentials = { access_key_id = "in the clear" }', "credentials"),
        ('colour = "red"', "colour"),
    ],
)
def test_a_destination_that_cannot_be_meant_is_refused_at_start(tmp_path: Path, line: str, said: str) -> None:
    lines = {
        "name": 'name = "acme"',
        "url": 'url = "s3://theirs/acme"',
        "credentials": 'credentials = { access_key_id = "env:THEIR_KEY", secret_access_key = "env:THEIR_SECRET" }',
    }
    lines[line.partition(" ")[0]] = line
    (tmp_path / "filmgate.toml").write_text("\n".join(["[[destinations]]", *lines.values()]))
    gate = RealGate(tmp_path / "data", environment=SECRETS)
    gate.start(wait=False)
    assert gate.process is not None
    assert gate.process.wait(30) not in {0, 70}
    assert said in gate.log.read_text()


def test_the_log_names_tries_by_their_outcome(gate: RealGate) -> None:
    """The engine counts for itself; what it did stands in the log too."""
    events = [json.loads(line) for line in gate.log.read_text().splitlines() if line.startswith("{")]
    words = {event.get("event", "") for event in events}
    assert words >= {"shipment.delivered", "shipment.retried"}
    assert metric(gate, "filmgate_storage_up") == 1.0
