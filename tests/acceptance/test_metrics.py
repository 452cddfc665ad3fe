"""What `/metrics` shows is what its page says, and each process of the gate shows the same."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from filmgate.metrics import METERS
from kit.gates import RealGate

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
NOT_YET = {"filmgate_eta_covered", "filmgate_webhook_deliveries", "filmgate_notices"}
NOT_YET |= {"filmgate_store_outages", "filmgate_storage_failures", "filmgate_storage_swept"}
NOT_YET |= {"filmgate_delivery_duration_seconds", "filmgate_quote_difference_ratio"}

Samples = Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]


def scraped(gate: RealGate) -> Samples:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(gate.ask("GET", "/metrics").body.decode()):
        for sample in family.samples:
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            found.setdefault(family.name, {})[labels] = sample.value
    return found


@pytest.fixture
def busy(gate: RealGate, film_id: str) -> Iterator[None]:
    """One film that is made, and one that waits for it; a third has been made."""
    assert film_id
    key = gate.new_key("busy", account="busy", max_running=1)
    asked = {"prompt": "a boat --sandbox=slow:60", "model": "animatic", "seconds": 1, "size": "640x360"}
    made = [gate.ask("POST", "/gate/v1/tasks", json_body=asked, key=key).json["id"] for _ in range(2)]
    give_up = time.monotonic() + 30
    while gate.ask("GET", f"/gate/v1/tasks/{made[0]}", key=key).json["started_at"] is None:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    # A scrape is shown again for two seconds.
    time.sleep(2.1)
    # A gate that has just begun has not compared its clock yet.
    while "filmgate_clock_offset_seconds" not in scraped(gate):
        assert time.monotonic() < give_up
        time.sleep(0.5)
    yield
    for id_ in made:
        gate.ask("POST", f"/gate/v1/tasks/{id_}/cancel", key=key)


@pytest.mark.usefixtures("busy")
def test_what_is_shown_is_what_the_page_says(gate: RealGate) -> None:
    rows = re.findall(
        r"^\| `([a-z_]+?)(?:_total)?` \| (\w+) \| (.*?) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    page = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert page == {meter.name: (str(meter.kind), set(meter.labels)) for meter in METERS.values()}
    shown = scraped(gate)
    assert set(shown) - set(page) == set()
    # Of what nothing has happened there is nothing to show.
    assert set(page) - set(shown) <= NOT_YET
    for name, samples in shown.items():
        assert {frozenset(k for k, _ in labels) for labels in samples} == {frozenset(page[name][1])}, name
    queued, drawn = (
        (("phase", "queued"), ("provider", "animatic")),
        (("phase", "generating"), ("provider", "animatic")),
    )
    assert shown["filmgate_tasks_active"] == {queued: 1, drawn: 1}
    assert shown["filmgate_queue_depth"] == {(("provider", "animatic"),): 1}
    assert 2 < shown["filmgate_queue_oldest_age_seconds"][("provider", "animatic"),] < 60


def test_no_key_prompt_or_id_is_in_a_label(gate: RealGate, film_id: str) -> None:
    text = gate.ask("GET", "/metrics").body.decode()
    assert film_id not in text
    assert gate.key not in text
    assert "paper boat" not in text


def test_the_books_are_even_and_the_engine_is_alive(gate: RealGate, film_id: str) -> None:
    assert film_id
    shown = scraped(gate)
    assert shown["filmgate_ledger_imbalance_micros"] == {(): 0}
    assert shown["filmgate_store_up"] == {(): 1}
    assert shown["filmgate_workers"] == {(): 1}
    assert shown["filmgate_worker_heartbeat_age_seconds"][()] < 30
    assert shown["filmgate_provider_up"][("provider", "animatic"),] == 1
    assert shown["filmgate_storage_bytes"][("kind", "video"),] > 0


def test_whichever_process_answers_tells_of_all_of_them(tmp_path: Path, dsn: str) -> None:
    gate = RealGate(
        tmp_path / "data", arguments=("--web-workers", "2"), environment={"FILMGATE_DATABASE_URL": dsn}
    )
    gate.start()
    try:
        for _ in range(8):
            gate.make(prompt="a boat --sandbox=fail")
        name, labels = "filmgate_tasks_accepted", (("dialect", "gate"), ("model", "animatic"))
        give_up = time.monotonic() + 40
        while True:
            counts = {scraped(gate).get(name, {}).get(labels, 0) for _ in range(8)}
            if counts == {8}:
                break
            assert time.monotonic() < give_up, counts
            time.sleep(1)
    finally:
        gate.kill()


def test_a_film_that_a_trial_makes_is_counted_like_any_other(gate: RealGate) -> None:
    name, labels = "filmgate_tasks_accepted", (("dialect", "gate"), ("model", "animatic"))
    # A scrape is shown again for two seconds.
    time.sleep(2.1)
    before = scraped(gate).get(name, {}).get(labels, 0)
    tested = gate.ask("POST", "/admin/v1/providers/animatic/test", json_body={"real": True}, key="sk-admin")
    id_ = tested.json["task_id"]
    gate.ask("POST", f"/admin/v1/tasks/{id_}/cancel", key="sk-admin")
    time.sleep(2.1)
    assert scraped(gate)[name][labels] - before == 1
    told = [line for line in gate.log.read_text().splitlines() if "task.accepted" in line and id_ in line]
    assert len(told) == 1
