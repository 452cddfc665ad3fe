"""The rows of the dialects' error tables that only money, limits and mishaps can cause, live."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from kit.databases import own_database
from kit.gates import Answer, RealGate

PATHS = {
    "laozhang": ("/laozhang/veo/v1/api/video/submit", "veo3"),
    "unified": ("/unified/v1/video/create", "veo2"),
    "newapi": ("/newapi/v1/videos", "veo_3_1-fast"),
    "yishang": ("/yishang/v1/videos", "sora-2"),
    "openai": ("/openai/v1/videos", "sora-2"),
}


@dataclass(frozen=True)
class Poor:
    """Keys of accounts that may begin nothing more: `<why>` has an open key, `<why> strict` a strict one."""

    gate: RealGate
    keys: dict[str, str]

    def asks(self, dialect: str, why: str) -> Answer:
        path, model = PATHS[dialect]
        body = {"model": model, "prompt": "a boat"}
        return self.gate.ask("POST", path, json_body=body, key=self.keys[why])


@pytest.fixture(scope="module")
def poor(gate: RealGate) -> Iterator[Poor]:
    keys = {}
    whys: dict[str, dict[str, Any]] = {
        "no balance": {"credit_micros": 0},
        "no budget": {"budget_micros": 0, "budget_period": "day"},
        "too fast": {"submits_per_minute": 1},
        "too many": {"max_unfinished": 1},
    }
    begun = []
    # What begins here stays unfinished until the last test has asked, and draws nothing.
    assert gate.ask("POST", "/admin/v1/providers/animatic/pause", key="sk-admin").status == 200
    for why, limits in whys.items():
        account = f"rows {why}"
        keys[why] = gate.new_key(account, account=account)
        keys[f"{why} strict"] = gate.new_key(f"{account} strict", account=account, strict=True)
        path = f"/admin/v1/accounts/{account.replace(' ', '%20')}"
        assert gate.ask("PATCH", path, json_body=limits, key="sk-admin").status == 200
        if why.startswith("too"):
            film = {"model": "animatic", "prompt": "a boat", "seconds": 1, "size": "640x360"}
            made = gate.ask("POST", "/gate/v1/tasks", json_body=film, key=keys[why])
            assert made.status == 201, made.body
            begun.append((keys[why], made.json["id"]))
    yield Poor(gate, keys)
    for key, id_ in begun:
        gate.ask("POST", f"/gate/v1/tasks/{id_}/cancel", key=key)
        assert gate.ended(id_, key=key)["state"] == "cancelled"
    assert gate.ask("POST", "/admin/v1/providers/animatic/resume", key="sk-admin").status == 200


@pytest.mark.parametrize("why", ["no balance", "no budget"])
def test_yishang_says_403_in_the_documents_words_where_the_quota_is_used_up(poor: Poor, why: str) -> None:
    strict = poor.asks("yishang", f"{why} strict")
    said = {"message": "Insufficient quota", "type": "permission_error", "code": "insufficient_quota"}
    assert (strict.status, strict.json) == (403, {"error": said})
    plain = poor.asks("yishang", why)
    # Known clients look for these words.
    words = "用户额度不足" if why == "no balance" else "令牌额度已用尽"
    assert plain.status == 403
    assert plain.json["error"] | {"message": ""} == said | {"message": ""}
    assert plain.json["error"]["message"].startswith(f"Insufficient quota ({words}")


@pytest.mark.parametrize("why", ["too fast", "too many"])
def test_yishang_says_429_in_the_documents_words_and_when_to_come_again(poor: Poor, why: str) -> None:
    answer = poor.asks("yishang", f"{why} strict")
    said = {"message": "Rate limit exceeded", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    assert (answer.status, answer.json) == (429, {"error": said})
    assert 1 <= int(answer.headers["retry-after"]) <= 61


@pytest.mark.parametrize(
    ("why", "status"), [("no balance", 403), ("no budget", 429), ("too fast", 429), ("too many", 429)]
)
def test_laozhang_says_quota_exceeded(poor: Poor, why: str, status: int) -> None:
    answer = poor.asks("laozhang", f"{why} strict")
    body = answer.json
    assert (answer.status, body["success"], body["error_code"]) == (status, False, "QUOTA_EXCEEDED")
    assert set(body) == {"success", "message", "error_code", "details"}
    assert set(body["details"]) == {"field", "reason"}
    assert body["message"] == body["details"]["reason"] != ""
    if why.startswith("too"):
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("dialect", list(PATHS))
@pytest.mark.parametrize("strict", ["", " strict"])
@pytest.mark.parametrize("why", ["no balance", "no budget"])
def test_nobody_is_told_to_wait_where_waiting_brings_no_money(
    poor: Poor, dialect: str, strict: str, why: str
) -> None:
    answer = poor.asks(dialect, why + strict)
    assert answer.status in {402, 403, 429}
    assert "retry-after" not in answer.headers


def test_laozhang_names_an_empty_balance_to_keys_that_are_not_strict(poor: Poor) -> None:
    answer = poor.asks("laozhang", "no balance")
    assert (answer.status, answer.json["error_code"]) == (402, "INSUFFICIENT_BALANCE")


@pytest.mark.parametrize("dialect", ["newapi", "unified"])
@pytest.mark.parametrize(("why", "words"), [("no balance", "用户额度不足"), ("no budget", "令牌额度已用尽")])
def test_relays_say_403_in_the_form_of_tasks_where_there_is_no_balance(
    poor: Poor, dialect: str, why: str, words: str
) -> None:
    for key in (why, f"{why} strict"):
        answer = poor.asks(dialect, key)
        assert answer.status == 403
        assert set(answer.json) == {"code", "message", "data"}
        assert (answer.json["code"], answer.json["data"]) == ("quota_not_enough", None)
        assert answer.json["message"].startswith(words)


@pytest.mark.parametrize("dialect", ["newapi", "unified"])
@pytest.mark.parametrize("why", ["too fast", "too many"])
def test_relays_say_429_and_when_to_come_again(poor: Poor, dialect: str, why: str) -> None:
    answer = poor.asks(dialect, why)
    assert (answer.status, answer.json["code"], answer.json["data"]) == (429, "rate_limit_exceeded", None)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("why", ["no balance", "no budget"])
def test_openai_says_insufficient_quota_and_that_trying_again_is_in_vain(poor: Poor, why: str) -> None:
    answer = poor.asks("openai", why)
    error = answer.json["error"]
    assert (answer.status, answer.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in answer.headers
    assert error | {"message": ""} == {
        "message": "", "type": "insufficient_quota", "param": None, "code": "insufficient_quota",
    }  # fmt: skip
    assert "$" in error["message"]


@pytest.mark.parametrize("why", ["too fast", "too many"])
def test_openai_says_rate_limit_exceeded_and_when_to_come_again(poor: Poor, why: str) -> None:
    answer = poor.asks("openai", why)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["param"]) == (429, "rate_limit_exceeded", None)
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert "x-should-retry" not in answer.headers


def test_whoever_may_begin_nothing_still_reads_and_lists(poor: Poor) -> None:
    for why in ("no balance", "no budget", "too fast", "too many"):
        for path in ("/gate/v1/tasks", "/gate/v1/balance", "/openai/v1/videos"):
            assert poor.gate.ask("GET", path, key=poor.keys[why]).status == 200


@pytest.fixture(scope="module")
async def own(
    postgres: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[RealGate, "asyncpg.Connection[asyncpg.Record]"]]:
    """A gate on a database that tests reach as well."""
    with own_database(postgres) as dsn:
        gate = RealGate(tmp_path_factory.mktemp("own") / "data", environment={"FILMGATE_DATABASE_URL": dsn})
        gate.start()
        connection = await asyncpg.connect(dsn)
        yield gate, connection
        await connection.close()
        gate.kill()


Own = tuple[RealGate, "asyncpg.Connection[asyncpg.Record]"]


async def test_a_key_that_has_run_out_reads_and_deletes_what_it_made_for_a_week_and_begins_nothing(
    own: Own,
) -> None:
    gate, connection = own
    key = gate.new_key("short")
    body = {"model": "animatic", "prompt": "a boat", "seconds": 1, "size": "640x360"}
    made = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=key).json["id"]
    assert gate.ended(made, key=key)["state"] == "succeeded"
    await connection.execute(
        "update film.keys set expires_at = now() - interval '1 hour' where name = 'short'"
    )
    for path in (
        "/gate/v1/tasks",
        f"/gate/v1/tasks/{made}",
        f"/gate/v1/tasks/{made}/files/video.mp4",
        "/gate/v1/balance",
    ):
        assert gate.ask("GET", path, key=key).status == 200, path
    refused = {"laozhang": "INVALID_API_KEY"} | dict.fromkeys(list(PATHS)[1:], "invalid_api_key")
    for dialect, (path, model) in PATHS.items():
        answer = gate.ask("POST", path, json_body={"model": model, "prompt": "a boat"}, key=key)
        code = answer.json.get("error_code") or answer.json["error"]["code"]
        assert (answer.status, code) == (401, refused[dialect])
    endpoint = {"name": "x", "url": "https://hooks.example.com/", "event_types": ["video.completed"]}
    for path, said in (
        ("tasks", body), ("quote", body), (f"tasks/{made}/retry", {}), ("webhook_endpoints", endpoint),
    ):  # fmt: skip
        answer = gate.ask("POST", f"/gate/v1/{path}", json_body=said, key=key)
        assert (answer.status, answer.json["error"]["code"]) == (401, "key_expired"), path
    assert gate.ask("DELETE", f"/gate/v1/tasks/{made}", key=key).status in {200, 204}
    await connection.execute(
        "update film.keys set expires_at = now() - interval '8 days' where name = 'short'"
    )
    answer = gate.ask("GET", "/gate/v1/tasks", key=key)
    assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_key")


@pytest.mark.parametrize("since", ["1 hour", "9 days"])
async def test_an_operator_tries_again_for_an_owner_whose_key_has_run_out(own: Own, since: str) -> None:
    gate, connection = own
    name = f"ran out {since} ago"
    key = gate.new_key(name)
    body = {"model": "animatic", "prompt": "a boat --sandbox=fail", "seconds": 1, "size": "640x360"}
    made = gate.ask("POST", "/gate/v1/tasks", json_body=body, key=key).json["id"]
    assert gate.ended(made, key=key)["state"] == "failed"
    expire = f"update film.keys set expires_at = now() - interval '{since}' where name = $1"  # noqa: S608  # our own text
    await connection.execute(expire, name)
    path = f"/admin/v1/tasks/{made}/retry"
    answer = gate.ask("POST", path, json_body={"note": "its provider was broken"}, key="sk-admin")
    assert answer.status == 201, answer.body
    assert (answer.json["account"], answer.json["state"]) == (name, "queued")


async def test_a_fault_of_ours_is_a_500_in_each_dialects_form(own: Own) -> None:
    gate, connection = own
    strict, plain = gate.new_key("strict", strict=True), gate.key
    await connection.execute("alter table film.accounts rename column balance_micros to gone")
    body = {"model": "sora-2", "prompt": "a boat"}
    said = {"message": "Internal server error", "type": "server_error", "code": "internal_error"}
    for key in (strict, plain):
        answer = gate.ask("POST", "/yishang/v1/videos", json_body=body, key=key)
        assert (answer.status, answer.json) == (500, {"error": said})
    for dialect, (path, model) in PATHS.items():
        answer = gate.ask("POST", path, json_body={"model": model, "prompt": "a boat"}, key=plain)
        assert (answer.status, answer.headers["x-filmgate-dialect"]) == (500, dialect)
        assert "balance_micros" not in answer.body.decode()
