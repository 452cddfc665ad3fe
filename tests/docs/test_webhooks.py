"""The page of webhooks says what is so, and its receivers believe what the gate signs and nothing else."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openai
import pytest

from filmgate.domain.limits import (
    DELIVERY_RETENTION,
    ENDPOINT_PATIENCE,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_SCHEDULE,
    WEBHOOK_SECONDS,
    WEBHOOKS_OF_HOST,
)
from filmgate.domain.webhook import new_secret, signed_headers
from filmgate.world import SystemChance

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text("utf-8")
SECRETS = [new_secret(SystemChance()), new_secret(SystemChance())]
BODY = (
    '{"id":"evt_1","object":"event","created_at":1,"type":"video.failed","data":{"id":"video_雨"}}'.encode()
)


def snippet(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(code)


def signed(*, age: timedelta = timedelta()) -> dict[str, str]:
    return signed_headers(SECRETS, "wh_1", datetime.now(UTC) - age, BODY)


def by_python(secret: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    names: dict[str, object] = {}
    exec(snippet("python"), names)  # noqa: S102  # the page's own code
    read = names["read"]
    assert callable(read)
    event, id_ = read(secret, headers, body)
    return str(event), str(id_)


def by_node(secret: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    call = f"console.log(JSON.stringify(read(...{json.dumps([secret, headers, body.decode()])})))"
    ran = subprocess.run(["node", "-e", snippet("js") + call], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ValueError(ran.stderr)
    event, id_ = json.loads(ran.stdout)
    return event, id_


RECEIVERS = pytest.mark.parametrize("read", [by_python, by_node])


@RECEIVERS
@pytest.mark.parametrize("secret", SECRETS, ids=["former", "new"])
def test_each_receiver_of_the_page_reads_what_either_secret_has_signed(read: type, secret: str) -> None:
    assert read(secret, signed(), BODY) == ("video.failed", "video_雨")


@RECEIVERS
@pytest.mark.parametrize("wrong", ["body", "secret", "age"])
def test_each_receiver_of_the_page_refuses_what_is_forged_or_old(read: type, wrong: str) -> None:
    secret = new_secret(SystemChance()) if wrong == "secret" else SECRETS[0]
    headers = signed(age=timedelta(minutes=10 if wrong == "age" else 0))
    with pytest.raises((ValueError, openai.InvalidWebhookSignatureError)):
        read(secret, headers, BODY.replace(b"failed", b"completed") if wrong == "body" else BODY)


def test_what_the_page_computes_by_hand_is_the_signature(tmp_path: Path) -> None:
    headers = signed()
    (tmp_path / "body.json").write_bytes(BODY)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SECRET": SECRETS[1],
        "ID": headers["webhook-id"],
        "TIMESTAMP": headers["webhook-timestamp"],
    }
    ran = subprocess.run(
        ["sh", "-ec", snippet("sh")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    assert ran.stdout.strip() == headers["webhook-signature"].split()[1]


def test_the_numbers_of_the_page_are_those_of_the_gate() -> None:
    words = " ".join(PAGE.split())
    waits = [
        f"{wait.seconds} s" if wait < timedelta(minutes=1)
        else f"{wait.seconds // 60} min" if wait < timedelta(hours=1)
        else f"{wait // timedelta(hours=1)} h"
        for wait in WEBHOOK_SCHEDULE
    ]  # fmt: skip
    assert f"at once, then after {', '.join(waits[:-1])} and {waits[-1]}" in words
    assert (len(WEBHOOK_SCHEDULE) + 1, WEBHOOK_ENDPOINTS, WEBHOOKS_OF_HOST) == (10, 20, 4)
    assert (WEBHOOK_SECONDS, DELIVERY_RETENTION.days, ENDPOINT_PATIENCE.days) == (20, 30, 3)
