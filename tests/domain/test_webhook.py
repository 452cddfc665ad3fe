"""What is told of a film's end, and how it is signed."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import openai
import pytest
import standardwebhooks

from filmgate.domain.limits import WEBHOOK_SCHEDULE
from filmgate.domain.states import ENDS, State
from filmgate.domain.webhook import (
    Event,
    delivery_id,
    event_body,
    event_of,
    host_of,
    id_of,
    named,
    new_secret,
    next_wait,
    secret_hint,
    signed_headers,
    wait_asked,
)
from filmgate.world import SystemChance

NOW = datetime(2025, 9, 27, 1, 31, 25, tzinfo=UTC)
TASK = UUID("018d0c9f-0000-7000-8000-000000000001")
chance = SystemChance()


class Share:
    def __init__(self, share: float) -> None:
        self._share = share

    def bytes(self, count: int) -> bytes:
        return b"\7" * count

    def share(self) -> float:
        return self._share


def test_the_body_is_the_one_that_openai_documents() -> None:
    at = datetime.fromtimestamp(1758941485, UTC)
    body = event_body(Event.COMPLETED, task_id=TASK, name="video_abc123", at=at)
    assert json.loads(body) == {
        "id": f"evt_{TASK.hex}",
        "object": "event",
        "created_at": 1758941485,
        "type": "video.completed",
        "data": {"id": "video_abc123"},
    }


def test_every_end_is_one_of_two_events() -> None:
    assert {state: event_of(state).value for state in ENDS} == {
        State.SUCCEEDED: "video.completed",
        State.FAILED: "video.failed",
        State.CANCELLED: "video.failed",
        State.EXPIRED: "video.failed",
    }


def test_a_signature_covers_the_id_the_time_and_the_exact_bytes() -> None:
    key = bytes(range(32))
    headers = signed_headers(["whsec_" + base64.b64encode(key).decode()], "wh_1", NOW, b'{"a":1}')
    said = b'wh_1.1758936685.{"a":1}'
    assert headers == {
        "content-type": "application/json",
        "webhook-id": "wh_1",
        "webhook-timestamp": "1758936685",
        "webhook-signature": "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode(),
    }


@pytest.mark.parametrize("which", [0, 1], ids=["the new secret", "the former secret"])
def test_the_official_libraries_verify_either_secret_of_a_rotation(which: int) -> None:
    secrets = [new_secret(chance), new_secret(chance)]
    body = event_body(Event.FAILED, task_id=TASK, name="影片_1", at=NOW)
    headers = signed_headers(secrets, "wh_1", datetime.now(UTC), body)
    assert standardwebhooks.Webhook(secrets[which]).verify(body, headers) == json.loads(body)
    event = openai.OpenAI(api_key="sk-x").webhooks.unwrap(body.decode(), headers, secret=secrets[which])
    assert (event.type, event.data.id) == ("video.failed", "影片_1")  # type: ignore[union-attr]  # the library has no class of this event
    with pytest.raises(openai.InvalidWebhookSignatureError):
        openai.OpenAI(api_key="sk-x").webhooks.verify_signature(
            body.decode() + " ", headers, secret=secrets[which]
        )
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new_secret(chance)).verify(body, headers)


def test_a_secret_has_at_least_the_24_bytes_that_the_standard_asks_for() -> None:
    secret = new_secret(chance)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret_hint("whsec_AAAABBBBCCCC=") == "whsec_…CCCC"


def test_ten_tries_are_spread_over_76_hours() -> None:
    waits = [next_wait(WEBHOOK_SCHEDULE, tries, None, Share(0.5)) for tries in range(1, 12)]
    assert waits == [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
        None,
        None,
    ]


def test_waits_differ_by_a_tenth_so_that_not_all_come_at_once() -> None:
    ends = [next_wait(WEBHOOK_SCHEDULE, 2, None, Share(share)) for share in (0.0, 1.0)]
    assert ends == [timedelta(minutes=4.5), timedelta(minutes=5.5)]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (timedelta(seconds=1), timedelta(seconds=5)),
        (timedelta(seconds=90), timedelta(seconds=90)),
        (timedelta(days=3), timedelta(minutes=5)),
        (timedelta(seconds=-5), timedelta(seconds=5)),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait_up_to_the_next_one(asked: timedelta, waited: timedelta) -> None:
    assert next_wait(WEBHOOK_SCHEDULE, 1, asked, Share(0.5)) == waited


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("Sat, 27 Sep 2025 01:32:25 GMT", timedelta(seconds=60)),
        ("soon", None),
        ("9" * 40, None),
        ("-1", None),
        ("1 Jan 2000 00:00:00 +99999999999999", None),
        (f"{'9' * 40} Jan 2000 00:00:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, wait: timedelta | None) -> None:
    assert wait_asked(said, NOW) == wait


def test_a_delivery_has_one_id_for_each_task_and_endpoint() -> None:
    other = UUID("018d0c9f-0000-7000-8000-000000000002")
    ids = {
        delivery_id(TASK, None),
        delivery_id(TASK, TASK),
        delivery_id(TASK, other),
        delivery_id(other, TASK),
    }
    assert len(ids) == 4
    assert delivery_id(TASK, other) == delivery_id(TASK, other)
    assert "." not in named("wh", delivery_id(TASK, other))


@pytest.mark.parametrize(
    "name", ["", "whe_", "whe_x", f"wh_{TASK.hex}", f"whe_{TASK}", f"whe_{TASK.hex}0", "whe"]
)
def test_a_name_of_another_kind_is_no_id(name: str) -> None:
    assert id_of("whe", f"whe_{TASK.hex}") == TASK
    assert id_of("whe", name) is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Hooks.Example.com:8443/a?b#c", "hooks.example.com"),
        ("https://hooks.example.com./a", "hooks.example.com"),
        ("https://[2606:4700::1]/", "2606:4700::1"),
    ],
)
def test_the_host_is_what_deliveries_are_counted_by(url: str, host: str) -> None:
    assert host_of(url) == host
