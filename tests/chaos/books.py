"""Reads what vendors, receivers and the store wrote down into plain values that rules compare."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from chaos.customers import Account
from chaos.site import Site
from kit.logs import Job, Received, ReceiverLog, StoreLog, Submit, VendorLog, read_store


def vendor_log(name: str, path: Path, *, replays: bool) -> VendorLog:
    """Read a vendor's own log."""
    submits: list[Submit] = []
    jobs: dict[str, dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        event = json.loads(line)
        match event["event"]:
            case "request" if event["what"] == "create":
                submits.append(Submit(key=event["key"], at=event["at"]))
            case "accepted":
                jobs[event["job"]] = {
                    "ref": event["ref"],
                    "key": event["key"],
                    "at": event["at"],
                    "served": set(),
                }
            case "ended":
                jobs[event["job"]] |= {"end": event["status"], "ended_at": event["at"]}
            case "fetched":
                jobs[event["job"]]["served"].add(event["sha256"])
    made = [Job(**{**job, "served": frozenset(job["served"])}) for job in jobs.values()]
    return VendorLog(names=frozenset({name}), replays=replays, submits=submits, jobs=made)


def receiver_log(site: Site, accounts: Sequence[Account]) -> ReceiverLog:
    secrets = {path: secret for account in accounts for path, secret in account.secrets.items()}
    origin = f"http://127.0.0.1:{site.receiver_port}"
    received = []
    for line in site.received.read_text().splitlines():
        came = json.loads(line)
        body = base64.b64decode(came["body"])
        received.append(
            Received(
                url=origin + came["path"],
                id=came["headers"]["webhook-id"],
                body=body,
                verified=_signed(came["headers"], body, secrets.get(came["path"], "")),
                at=datetime.fromtimestamp(came["at"], UTC),
                status=came["status"],
            )
        )
    owners = {origin + path: account.id for account in accounts for path in account.secrets}
    return ReceiverLog(received, owners)


def _signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Check a signature as Standard Webhooks 1.0 writes it, whenever it was made."""
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    return right in headers["webhook-signature"].split()


async def store_log(site: Site) -> StoreLog:
    connection = await asyncpg.connect(**site.database)
    try:
        objects = {
            str(path.relative_to(site.objects)): path.read_bytes()
            for path in site.objects.rglob("*")
            if path.is_file()
        }
        return await read_store(connection, objects)
    finally:
        await connection.close()


def ends_of(store: StoreLog) -> Mapping[str, int]:
    """Count how the tasks ended, with what the failed ones say."""
    return Counter(
        task["state"] + (f" {task['error_code']}" if task["state"] == "failed" else "")
        for task in store.rows("tasks")
    )
