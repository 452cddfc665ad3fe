"""Prices, costs and the ledger as operators see them, on a gate with a vendor of its own."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit.gates import Answer, RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

COMING = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
COSTS = """
costs = [
    { models = "sora-2", per_clip = 0.05 },
]
"""
PRICES = f"""
[[prices]]
models = "sora-2"
since = 2025-06-01
per_second = {{ 720p = 0.20, 1080p = 0.50 }}
[[prices]]
models = "sora-2"
since = {COMING}
per_second = {{ 720p = 0.30 }}
[[prices]]
models = "sora-2-pro"
since = 2025-06-01
per_second = {{ 720p = 0.001 }}
[[prices]]
models = "house-film"
since = {COMING}
per_second = {{ 720p = 0.001 }}
"""
CATALOGUE = """
[[models]]
name = "house-film"
offers = { gate = "animatic" }
"""
# What a spreadsheet would run.
NAME = '=HYPERLINK("http://x","y"), \u00fc'


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVendor]:
    vendor = start_vendor(tmp_path_factory.mktemp("vendor"))
    yield vendor
    vendor.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, vendor: RunningVendor) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("shop")
    tables = provider_table("relay", vendor, "{ idempotent = true }") + COSTS
    routes = (
        route_table("sora-2", "relay")
        + route_table("sora-2-pro", "relay")
        + route_table("house-film", "relay")
    )
    (folder / "filmgate.toml").write_text(PRICES + tables + routes)
    gate = RealGate(
        folder / "data", environment={"VENDOR_KEY": "vendor", "FILMGATE_GUARD_ALLOW": vendor.base_url}
    )
    gate.start()
    yield gate
    assert gate.stop() == 0


def asked(gate: RealGate, path: str) -> Answer:
    return gate.ask("GET", f"/admin/v1/{path}", key="sk-admin")
