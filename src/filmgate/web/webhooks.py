"""Webhooks in the gate's own API: endpoints, the secret of callbacks, and the log of deliveries with its replay."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import PAGE, PAGE_LONGEST, REPLAYED_TRIES, TRIES_SHOWN
from filmgate.domain.problems import Problem
from filmgate.domain.webhook import DELIVERY, ENDPOINT, id_of, named
from filmgate.engine.subscribe import EVENTS
from filmgate.store.delivery_log import Delivery, Wanted
from filmgate.store.endpoints import Endpoint
from filmgate.web.endpoints import endpoint_body
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

_MOST_ENDPOINTS = 1_000
# Nobody on the way may keep a secret.
_SECRET = {"cache-control": "no-store"}

DeliveryState = Literal["due", "delivered", "given_up"]


class EndpointOut(BaseModel):
    """An endpoint; times are unix seconds."""

    id: str
    object: Literal["webhook_endpoint"]
    created_at: int
    updated_at: int
    name: str
    url: str | None
    event_types: list[str]
    signing_secret_hint: str
    failing_since: int | None
    disabled_at: int | None
    disabled_reason: str | None


class EndpointWithSecret(EndpointOut):
    signing_secret: str = Field(description="Shown when it is made or rotated, and never again.")


class EndpointPage(BaseModel):
    data: list[EndpointOut]
    next_cursor: str | None


class NewEndpointIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    url: str = Field(description="A public https address.")
    event_types: list[str]


class EndpointChange(BaseModel):
    """What is not named stays; an address that is given is tried again, also where it was disabled."""

    model_config = ConfigDict(extra="ignore")

    enabled: bool | None = Field(None, description="True tries it again, false tells it nothing more.")

    name: str | None = None
    url: str | None = None
    event_types: list[str] | None = None


class Rotation(BaseModel):
    keep_old_secret_active_for_24_hours: bool = False


class Sample(BaseModel):
    event_type: str


class SampleOut(BaseModel):
    object: Literal["webhook_endpoint.test"] = "webhook_endpoint.test"
    event_type: str
    status_code: int
    success: bool = True
    webhook_endpoint_id: str


class EventTypes(BaseModel):
    data: list[str]


class CallbackSecret(BaseModel):
    """What signs the callbacks that requests of this account name themselves."""

    signing_secret: str
    signing_secret_hint: str
    updated_at: datetime


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


class Listing(BaseModel):
    """What a list of deliveries is asked for."""

    state: DeliveryState | None = None
    task: str | None = None
    endpoint: str | None = None
    limit: int = Field(PAGE, ge=1, le=PAGE_LONGEST)
    cursor: str | None = None


class AccountEndpoint(EndpointOut):
    account: str


class AccountEndpoints(BaseModel):
    data: list[AccountEndpoint]


def customer_webhooks(around: Surroundings) -> APIRouter:
    """Build the customers' routes."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])
    _add_endpoints(router, around)
    _add_changes(router, around)
    _add_secret(router, around)

    @router.get("/deliveries")
    async def deliveries(request: Request, asked: Annotated[Listing, Query()]) -> DeliveryPage:
        """List what was told, or is to be told, newest first."""
        owner = await around.doorman.owner(request)
        return await _page(around, owner.account_id, asked)

    @router.post("/deliveries/{id}/replay")
    async def replay(request: Request, id: str) -> DeliveryOut:  # noqa: A002  # the path's own word
        """Tell it again, now, with the same id and the same bytes."""
        owner = await around.doorman.writer(request)
        return await _replayed(around, owner.account_id, id)

    return router


def operator_webhooks(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around, "/webhooks")

    @router.get("")
    async def endpoints() -> AccountEndpoints:
        """List every account's endpoints with their health, newest first."""
        found = await around.subscriptions.endpoints.all(_MOST_ENDPOINTS)
        return AccountEndpoints(
            data=[AccountEndpoint(**_shown(endpoint).model_dump(), account=name) for name, endpoint in found]
        )

    @router.get("/deliveries")
    async def deliveries(asked: Annotated[Listing, Query()]) -> DeliveryPage:
        """List every account's deliveries, newest first."""
        return await _page(around, None, asked)

    @router.post("/deliveries/{id}/replay")
    async def replay(id: str) -> DeliveryOut:  # noqa: A002  # the path's own word
        """Tell it again, now, with the same id and the same bytes."""
        return await _replayed(around, None, id)

    return router


def _add_endpoints(router: APIRouter, around: Surroundings) -> None:
    @router.get("/webhook_event_types")
    async def event_types(request: Request) -> EventTypes:
        """Name the events that there are."""
        await around.doorman.owner(request)
        return EventTypes(data=list(EVENTS))

    @router.post("/webhook_endpoints", status_code=201)
    async def create(request: Request, new: NewEndpointIn) -> EndpointWithSecret:
        """Add an address that is told of this account's films."""
        owner = await around.doorman.writer(request)
        endpoint, secret = await around.subscriptions.create(
            owner, name=new.name, url=new.url, events=new.event_types
        )
        return _with_secret(endpoint, secret)

    @router.get("/webhook_endpoints")
    async def page(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=PAGE_LONGEST)] = PAGE,
        cursor: str | None = None,
    ) -> EndpointPage:
        """List endpoints, newest first."""
        found, more = await around.subscriptions.page(
            await around.doorman.owner(request), after=cursor, limit=limit
        )
        shown = [_shown(endpoint) for endpoint in found]
        return EndpointPage(data=shown, next_cursor=shown[-1].id if more else None)

    @router.get("/webhook_endpoints/{id}")
    async def show(request: Request, id: str) -> EndpointOut:  # noqa: A002  # the path's own word
        """Show an endpoint."""
        return _shown(await around.subscriptions.find(await around.doorman.owner(request), id))


def _add_changes(router: APIRouter, around: Surroundings) -> None:
    @router.patch("/webhook_endpoints/{id}")
    @router.post("/webhook_endpoints/{id}", operation_id="change_endpoint")
    async def update(request: Request, id: str, change: EndpointChange) -> EndpointOut:  # noqa: A002  # as above
        """Change an endpoint; one that was disabled is tried again with `enabled`, or when its address is given."""
        owner = await around.doorman.writer(request)
        return _shown(
            await around.subscriptions.update(
                owner,
                id,
                name=change.name,
                url=change.url,
                events=change.event_types,
                enabled=change.enabled,
            )
        )

    @router.delete("/webhook_endpoints/{id}", status_code=204)
    async def delete(request: Request, id: str) -> None:  # noqa: A002  # as above
        """Delete an endpoint; what it was not told yet, it is told no more."""
        await around.subscriptions.delete(await around.doorman.owner(request), id)

    @router.post("/webhook_endpoints/{id}/rotate_secret")
    async def rotate(
        request: Request,
        response: Response,
        id: str,  # noqa: A002  # as above
        rotation: Rotation | None = None,
    ) -> EndpointWithSecret:
        """Give an endpoint another secret; the former one may sign beside it for a day."""
        response.headers.update(_SECRET)
        owner = await around.doorman.writer(request)
        keep = rotation is not None and rotation.keep_old_secret_active_for_24_hours
        return _with_secret(*await around.subscriptions.rotate(owner, id, keep_former=keep))

    @router.post("/webhook_endpoints/{id}/test")
    async def test(request: Request, id: str, sample: Sample) -> SampleOut:  # noqa: A002  # as above
        """Send a sample now, once, and say which status was answered."""
        owner = await around.doorman.writer(request)
        endpoint, event, status = await around.subscriptions.test(owner, id, sample.event_type)
        return SampleOut(
            event_type=event, status_code=status, webhook_endpoint_id=named(ENDPOINT, endpoint.id)
        )


def _add_secret(router: APIRouter, around: Surroundings) -> None:
    @router.get("/webhook_secret")
    async def secret(request: Request, response: Response) -> CallbackSecret:
        """Show what signs the callbacks that requests of this account name themselves."""
        response.headers.update(_SECRET)
        return _callbacks(*await around.subscriptions.callbacks(await around.doorman.owner(request)))

    @router.post("/webhook_secret/rotate")
    async def rotate(
        request: Request, response: Response, rotation: Rotation | None = None
    ) -> CallbackSecret:
        """Make another one; the former one may sign beside it for a day."""
        response.headers.update(_SECRET)
        owner = await around.doorman.writer(request)
        keep = rotation is not None and rotation.keep_old_secret_active_for_24_hours
        return _callbacks(*await around.subscriptions.rotate_callbacks(owner, keep_former=keep))


async def _page(around: Surroundings, account_id: int | None, asked: Listing) -> DeliveryPage:
    wanted = Wanted(
        account_id=account_id,
        state=asked.state,
        task_id=None if asked.task is None else await _task(around, account_id, asked.task),
        endpoint_id=None if asked.endpoint is None else _known(ENDPOINT, asked.endpoint, "webhook_not_found"),
        after=None if asked.cursor is None else _known(DELIVERY, asked.cursor, "delivery_not_found"),
    )
    found, more = await around.deliveries.page(wanted, asked.limit)
    shown = [_told(delivery) for delivery in found]
    return DeliveryPage(data=shown, next_cursor=shown[-1].id if more else None)


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


async def _replayed(around: Surroundings, account_id: int | None, name: str) -> DeliveryOut:
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
    return _told(delivery)


def _known(prefix: str, name: str, problem: str) -> UUID:
    id_ = id_of(prefix, name)
    if id_ is None:
        raise Problem(problem)
    return id_


def _shown(endpoint: Endpoint) -> EndpointOut:
    return EndpointOut.model_validate(endpoint_body(endpoint))


def _with_secret(endpoint: Endpoint, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret.model_validate(endpoint_body(endpoint, secret))


def _callbacks(endpoint: Endpoint, secret: str) -> CallbackSecret:
    return CallbackSecret(
        signing_secret=secret, signing_secret_hint=endpoint.hint, updated_at=endpoint.updated_at
    )


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
