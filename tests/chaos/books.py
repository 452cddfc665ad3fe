"""Reads what vendors, receivers and the store wrote down into plain values that rules compare."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from chaos.customers import Account
from chaos.site import Site
from kit.invariants import Violation
from kit.logs import Job, Received, ReceiverLog, StoreLog, Submit, VendorLog, digest, read_store

SAMPLE: Final = "video_test"
_SHIPMENTS: Final = """
select t.id::text, s.name, s.state, s.trouble, s.error, f.sha256 from film.tasks t
left join film.shipments s on s.task_id = t.id left join film.files f on f.object_key = s.object_key
where t.request ->> 'deliver_to' = 'theirs' and t.state = 'succeeded' and t.deleted_at is null
"""


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
        verified = _signed(came["headers"], body, secrets.get(came["path"], ""))
        if verified and json.loads(body)["data"]["id"] == SAMPLE:
            continue
        received.append(
            Received(
                url=origin + came["path"],
                id=came["headers"]["webhook-id"],
                body=body,
                verified=verified,
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


async def shipped(site: Site) -> list[Violation]:
    """Compare what customers' own buckets hold with what was to go there."""
    if site.shelf is None:
        return []
    connection = await asyncpg.connect(**site.database)
    try:
        rows = await connection.fetch(_SHIPMENTS)
    finally:
        await connection.close()
    return [Violation("shipped", text) for row in rows for text in misshipped(site.shelf.theirs, row)]


def misshipped(theirs: Path, row: Mapping[str, Any]) -> Iterator[str]:
    place, what = theirs / (row["name"] or ""), f"{row['id']} ({row['name']})"
    match row["state"]:
        case None:
            yield f"{what} was asked for there, and nobody brings it"
        case "due":
            yield f"{what} is still on its way: {row['error']}"
        case "given_up" if row["trouble"] != "absent":
            yield f"{what} was given up: {row['error']}"
        case "delivered" if not place.is_file():
            yield f"{what} counts as delivered, and is not there"
        case "delivered" if row["sha256"] is not None and digest(place.read_bytes()) != row["sha256"]:
            yield f"{what} is there with other bytes"


def ends_of(store: StoreLog) -> Mapping[str, int]:
    """Count how the tasks ended, with what the failed ones say."""
    return Counter(
        task["state"] + (f" {task['error_code']}" if task["state"] == "failed" else "")
        for task in store.rows("tasks")
    )
