"""Webhooks in the gate's own API: endpoints, and the secret of callbacks."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.webhook import ENDPOINT, named
from filmgate.engine.subscribe import EVENTS
from filmgate.store.endpoints import Endpoint
from filmgate.web.endpoints import endpoint_body
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

_MOST_ENDPOINTS = 1_000
# Nobody on the way may keep a secret.
_SECRET = {"cache-control": "no-store"}


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


def _shown(endpoint: Endpoint) -> EndpointOut:
    return EndpointOut.model_validate(endpoint_body(endpoint))


def _with_secret(endpoint: Endpoint, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret.model_validate(endpoint_body(endpoint, secret))


def _callbacks(endpoint: Endpoint, secret: str) -> CallbackSecret:
    return CallbackSecret(
        signing_secret=secret, signing_secret_hint=endpoint.hint, updated_at=endpoint.updated_at
    )
