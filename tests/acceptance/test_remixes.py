"""Remixes at a vendor that varies its own films: what is charged is what it makes, and what it has lost harms nobody."""

from collections.abc import Iterator
from typing import Any

import pytest

from kit.databases import own_database
from kit.gates import Answer, RealGate, free_port
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningVendor]]:
    """The vendors at one address, of which the last one runs."""
    vendors = [start_vendor(tmp_path_factory.mktemp("vendor"), port=free_port())]
    yield vendors
    vendors[-1].stop()


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, vendors: list[RunningVendor], postgres: dict[str, Any]
) -> Iterator[RealGate]:
    folder = tmp_path_factory.mktemp("shop")
    routes = route_table("sora-2", "relay") + route_table("sora-2-pro", "relay")
    (folder / "filmgate.toml").write_text(provider_table("relay", vendors[0], "{}") + routes)
    with own_database(postgres) as dsn:
        gate = RealGate(folder / "data", environment={"FILMGATE_DATABASE_URL": dsn, "VENDOR_KEY": "vendor"})
        gate.start()
        yield gate
        assert gate.stop() == 0


@pytest.fixture(scope="module")
def dear(shop: RealGate) -> Answer:
    body = {"model": "sora-2-pro", "prompt": "a boat", "seconds": "12", "size": "1920x1080"}
    return made(shop, "/openai/v1/videos", body)


def made(shop: RealGate, path: str, body: dict[str, str]) -> Answer:
    answer = shop.ask("POST", path, json_body=body, key=shop.key)
    assert answer.status == 200, answer.body
    assert shop.ended(answer.headers["x-filmgate-task"])["state"] == "succeeded"
    return answer


def test_a_remix_costs_what_its_film_costs_and_cannot_say_otherwise(shop: RealGate, dear: Answer) -> None:
    path = f"/openai/v1/videos/{dear.json['id']}/remix"
    for said, field in (
        ({"model": "sora-2"}, "model"),
        ({"seconds": "4"}, "seconds"),
        ({"size": "1280x720"}, "size"),
    ):
        refused = shop.ask("POST", path, json_body={"prompt": "cheap", **said}, key=shop.key)
        assert (refused.status, refused.json["error"]["param"]) == (400, field)
    remix = made(shop, path, {"prompt": "at night", "seconds": "12"})
    assert [remix.json[name] for name in ("model", "seconds", "size")] == ["sora-2-pro", "12", "1920x1080"]
    assert remix.headers["x-filmgate-cost"] == dear.headers["x-filmgate-cost"]
    for model, status in (("sora-2", 400), ("sora-2-pro", 201)):
        again = f"/gate/v1/tasks/{remix.headers['x-filmgate-task']}/retry"
        assert shop.ask("POST", again, json_body={"model": model}, key=shop.key).status == status


def test_a_film_that_its_vendor_has_lost_ends_its_remix_and_nothing_else(
    shop: RealGate, dear: Answer, vendors: list[RunningVendor], tmp_path_factory: pytest.TempPathFactory
) -> None:
    vendors[-1].stop()
    port = int(vendors[-1].base_url.split(":")[2].partition("/")[0])
    vendors.append(start_vendor(tmp_path_factory.mktemp("empty"), "--seed", "2", port=port))
    path = f"/openai/v1/videos/{dear.json['id']}/remix"
    remix = shop.ask("POST", path, json_body={"prompt": "again"}, key=shop.key)
    task = shop.ended(remix.headers["x-filmgate-task"])
    assert (task["state"], task["error"]["code"], task["cost_micros"]) == ("failed", "source_gone", 0)
    [provider] = [
        one
        for one in shop.ask("GET", "/admin/v1/providers", key="sk-admin").json["data"]
        if one["name"] == "relay"
    ]
    assert (provider["light"], provider["credentials"][0]["failures_in_row"]) == ("green", 0)
    made(shop, "/openai/v1/videos", {"model": "sora-2", "prompt": "another", "seconds": "4"})
