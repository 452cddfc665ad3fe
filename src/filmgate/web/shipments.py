"""Films on their way into buckets of customers, for whoever owns the films."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.problems import Problem
from filmgate.domain.task import Task
from filmgate.engine.accept import destination_not_found
from filmgate.engine.ship import MOST_TRIES
from filmgate.store.shipments import Shipment
from filmgate.web.found import own_task
from filmgate.web.shapes import ShipmentOut
from filmgate.web.surroundings import Surroundings


class Deliver(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deliver_to: Annotated[str, Field(min_length=1)] = Field(description="The destination's name.")


class ShipmentsOut(BaseModel):
    deliveries: list[ShipmentOut]


class DestinationNames(BaseModel):
    data: list[str]


def shipment_routes(around: Surroundings) -> APIRouter:
    """Build the customers' routes."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.get("/destinations")
    async def destinations(request: Request) -> DestinationNames:
        """Name the destinations that this account may use."""
        owner = await around.doorman.owner(request)
        return DestinationNames(data=await around.shipping.admitted_for(owner.key_id))

    @router.post("/tasks/{id}/deliver")
    async def deliver(request: Request, id: str, wanted: Deliver) -> ShipmentsOut:  # noqa: A002  # the path's own word
        """Deliver a film now, for the first time or again; what is there already under its name stays as it is."""
        owner = await around.doorman.owner(request)
        task = await own_task(around, owner.account_id, id)
        await _send(around, task, wanted.deliver_to)
        return ShipmentsOut(deliveries=await shipments_of(around, task))

    return router


async def shipments_of(around: Surroundings, task: Task) -> list[ShipmentOut]:
    """Say where a task's film went, or goes."""
    if task.film is None:
        return []
    return [shipment_body(one) for one in await around.shipping.shipments.of_task(task.id)]


def shipment_body(shipment: Shipment) -> ShipmentOut:
    in_hand = shipment.leased and shipment.state == "due"
    return ShipmentOut(
        destination=shipment.destination,
        name=shipment.name,
        state=shipment.state,
        tries=shipment.tries,
        tries_most=MOST_TRIES,
        next_at=None if in_hand else shipment.due_at,
        trouble=None if shipment.state == "delivered" else shipment.trouble,
        created_at=shipment.created_at,
        ended_at=shipment.ended_at,
    )


async def _send(around: Surroundings, task: Task, name: str) -> None:
    whose = await around.shipping.shipments.whose(task.key_id)
    allowed = around.shipping.admitted(whose.account) if whose else []
    if whose is None or name not in allowed:
        raise destination_not_found("deliver_to", name, allowed)
    file = None if task.film is None else await around.reader.file(task.film.files["video"])
    if task.film is None or file is None:
        raise Problem("film_absent" if task.state.ended else "film_not_ready", id=task.name)
    new = around.shipping.new(task, task.film, name, whose)
    if new is not None and await around.shipping.shipments.send(task.id, new):
        around.shipping.wake.set()
