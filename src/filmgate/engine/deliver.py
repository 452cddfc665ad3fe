"""Deliver: tell receivers what was announced, at least once, with the same id and the same bytes every time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Protocol

from filmgate.domain.clock import Chance, Clock
from filmgate.domain.contracts_http import HttpReply, NotSent, ReplyLost
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import (
    LEASE_SPARE,
    WEBHOOK_ANSWER_BYTES,
    WEBHOOK_ANSWER_KEPT,
    WEBHOOK_LEASE,
    WEBHOOK_SCHEDULE,
    WEBHOOK_SECONDS,
    WEBHOOKS_IN_HAND,
)
from filmgate.domain.webhook import DELIVERY, named, next_wait, signed_headers, wait_asked
from filmgate.engine.beside import Consumer, OnOutage
from filmgate.engine.subscribe import Keyring
from filmgate.net.denied import Denied
from filmgate.net.guard import LOOK_UP_SECONDS
from filmgate.net.post import GuardedPost
from filmgate.seal import BrokenSealError
from filmgate.store.deliveries import Deliveries, DeliveryClaim, Outcome
from filmgate.store.endpoints import Endpoint
from filmgate.store.patience import STORE_FAULTS

_REDIRECT: Final = 3


class DeliveryTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def told(self, outcome: str, seconds: float) -> None:
        """Count a try to deliver an event, and how long it took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """What delivering needs."""

    deliveries: Deliveries
    keyring: Keyring
    post: GuardedPost
    clock: Clock
    chance: Chance
    telemetry: DeliveryTelemetry
    wake: asyncio.Event
    """Set when something in this process was announced."""
    schedule: Sequence[timedelta] = WEBHOOK_SCHEDULE
    lease: timedelta = WEBHOOK_LEASE
    timeout_s: float = WEBHOOK_SECONDS


async def deliver(messenger: Messenger, claim: DeliveryClaim) -> None:
    """Try once, and write what became of it: done, another try later, or given up."""
    await failpoint("deliver.claimed")
    began = messenger.clock.monotonic()
    try:
        endpoint = await _whose(messenger, claim)
        if isinstance(endpoint, str):
            await _settled(messenger, Outcome(claim=claim, delivered=False, error=endpoint))
            return
        if _too_late(messenger, claim):
            # Another may have it by now, and would send it at the same time.
            messenger.telemetry.event("delivery.late", delivery=named(DELIVERY, claim.id))
            return
        outcome = _answered(messenger, claim, await _send(messenger, claim, endpoint))
    except (Denied, NotSent, ReplyLost, TimeoutError, BrokenSealError) as error:
        messenger.telemetry.event(
            "delivery.unanswered",
            delivery=named(DELIVERY, claim.id),
            host=claim.host,
            reason=error.operator if isinstance(error, Denied) else str(error) or type(error).__name__,
        )
        outcome = Outcome(claim=claim, delivered=False, error=_said(error), wait=_wait(messenger, claim))
    except STORE_FAULTS:
        # Its lease runs out, and it is tried again: nothing was sent.
        raise
    except Exception as error:  # noqa: BLE001  # a bug is a try as well, or it would be met for ever
        messenger.telemetry.event(
            "delivery.broken", delivery=named(DELIVERY, claim.id), error=error, reason=type(error).__name__
        )
        outcome = Outcome(
            claim=claim, delivered=False, error="it could not be sent", wait=_wait(messenger, claim)
        )
    await failpoint("deliver.after_post")
    took = timedelta(seconds=messenger.clock.monotonic() - began)
    await _settled(messenger, replace(outcome, duration=took))


class Deliverer(Consumer[DeliveryClaim]):
    """Tells receivers beside the steps of an engine."""

    def __init__(self, messenger: Messenger, on_outage: OnOutage) -> None:
        super().__init__(messenger.wake, messenger.chance, on_outage)
        self._messenger = messenger

    async def begin(self) -> None:
        await self._messenger.deliveries.begin()

    async def claim(self, in_hand: int) -> Sequence[DeliveryClaim]:
        room = WEBHOOKS_IN_HAND - in_hand
        if room <= 0:
            return ()
        now = self._messenger.clock.monotonic()
        return await self._messenger.deliveries.claim(
            room, self._messenger.lease, since=now, hands=WEBHOOKS_IN_HAND
        )

    async def consume(self, item: DeliveryClaim) -> None:
        await deliver(self._messenger, item)

    def broken(self, item: DeliveryClaim, error: Exception) -> None:
        self._messenger.telemetry.event(
            "delivery.broken", delivery=named(DELIVERY, item.id), error=error, reason=type(error).__name__
        )


async def _whose(messenger: Messenger, claim: DeliveryClaim) -> Endpoint | str:
    """Give whose secrets sign it, or why nobody may be told any more."""
    if claim.endpoint_id is None:
        return claim.endpoint or await messenger.keyring.callbacks(claim.account_id)
    if claim.endpoint is None:
        return "the endpoint was deleted"
    if claim.endpoint.disabled_at is not None:
        return "the endpoint is disabled"
    return claim.endpoint


def _too_late(messenger: Messenger, claim: DeliveryClaim) -> bool:
    """Tell whether the lease might run out before an answer comes."""
    held_s = messenger.clock.monotonic() - claim.since
    return held_s + messenger.timeout_s + LEASE_SPARE.total_seconds() > messenger.lease.total_seconds()


async def _send(messenger: Messenger, claim: DeliveryClaim, endpoint: Endpoint) -> HttpReply:
    now = messenger.clock.now()
    secrets = messenger.keyring.live(endpoint, now)
    # A name is looked up before the time of the request itself begins.
    async with asyncio.timeout(messenger.timeout_s + LOOK_UP_SECONDS):
        return await messenger.post.post(
            claim.url,
            headers=signed_headers(secrets, named(DELIVERY, claim.id), now, claim.body),
            body=claim.body,
            timeout_s=messenger.timeout_s,
            most_bytes=WEBHOOK_ANSWER_BYTES,
        )


def _answered(messenger: Messenger, claim: DeliveryClaim, reply: HttpReply) -> Outcome:
    delivered = reply.status // 100 == HTTPStatus.OK // 100
    gone = reply.status == HTTPStatus.GONE
    asked = wait_asked(reply.headers.get("retry-after"), messenger.clock.now())
    error = None
    if not delivered:
        error = f"the answer was {reply.status}"
        error += ", and no redirect is followed" if reply.status // 100 == _REDIRECT else ""
    return Outcome(
        claim=claim,
        delivered=delivered,
        wait=None if delivered or gone else _wait(messenger, claim, asked),
        status=reply.status,
        answer=reply.body[:WEBHOOK_ANSWER_KEPT].decode("utf-8", "replace").replace("\0", "�"),
        error=error,
        gone=gone and claim.endpoint_id is not None,
    )


def _wait(messenger: Messenger, claim: DeliveryClaim, asked: timedelta | None = None) -> timedelta | None:
    return next_wait(messenger.schedule, claim.tries + 1, asked, messenger.chance)


def _said(error: Exception) -> str:
    """Say why there was no answer, and nothing that tells about a network that is not the customer's."""
    match error:
        case Denied():
            return "the address is not allowed"
        case NotSent():
            return "no connection could be made"
        case BrokenSealError():
            return "the signing secret cannot be read: rotate it"
        case _:
            return "no answer came in time"


async def _settled(messenger: Messenger, outcome: Outcome) -> None:
    claim = outcome.claim
    written = await messenger.deliveries.settle(outcome)
    if written is None:
        messenger.telemetry.event("delivery.lease_lost", delivery=named(DELIVERY, claim.id))
        return
    await failpoint("deliver.after_commit")
    # A try that failed is no dead letter yet.
    word = "retried" if written.state == "due" else written.state
    messenger.telemetry.told(word, outcome.duration.total_seconds())
    messenger.telemetry.event(
        f"delivery.{word}",
        delivery=named(DELIVERY, claim.id),
        task=str(claim.task_id),
        host=claim.host,
        status=outcome.status,
        tries=claim.tries + 1,
    )
    if written.gone:
        messenger.telemetry.event("endpoint.disabled", endpoint=str(claim.endpoint_id), status=outcome.status)
