"""A provider that calls when a job has ended is asked at once; what it says is never believed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from kit.databases import own_database
from kit.gates import RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

TAKES_S = 2
# Nobody would ask before that by himself.
PATIENCE_S = 30


@pytest.fixture(scope="module")
def vendors(
    tmp_path_factory: pytest.TempPathFactory, postgres: dict[str, Any]
) -> Iterator[tuple[RealGate, RunningVendor]]:
    """A gate with a vendor that wants to be asked twice a minute, and calls."""
    folder = tmp_path_factory.mktemp("callbacks")
    with own_database(postgres) as dsn:
        gate = RealGate(folder / "data", environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "x"})
        calls = f"{gate.base_url}/callbacks/called/{{id}}"
        manners = ["--takes", str(TAKES_S), "--poll-after", str(PATIENCE_S), "--idempotent"]
        vendor = start_vendor(folder / "vendor", *manners, "--callback", calls)
        (folder / "filmgate.toml").write_text(
            provider_table("called", vendor, "{ idempotent = true }") + route_table("sora-2", "called")
        )
        gate.start()
        yield gate, vendor
        gate.stop()
        vendor.stop()


def test_a_call_ends_the_wait_for_the_next_poll(vendors: tuple[RealGate, RunningVendor]) -> None:
    gate, vendor = vendors
    began = time.monotonic()
    id_ = gate.make(model="sora-2", seconds=4, size="720x1280")
    task = gate.ended(id_)
    assert task["state"] == "succeeded", task
    assert time.monotonic() - began < TAKES_S + 6
    [called] = vendor.events("called")
    assert called["status"] == 204


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/callbacks/called/video_nobody_has", b"", 204),
        ("/callbacks/nobody/x", b"", 204),
        ("/callbacks/called/" + "x" * 400, b"", 204),
        ("/callbacks/called/%00", b"", 204),
        ("/callbacks/called", b'{"data": {"id": "x"}}', 204),
        ("/callbacks/called", b'{"data": {"id": {"a": 1}}}', 204),
        ("/callbacks/called", b'{"data": "x"}', 204),
        ("/callbacks/called", b"[1]", 400),
        ("/callbacks/called", b"{", 400),
    ],
)
def test_a_call_about_nothing_is_taken_and_changes_nothing(
    vendors: tuple[RealGate, RunningVendor], path: str, body: bytes, status: int
) -> None:
    gate, _ = vendors
    headers = {"Content-Type": "application/json"}
    assert gate.ask("POST", path, body=body, headers=headers).status == status
    assert gate.ask("GET", path).status in {404, 405}


def test_a_call_that_lies_makes_a_job_be_asked_for_and_no_more(
    vendors: tuple[RealGate, RunningVendor],
) -> None:
    gate, _ = vendors
    id_ = gate.make(model="sora-2", seconds=4, size="720x1280", prompt="a boat --mirage=callback-early")
    task = gate.ended(id_)
    assert (task["state"], task["cost_micros"] is not None) == ("succeeded", True)
