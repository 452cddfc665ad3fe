"""A disk without room for films: nothing new is taken, everything else goes on, and it ends by itself."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.gates import RealGate
from kit.shelves import program, waited_for

DISK = "260m"
FILLER_BYTES = 80_000_000


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own for films; whoever may mount none does without this test."""
    folder = tmp_path_factory.mktemp("disk") / "films"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("this user may mount nothing")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def gate(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGate]:
    data = tmp_path_factory.mktemp("crowded") / "data"
    gate = RealGate(data, environment={"FILMGATE_OBJECTS_URL": str(disk)})
    gate.start()
    yield gate
    gate.kill()


def test_a_full_disk_stops_new_films_alone_and_ends_by_itself(gate: RealGate, disk: Path) -> None:
    task = gate.ended(gate.make())
    assert task["state"] == "succeeded", task
    path = f"/gate/v1/tasks/{task['id']}/files/video.mp4"
    whole = gate.ask("GET", path, key=gate.key).body
    filler = disk / "filler"
    filler.write_bytes(bytes(FILLER_BYTES))
    body = {"prompt": "a boat", "model": "animatic", "seconds": 1, "size": "640x360"}
    for address, said in (("/gate/v1/tasks", body), ("/openai/v1/videos", {**body, "seconds": "1"})):
        refused = gate.ask("POST", address, json_body=said, key=gate.key)
        error = refused.json["error"]
        assert (refused.status, error["code"], refused.headers["retry-after"]) == (503, "no_room", "60")
    assert gate.ask("GET", path, key=gate.key).body == whole
    assert gate.ask("GET", f"/gate/v1/tasks/{task['id']}", key=gate.key).status == 200
    ready = gate.ask("GET", "/readyz")
    assert (ready.status, "bytes are free where films are kept" in ready.json["objects"]) == (200, True)
    doctor = program(gate, "doctor", environment={"FILMGATE_ADMIN_KEY": "sk-admin"})
    assert doctor.returncode == 1
    assert "bytes are free where films are kept" in doctor.stdout
    filler.unlink()
    assert gate.ask("GET", "/readyz").status == 200
    again = gate.make(prompt="a boat --sandbox=fail")
    assert gate.ended(again)["state"] == "failed"


def test_a_disk_that_fills_while_a_film_is_made_keeps_the_film_waiting(gate: RealGate, disk: Path) -> None:
    filler = disk / "filler"
    id_ = gate.make(prompt="a boat --sandbox=slow:3")
    filler.write_bytes(bytes(FILLER_BYTES))

    def waits() -> bool:
        return '"storage"' in gate.log.read_text() or _state(gate, id_) == "collecting"

    waited_for(waits, gate)
    assert _state(gate, id_) != "succeeded"
    filler.unlink()
    task = gate.ended(id_)
    assert (task["state"], len(task["attempts"])) == ("succeeded", 1)


def _state(gate: RealGate, id_: str) -> str:
    return str(gate.ask("GET", f"/gate/v1/tasks/{id_}", key=gate.key).json["state"])
