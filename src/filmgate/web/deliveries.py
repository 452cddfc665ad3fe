"""Deliveries in the gate's own API: what was told of films, to whom and with what answer, and the replay of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from filmgate.domain.limits import PAGE, PAGE_LONGEST, REPLAYED_TRIES, TRIES_SHOWN
from filmgate.domain.problems import Problem
from filmgate.domain.webhook import DELIVERY, ENDPOINT, id_of, named
from filmgate.store.delivery_log import Delivery, Wanted
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

DeliveryState = Literal["due", "delivered", "given_up"]


class TryOut(BaseModel):
    at: datetime
    status: int | None = Field(description="Null where there was no answer.")
    duration_ms: int
    answer: str | None = Field(description="How the answer began, at most its first KiB.")
    error: str | None


class DeliveryOut(BaseModel):
    """An event for one address; `id` is its `webhook-id`, the same on every try."""

    id: str
    endpoint_id: str | None = Field(description="Null where the request itself named the address.")
    url: str
    task_id: str
    event: str
    state: DeliveryState
    tries: int = Field(description="Tries since it was made, or since it was last replayed.")
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    attempts: list[TryOut] = Field(description=f"The latest tries, at most {TRIES_SHOWN}, the oldest first.")


class DeliveryPage(BaseModel):
    data: list[DeliveryOut]
    next_cursor: str | None


class SeenDeliveryOut(DeliveryOut):
    account: str


class SeenDeliveryPage(BaseModel):
    data: list[SeenDeliveryOut]
    next_cursor: str | None


class Listing(BaseModel):
    """What a list of deliveries is asked for."""

    state: DeliveryState | None = None
    task: str | None = None
    endpoint: str | None = None
    limit: int = Field(PAGE, ge=1, le=PAGE_LONGEST)
    cursor: str | None = None


def customer_deliveries(around: Surroundings) -> APIRouter:
    """Build the customers' routes."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.get("/deliveries")
    async def deliveries(request: Request, asked: Annotated[Listing, Query()]) -> DeliveryPage:
        """List what was told, or is to be told, newest first."""
        owner = await around.doorman.owner(request)
        found, more = await _page(around, owner.account_id, asked)
        shown = [_told(delivery) for delivery in found]
        return DeliveryPage(data=shown, next_cursor=shown[-1].id if more else None)

    @router.post("/deliveries/{id}/replay")
    async def replay(request: Request, id: str) -> DeliveryOut:  # noqa: A002  # the path's own word
        """Tell it again, now, with the same id and the same bytes."""
        owner = await around.doorman.writer(request)
        return _told(await _replayed(around, owner.account_id, id))

    return router


def operator_deliveries(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around, "/webhooks/deliveries")

    @router.get("")
    async def deliveries(asked: Annotated[Listing, Query()]) -> SeenDeliveryPage:
        """List every account's deliveries, newest first."""
        found, more = await _page(around, None, asked)
        shown = [_seen(delivery) for delivery in found]
        return SeenDeliveryPage(data=shown, next_cursor=shown[-1].id if more else None)

    @router.post("/{id}/replay")
    async def replay(id: str) -> SeenDeliveryOut:  # noqa: A002  # the path's own word
        """Tell it again, now, with the same id and the same bytes."""
        return _seen(await _replayed(around, None, id))

    return router


async def _page(
    around: Surroundings, account_id: int | None, asked: Listing
) -> tuple[Sequence[Delivery], bool]:
    wanted = Wanted(
        account_id=account_id,
        state=asked.state,
        task_id=None if asked.task is None else await _task(around, account_id, asked.task),
        endpoint_id=None if asked.endpoint is None else _known(ENDPOINT, asked.endpoint, "webhook_not_found"),
        after=None if asked.cursor is None else _known(DELIVERY, asked.cursor, "delivery_not_found"),
    )
    return await around.deliveries.page(wanted, asked.limit)


async def _task(around: Surroundings, account_id: int | None, name: str) -> UUID:
    """Find a task of that account; for operators, who name none, anybody's."""
    if account_id is None:
        seen = await around.oversight.task(name)
        found = None if seen is None else seen.task.id
    else:
        found = await around.reader.place(name, account_id)
    if found is None:
        raise Problem("task_not_found")
    return found


async def _replayed(around: Surroundings, account_id: int | None, name: str) -> Delivery:
    id_ = _known(DELIVERY, name, "delivery_not_found")
    tellable = await around.deliveries.tellable(account_id, id_)
    if not tellable:
        raise Problem("delivery_not_found" if tellable is None else "webhook_disabled")
    wait = await around.deliveries.too_often(id_)
    if wait is not None:
        seconds = int(wait.total_seconds()) + 1
        raise Problem("too_many_replays", limit=REPLAYED_TRIES, retry_after_s=seconds)
    await around.deliveries.replay(account_id, id_)
    around.engine.announced.set()
    delivery = await around.deliveries.find(account_id, id_)
    if delivery is None:
        raise Problem("delivery_not_found")
    return delivery


def _known(prefix: str, name: str, problem: str) -> UUID:
    id_ = id_of(prefix, name)
    if id_ is None:
        raise Problem(problem)
    return id_


def _seen(delivery: Delivery) -> SeenDeliveryOut:
    return SeenDeliveryOut(**_told(delivery).model_dump(), account=delivery.account)


def _told(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut.model_validate(
        {
            "id": named(DELIVERY, delivery.id),
            "endpoint_id": None if delivery.endpoint_id is None else named(ENDPOINT, delivery.endpoint_id),
            "url": delivery.url,
            "task_id": str(delivery.task_id),
            "event": delivery.event,
            "state": delivery.state,
            "tries": delivery.tries,
            "next_at": delivery.next_at,
            "created_at": delivery.created_at,
            "ended_at": delivery.ended_at,
            "attempts": [
                {name: getattr(one, name) for name in TryOut.model_fields} for one in delivery.tried
            ],
        }
    )
