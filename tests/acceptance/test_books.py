"""Prices, costs and the ledger as operators see them, on a gate with a vendor of its own."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from kit.databases import own_database
from kit.gates import Answer, RealGate
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

COMING = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
COSTS = 'costs = [{ models = "sora-2", per_clip = 0.05 }]\n'
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
owner = "house"
about = "Not sold yet."
created = 1761004800
offers = { gate = "openai-sora" }
"""
# What a spreadsheet would run.
NAME = '=HYPERLINK("http://x","y"), \u00fc'


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVendor]:
    vendor = start_vendor(tmp_path_factory.mktemp("vendor"))
    yield vendor
    vendor.stop()


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, vendor: RunningVendor, postgres: dict[str, Any]
) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("shop")
    tables = provider_table("relay", vendor, "{ idempotent = true }") + COSTS
    routes = (
        route_table("sora-2", "relay")
        + route_table("sora-2-pro", "relay")
        + route_table("house-film", "relay")
    )
    (folder / "models.toml").write_text(CATALOGUE)
    (folder / "filmgate.toml").write_text('catalogue = "models.toml"\n' + PRICES + tables + routes)
    with own_database(postgres) as dsn:
        gate = RealGate(folder / "data", environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "vendor"})
        gate.start()
        yield gate
        assert gate.stop() == 0


def asked(gate: RealGate, path: str) -> Answer:
    return gate.ask("GET", f"/admin/v1/{path}", key="sk-admin")


@pytest.fixture(scope="module")
def films(shop: RealGate) -> dict[str, Any]:
    """A film that leaves something, and one that costs more than it brings; by a key with a name of its own."""
    key = shop.new_key(NAME, account="studio")
    ended = {}
    for model in ("sora-2", "sora-2-pro"):
        body = {"model": model, "prompt": "a boat", "seconds": 4, "size": "1280x720"}
        made = shop.ask("POST", "/gate/v1/tasks", json_body=body, key=key)
        assert made.status == 201, made.body
        ended[model] = shop.ended(made.json["id"], key=key)
        assert ended[model]["state"] == "succeeded"
    return ended


def test_prices_show_what_holds_what_comes_what_is_paid_and_what_is_not_sold(shop: RealGate) -> None:
    page = asked(shop, "prices").json
    by_model = {one["model"]: one for one in page["data"]}
    assert page["unpriced"] == ["house-film"]
    assert by_model["house-film"]["price"] is None
    sora = by_model["sora-2"]
    assert sora["price"] == {
        "since": "2025-06-01",
        "per_second_micros": {"720p": 200_000, "1080p": 500_000},
        "silent_micros": {},
        "eight_seconds_micros": {"720p": 1_600_000, "1080p": 4_000_000},
    }
    assert [(one["since"], one["per_second_micros"]) for one in sora["coming"]] == [
        (COMING, {"720p": 300_000})
    ]
    assert sora["costs"] == [
        {
            "provider": "relay",
            "model": "sora-2",
            "since": "2000-01-01",
            "per_clip_micros": 50_000,
            "per_second_micros": {},
            "eight_seconds_micros": {"720p": 50_000, "1080p": 50_000},
            "margin_micros": {"720p": 1_550_000, "1080p": 3_950_000},
        }
    ]


def test_a_model_without_a_price_is_not_sold(shop: RealGate) -> None:
    body = {"model": "house-film", "prompt": "a boat", "seconds": 4, "size": "1280x720"}
    for path in ("/gate/v1/tasks", "/gate/v1/quote"):
        refused = shop.ask("POST", path, json_body=body, key=shop.key)
        assert (refused.status, refused.json["error"]["code"]) == (400, "no_price")
        assert refused.json["error"]["details"]["exit_code"] == 5
    models = {one["name"]: one for one in shop.ask("GET", "/gate/v1/models", key=shop.key).json["data"]}
    assert (models["house-film"]["available"], models["sora-2"]["available"]) == (False, True)


def test_sums_show_charged_returned_cost_and_margin(shop: RealGate, films: dict[str, Any]) -> None:
    assert {task["cost_micros"] for task in films.values()} == {800_000, 4_000}
    found = asked(shop, "ledger?sum_by=key,model,provider,day").json
    assert found["sum_by"] == ["key", "model", "provider", "day"]
    rows = {row["model"]: row for row in found["data"]}
    today = datetime.now(UTC).date().isoformat()
    assert rows["sora-2"] | {"key_id": 0} == {
        "account": None, "key_id": 0, "key": NAME, "model": "sora-2", "provider": "relay", "day": today, "films": 1,
        "charged_micros": 800_000, "returned_micros": 0, "cost_micros": 50_000, "margin_micros": 750_000,
        "perhaps_micros": 0, "unpriced_attempts": 0,
    }  # fmt: skip
    assert (rows["sora-2-pro"]["charged_micros"], rows["sora-2-pro"]["margin_micros"]) == (4_000, -46_000)
    total = found["total"]
    assert (total["films"], total["charged_micros"], total["cost_micros"]) == (2, 804_000, 100_000)
    assert asked(shop, f"ledger?to={today}").json == {"sum_by": [], "data": [], "total": None}


def test_a_film_that_costs_more_than_it_held_is_a_notice(shop: RealGate, films: dict[str, Any]) -> None:
    notices = asked(shop, "notices?kind=house_loss").json["data"]
    assert [one["task_id"] for one in notices] == [films["sora-2-pro"]["id"]]
    assert notices[0]["text"].startswith("vendors are paid $0.05 for it, and $0.0040 is what it held")


def test_the_export_is_whole_in_both_forms_and_no_name_is_a_formula(
    shop: RealGate, films: dict[str, Any]
) -> None:
    lines = asked(shop, "ledger/export?format=json")
    assert lines.headers["content-type"] == "application/x-ndjson"
    entries = [json.loads(line) for line in lines.body.decode().splitlines()]
    assert sum(entry["amount_micros"] for entry in entries) == 0
    mine = [entry for entry in entries if entry["task_id"] == films["sora-2"]["id"]]
    assert [(entry["kind"], entry["amount_micros"], entry["key"]) for entry in mine] == [
        ("hold", -800_000, NAME), ("hold", 800_000, NAME), ("close", -800_000, NAME), ("close", 800_000, NAME),
    ]  # fmt: skip
    page = asked(shop, "ledger/export?format=csv")
    assert page.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="ledger-begin-now.csv"' in page.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(page.body.decode(), newline="")))
    assert [int(row["amount_micros"]) for row in rows] == [entry["amount_micros"] for entry in entries]
    assert {row["key"] for row in rows} == {f"'{NAME}"}
    assert {row["at"] for row in rows} == {entry["at"] for entry in entries}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ledger?from=2026-02-01&to=2026-01-01", "to"),
        ("ledger?from=2026-02-31", "from"),
        ("ledger?from=yesterday", "from"),
        ("ledger?sum_by=colour", "sum_by"),
        ("ledger?sum_by=key,key", "sum_by"),
        ("ledger/export?format=xls", "format"),
        ("ledger/export?to=0", "to"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(shop: RealGate, query: str, field: str) -> None:
    if query.endswith("to=0"):
        query = query.replace("to=0", "from=2026-01-01&to=2026-01-01")
    answer = asked(shop, query)
    assert answer.status in {400, 422}, answer.body
    assert answer.json["error"]["details"]["field"] == field


def test_only_operators_read_the_books(shop: RealGate) -> None:
    for path in ("prices", "ledger", "ledger/check", "ledger/export"):
        assert shop.ask("GET", f"/admin/v1/{path}", key=shop.key).status == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "accounts/studio", {"credit_micros": -1}, "credit_micros"),
        ("PATCH", "accounts/studio", {"budget_micros": 10**30}, "budget_micros"),
        ("PATCH", "accounts/studio", {"budget_micros": "5"}, "budget_micros"),
        ("PATCH", "accounts/studio", {"budget_micros": 0.5}, "budget_micros"),
        ("PATCH", "accounts/studio", {"submits_per_minute": 0}, "submits_per_minute"),
        ("PATCH", "accounts/studio", {"max_running": -1}, "max_running"),
        ("PATCH", "accounts/studio", {"budget_period": "year"}, "budget_period"),
        ("POST", "accounts/studio/topup", {"amount_micros": 10**30, "reason": "x"}, "amount_micros"),
        ("POST", "accounts/studio/topup", {"amount_micros": 1.5, "reason": "x"}, "amount_micros"),
        ("POST", "accounts/studio/topup", {"amount_micros": 5}, "reason"),
        ("POST", "keys", {"name": "k", "budget_micros": -1}, "budget_micros"),
        ("POST", "keys", {"name": "k", "max_unfinished": 0}, "max_unfinished"),
        ("POST", "keys", {"name": "k", "submits_per_minute": True}, "submits_per_minute"),
        ("PATCH", "keys/studio", {"budget_micros": -1}, "budget_micros"),
        ("PATCH", "keys/studio", {"max_running": 0}, "max_running"),
        ("PATCH", "keys/studio", {"strict": None}, "strict"),
        ("PATCH", "keys/studio", {"over_limit": None}, "over_limit"),
        ("PATCH", "keys/studio", {"expires_at": "soon"}, "expires_at"),
        ("PATCH", "keys/studio", {"expires_at": 30}, "expires_at"),
        ("PATCH", "keys/studio", {"expires_at": "30"}, "expires_at"),
        ("PATCH", "keys/studio", {"dialect": "klingon"}, "dialect"),
        ("POST", "keys", {"name": "7"}, "name"),
        ("POST", "keys", {"name": "a\nb"}, "name"),
        # A limit by another name would be none.
        ("PATCH", "keys/studio", {"budget": 5}, "budget"),
        ("PATCH", "accounts/studio", {"budget": 5}, "budget"),
        ("POST", "keys", {"name": "k", "budget": 5}, "budget"),
    ],
)
def test_a_negative_or_absurd_amount_is_refused_with_its_field(
    shop: RealGate, films: dict[str, Any], method: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = shop.ask(method, f"/admin/v1/{path}", json_body=body, key="sk-admin")
    assert answer.status in {400, 422}, answer.body
    assert answer.json["error"]["details"]["field"] == field


def test_an_account_is_limited_and_given_money_whatever_its_name(shop: RealGate) -> None:
    for name in ("team/a", "topup", "a/topup", "?#%"):
        shop.new_key(name, account=name)
        path = f"/admin/v1/accounts/{quote(name, safe='')}"
        changed = shop.ask("PATCH", path, json_body={"credit_micros": 0}, key="sk-admin")
        assert (changed.status, changed.json.get("name")) == (200, name)
        gift = {"amount_micros": 5, "reason": "a gift"}
        given = shop.ask("POST", f"{path}/topup", json_body=gift, key="sk-admin")
        assert (given.status, given.json) == (201, {"balance_micros": 5})


def test_a_quote_binds_though_its_film_is_asked_for_another_price_later(shop: RealGate) -> None:
    body = {"model": "sora-2", "prompt": "a quoted boat", "seconds": 4, "size": "1280x720"}
    quoted = shop.ask("POST", "/gate/v1/quote", json_body=body, key=shop.key).json
    assert quoted["amount_micros"] == 800_000
    made = shop.ask(
        "POST",
        "/gate/v1/tasks",
        json_body=body,
        key=shop.key,
        headers={"X-Filmgate-Quote": quoted["quote_id"]},
    )
    assert made.headers["x-filmgate-cost"] == "800000;state=held"
    assert shop.ended(made.json["id"])["cost_micros"] == 800_000
    assert asked(shop, "ledger/check").json == {"clean": True, "findings": []}
