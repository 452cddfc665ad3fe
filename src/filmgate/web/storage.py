"""`/admin/v1`: where films are kept, and the buckets of customers into which they go."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import PAGE, PAGE_LONGEST
from filmgate.domain.problems import Problem
from filmgate.engine.accept import destination_not_found
from filmgate.objects.checkup import Finding, new_mark
from filmgate.store.shipments import Shipment, ShipmentState, Sum
from filmgate.store.stock import Unlike
from filmgate.web.answers import language_of
from filmgate.web.operators import operator_router
from filmgate.web.shapes import ShipmentOut
from filmgate.web.shipments import shipment_body
from filmgate.web.surroundings import Surroundings


class FindingOut(BaseModel):
    """What a store would not do, and the way out."""

    step: str
    trouble: str
    said: str
    way_out: str


class UsedOut(BaseModel):
    role: str
    files: int
    size_bytes: int


class StorageOut(BaseModel):
    place: str = Field(description="A folder, or a bucket's address.")
    failing: FindingOut | None = Field(description="What keeps films from being stored now, if anything.")
    free_bytes: int | None = Field(description="How much more a folder holds; null for a bucket.")
    used: list[UsedOut] = Field(description="What rows say is there.")


class UnlikeOut(BaseModel):
    total: int
    keys: list[str] = Field(description="The newest of them.")


class ComparisonOut(BaseModel):
    """What rows and objects say differently; nothing of it is repaired."""

    rows: int
    objects: int
    complete: bool = Field(description="False where listing took too long: what is missing is unknown then.")
    seconds: float
    rows_without_object: UnlikeOut
    objects_without_row: UnlikeOut
    objects_of_other_size: UnlikeOut


class DestinationOut(BaseModel):
    name: str
    url: str | None = Field(description="Null where the settings have it no more.")
    path: str | None
    accounts: list[str] = Field(description="Who may use it; empty is everybody.")
    due: int
    delivered: int
    given_up: int
    oldest_at: datetime | None = Field(description="Since when the longest waits.")
    trouble: str | None = Field(description="What stands in the way of those that wait.")


class DestinationPage(BaseModel):
    data: list[DestinationOut]


class TestOut(BaseModel):
    """Whether a small object could be written, read back and removed."""

    name: str
    success: bool
    problem: FindingOut | None


class SeenShipmentOut(ShipmentOut):
    id: str
    task_id: UUID
    account_id: int
    error: str | None = Field(description="The store's own words.")


class ShipmentPage(BaseModel):
    data: list[SeenShipmentOut]
    next_cursor: str | None


class Default(BaseModel):
    model_config = ConfigDict(extra="forbid")

    destination: str | None


def storage_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around)
    _add_storage(router, around)
    _add_destinations(router, around)

    @router.get("/shipments")
    async def shipments(
        state: ShipmentState | None = None,
        destination: str | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_LONGEST)] = PAGE,
        cursor: UUID | None = None,
    ) -> ShipmentPage:
        """List films that go into buckets of customers, newest first."""
        found, more = await around.shipping.shipments.page(
            state=state, destination=destination, after=cursor, limit=limit
        )
        shown = [_seen(one) for one in found]
        return ShipmentPage(data=shown, next_cursor=shown[-1].id if more and shown else None)

    return router


def _add_storage(router: APIRouter, around: Surroundings) -> None:
    @router.get("/storage")
    async def storage(request: Request) -> StorageOut:
        """Say where films are kept, how much, and whether more can be."""
        depot = around.depot
        used = [
            UsedOut(role=one.role, files=one.files, size_bytes=one.size_bytes)
            for one in await depot.stock.used()
        ]
        return StorageOut(
            place=depot.place,
            failing=_finding(depot.watched.failing, request),
            free_bytes=depot.watched.store.free_bytes(),
            used=used,
        )

    @router.post("/storage/compare")
    async def compare() -> ComparisonOut:
        """Compare rows with objects, and say what only one of the two has; nothing is repaired."""
        compared = await around.depot.compare()
        found, nothing = compared.differences, Unlike(0, [])
        return ComparisonOut(
            rows=found.rows,
            objects=found.objects,
            complete=compared.complete,
            seconds=round(compared.seconds, 3),
            rows_without_object=_unlike(found.missing if compared.complete else nothing),
            objects_without_row=_unlike(found.strange),
            objects_of_other_size=_unlike(found.resized),
        )


def _add_destinations(router: APIRouter, around: Surroundings) -> None:
    @router.get("/destinations")
    async def destinations() -> DestinationPage:
        """List the buckets of customers, and what goes there."""
        sums = {one.destination: one for one in await around.shipping.shipments.sums()}
        names = sorted({*sums, *around.depot.destinations})
        return DestinationPage(data=[_shown(around, name, sums.get(name)) for name in names])

    @router.post("/destinations/{name}/test")
    async def test(request: Request, name: str) -> TestOut:
        """Write a small object there, read it back and remove it."""
        found = around.depot.destinations.get(name)
        if found is None:
            raise Problem("not_found")
        problem = await found.test(new_mark(around.chance))
        return TestOut(name=name, success=problem is None, problem=_finding(problem, request))

    @router.post("/keys/{id}/destination")
    async def default(id: int, wanted: Default) -> Default:  # noqa: A002  # the path's own word
        """Say where the films of a key go, if its requests say nothing else."""
        if wanted.destination is not None:
            allowed = await around.shipping.admitted_for(id)
            if wanted.destination not in allowed:
                raise destination_not_found("destination", wanted.destination, allowed)
        if not await around.shipping.shipments.set_default(id, wanted.destination):
            raise Problem("key_not_found", name=str(id))
        return wanted


def _shown(around: Surroundings, name: str, said: Sum | None) -> DestinationOut:
    place = found.place if (found := around.depot.destinations.get(name)) else None
    return DestinationOut(
        name=name,
        url=place.url if place else None,
        path=place.path if place else None,
        accounts=sorted(place.accounts) if place else [],
        due=said.due if said else 0,
        delivered=said.delivered if said else 0,
        given_up=said.given_up if said else 0,
        oldest_at=said.oldest_at if said else None,
        trouble=said.trouble if said else None,
    )


def _seen(shipment: Shipment) -> SeenShipmentOut:
    return SeenShipmentOut(
        **shipment_body(shipment).model_dump(),
        id=str(shipment.id),
        task_id=shipment.task_id,
        account_id=shipment.account_id,
        error=shipment.error,
    )


def _finding(found: Finding | None, request: Request) -> FindingOut | None:
    if found is None:
        return None
    way_out = found.way_out_zh if language_of(request) == "zh" else found.way_out
    return FindingOut(step=found.step, trouble=found.trouble.value, said=found.said, way_out=way_out)


def _unlike(found: Unlike) -> UnlikeOut:
    return UnlikeOut(total=found.total, keys=list(found.keys))
