"""Webhooks: what is told of a film's end, in OpenAI's form, signed as Standard Webhooks 1.0 writes it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from filmgate.domain.clock import Chance
from filmgate.domain.limits import WEBHOOK_JITTER
from filmgate.domain.states import State

ENDPOINT: Final = "whe"
DELIVERY: Final = "wh"
_EVENT: Final = "evt"
_SECRET: Final = "whsec_"  # noqa: S105  # a prefix
_SECRET_BYTES: Final = 32
_HEX: Final = 32
_SECONDS_DIGITS: Final = 9


class Event(StrEnum):
    COMPLETED = "video.completed"
    FAILED = "video.failed"


def event_of(state: State) -> Event:
    """Say which event an end is: whoever waits for a film hears of every end that is none as a failure."""
    return Event.COMPLETED if state is State.SUCCEEDED else Event.FAILED


def event_body(event: str, *, task_id: UUID, name: str, at: datetime) -> bytes:
    """Write the body; it says no more than which film it is, so that nobody learns from it who may not ask."""
    told = {
        "id": named(_EVENT, task_id),
        "object": "event",
        "created_at": int(at.timestamp()),
        "type": event,
        "data": {"id": name},
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def delivery_id(task_id: UUID, endpoint_id: UUID | None) -> UUID:
    """Give the one id of what an endpoint, or a request's own address, is told of a task's end."""
    whom = b"callback" if endpoint_id is None else endpoint_id.bytes
    # The first half keeps deliveries of one time together, as their tasks lie.
    return UUID(bytes=task_id.bytes[:8] + hashlib.sha256(task_id.bytes + whom).digest()[:8])


def new_secret(chance: Chance) -> str:
    return _SECRET + base64.b64encode(chance.bytes(_SECRET_BYTES)).decode()


def secret_hint(secret: str) -> str:
    """Give what may be shown of a secret."""
    return f"{_SECRET}…{secret.rstrip('=')[-4:]}"


def signed_headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Sign exactly these bytes for this moment, once with each live secret."""
    seconds = str(int(at.timestamp()))
    said = f"{message_id}.{seconds}.".encode() + body
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(secret, said)}" for secret in secrets),
    }


def _signature(secret: str, said: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET))
    return base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()


def next_wait(
    schedule: Sequence[timedelta], tries: int, asked: timedelta | None, chance: Chance
) -> timedelta | None:
    """Say how long to wait after that many failed tries; None when there is no further one.

    A receiver may ask for a longer wait, but for no longer than the next one of the schedule would be.
    """
    if tries > len(schedule):
        return None
    usual = schedule[tries - 1]
    longest = schedule[min(tries, len(schedule) - 1)]
    wait = usual * (1 + WEBHOOK_JITTER * (2 * chance.share() - 1))
    return wait if asked is None else max(wait, min(asked, longest))


def wait_asked(retry_after: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After: seconds, or a date; None where there is none that can be read."""
    said = (retry_after or "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=int(said)) if len(said) <= _SECONDS_DIGITS else None
    try:
        return parsedate_to_datetime(said) - now
    except (TypeError, ValueError, OverflowError):
        return None


def host_of(url: str) -> str:
    """Give the host of a checked URL, by which those in flight are counted."""
    return (urlsplit(url).hostname or "").rstrip(".")


def named(prefix: str, id_: UUID) -> str:
    return f"{prefix}_{id_.hex}"


def id_of(prefix: str, name: str) -> UUID | None:
    """Read a name that `named` wrote; None for anything else."""
    head, _, tail = name.partition("_")
    try:
        return UUID(hex=tail) if head == prefix and len(tail) == _HEX else None
    except ValueError:
        return None
