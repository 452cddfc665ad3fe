"""What no client means and some send all the same, to every route there is: none of it is our own failure."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from filmgate.dialects import DIALECTS
from kit.gates import Answer, RealGate

NUL, HUGE = "a\0b", 10**30
DATES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z")
PARTS = ("a%00b", "%ff", "%ed%a0%80", "9" * 40)
VALUES: tuple[Any, ...] = (NUL, HUGE, -HUGE, 2**64, 1e300, *DATES, [], {"a": [NUL]}, [[[]]], "x" * 70_000)
RAW = (
    b'{"prompt": "\\ud800", "name": "\\ud800", "reason": "\\udfff"}',
    b'{"prompt": NaN, "seed": 1e400}',
    b'{"metadata": {"k": 123456789012345678901234567890}}',
    b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a": ' * 40 + b"1" + b"}" * 40,
    b"[]", b'"a"', b"\xff\xfe", b"{", b"null", b'{"prompt": "\xed\xa0\x80"}',
)  # fmt: skip
BASES: dict[str, dict[str, Any]] = {
    "/gate/v1/tasks": {"prompt": "x", "model": "no-such-model"},
    "/gate/v1/quote": {"prompt": "x", "model": "animatic"},
    "/admin/v1/keys": {"name": "nonsense-made"},
    "/admin/v1/accounts/{name}/topup": {"amount_micros": 1, "reason": "x"},
    "/gate/v1/webhook_endpoints": {"name": "x", "url": "https://example.com/x"},
}
# It never ends by itself.
ENDLESS = {"/gate/v1/events"}


@pytest.fixture(scope="module")
def customer(gate: RealGate) -> str:
    return gate.new_key("nonsense", account="nonsense")


@pytest.fixture(scope="module")
def described(gate: RealGate) -> dict[str, Any]:
    return dict(gate.ask("GET", "/openapi.json").json)


def routes(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        if path not in ENDLESS:
            yield from ((method.upper(), path, route) for method, route in methods.items())


def filled(path: str, value: str) -> str:
    return "/".join(value if part.startswith("{") else part for part in path.split("/"))


def properties(described: dict[str, Any], route: dict[str, Any]) -> list[str]:
    """Name what stands in a route's body."""
    text = json.dumps(route.get("requestBody", {}))
    names = {name for name in described["components"]["schemas"] if f'/{name}"' in text}
    return sorted(
        field for name in names for field in described["components"]["schemas"][name].get("properties", {})
    )


class Sender:
    """Sends as whoever may, and keeps what was answered with a failure of ours."""

    def __init__(self, gate: RealGate, customer: str) -> None:
        self._gate = gate
        self._customer = customer
        self.failed: list[tuple[str, str, bytes, int, bytes]] = []

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        key = "sk-admin" if path.startswith("/admin") else self._customer
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = self._gate.ask(method, path, body=body, headers=headers, key=key)
        if answer.status >= 500:
            self.failed.append((method, path, (body or b"")[:80], answer.status, answer.body[:200]))
        return answer


@pytest.fixture
def sender(gate: RealGate, customer: str) -> Iterator[Sender]:
    sender = Sender(gate, customer)
    yield sender
    assert sender.failed == []


def test_no_path_and_no_query_breaks_a_route(sender: Sender, described: dict[str, Any]) -> None:
    for method, path, route in routes(described):
        for part in PARTS if "{" in path else ():
            sender.send(method, filled(path, part), b"{}" if method in {"POST", "PATCH"} else None)
        asked = [one["name"] for one in route.get("parameters", []) if one["in"] == "query"]
        for name in asked if method == "GET" else ():
            for value in ("%00", "9" * 40, *(date.replace("+", "%2B") for date in DATES)):
                sender.send(method, f"{filled(path, 'x')}?{name}={value}")


def test_no_body_breaks_a_route_of_our_own(sender: Sender, described: dict[str, Any]) -> None:
    for method, path, route in routes(described):
        if "requestBody" not in route:
            continue
        target = filled(path, "nonsense")
        for body in RAW:
            sender.send(method, target, body)
        for field in properties(described, route):
            for value in VALUES:
                said = BASES.get(path, {}) | {field: value}
                sender.send(method, target, json.dumps(said).encode())


def test_no_body_breaks_a_dialect(sender: Sender) -> None:
    for dialect in DIALECTS:
        for route in dialect.ROUTES:
            path = f"/{dialect.NAME}{route.path}".replace(":path", "")
            if route.method != "POST":
                for part in PARTS:
                    sender.send(route.method, filled(path, part))
                continue
            for body in RAW:
                sender.send("POST", filled(path, "x"), body)
            for field in (
                "prompt",
                "model",
                "seconds",
                "size",
                "metadata",
                "seed",
                "input_reference",
                "messages",
            ):
                for value in VALUES:
                    said = {"model": "no-such-model", "prompt": "x", field: value}
                    sender.send("POST", filled(path, "x"), json.dumps(said).encode())


@pytest.mark.parametrize("number", [2**53 + 1, 2**64, HUGE, -HUGE])
@pytest.mark.parametrize("path", ["/openai/v1/videos", "/gate/v1/quote", "/gate/v1/tasks"])
def test_a_number_that_cannot_be_kept_exactly_is_refused(
    gate: RealGate, customer: str, path: str, number: int
) -> None:
    body = {"model": "sora-2", "prompt": "x", "metadata": {"order": number}}
    answer = gate.ask("POST", path, json_body=body, key=customer)
    assert answer.status == 400, answer.body


def test_moments_at_the_edge_of_the_calendar_are_refused(gate: RealGate) -> None:
    for moment in DATES:
        key = gate.ask(
            "POST", "/admin/v1/keys", json_body={"name": "late", "expires_at": moment}, key="sk-admin"
        )
        said = moment.replace("+", "%2B")
        for name in ("from", "to"):
            page = gate.ask("GET", f"/admin/v1/ledger/export?{name}={said}", key="sk-admin")
            assert (key.status, page.status) == (400, 400), page.body
