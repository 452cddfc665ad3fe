"""How the gate is inside, as facts; whoever shows them judges them."""

import asyncio
import shutil
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from filmgate.engine.stranded import stranded
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings


class NoticedOut(BaseModel):
    kind: str
    count: int
    at: datetime = Field(description="When the last of them came.")
    text: str


class StrandOut(BaseModel):
    kind: str = Field(
        description="no_route: tasks wait for one; provider_missing: it makes films, and is gone."
    )
    name: str
    text: str


class VitalsOut(BaseModel):
    """What counts days looks back seven of them."""

    node_at: datetime
    database_at: datetime
    skew_s: float = Field(description="By how much this node's clock is before the database's.")
    database: str = Field(description="The version of PostgreSQL.")
    database_bytes: int
    connections: int = Field(description="Of all who use this PostgreSQL.")
    connections_limit: int
    schema_name: str = Field(description="The last step that the database's schema took.")
    schema_trouble: str | None
    disk_free_bytes: int = Field(description="Where this node's data folder is.")
    disk_size_bytes: int
    engines: int = Field(description="How many were heard of lately.")
    late_s: float | None = Field(description="How late the latest step is; null where none is.")
    queued: int
    queued_s: float | None = Field(description="How long the oldest queued task waits.")
    uncertain: int = Field(description="Submits of which nobody knows what became of them.")
    parked: int = Field(description="Tasks of these days that were given up since they killed their engines.")
    webhooks_failing: int
    webhooks_disabled: int
    webhooks_given_up: int = Field(description="Deliveries of these days that will not be tried again.")
    newest_partition: str | None
    unpartitioned: bool = Field(description="Whether tasks lie outside of the weekly partitions.")
    notices: list[NoticedOut]
    stranded: list[StrandOut]


def vitals_route(around: Surroundings) -> APIRouter:
    """Build the operators' route."""
    router = operator_router(around)

    @router.get("/vitals")
    async def vitals() -> VitalsOut:
        """Say how the gate is inside: its database, clock and disk, what waits, and what went wrong of late."""
        found = await around.oversight.vitals()
        now = around.clock.now()
        disk = await asyncio.to_thread(shutil.disk_usage, around.engine.workspace)
        return VitalsOut(
            node_at=now,
            database_at=found.at,
            skew_s=round((now - found.at).total_seconds(), 3),
            database=found.version,
            database_bytes=found.size_bytes,
            connections=found.connections,
            connections_limit=found.connections_limit,
            schema_name=found.schema_name,
            schema_trouble=found.schema_trouble,
            disk_free_bytes=disk.free,
            disk_size_bytes=disk.total,
            engines=found.engines,
            late_s=found.late_s,
            queued=found.queued,
            queued_s=found.queued_s,
            uncertain=found.uncertain,
            parked=found.parked,
            webhooks_failing=found.failing,
            webhooks_disabled=found.disabled,
            webhooks_given_up=found.given_up,
            newest_partition=found.newest_partition,
            unpartitioned=found.unpartitioned,
            notices=[
                NoticedOut(kind=one.kind, count=one.count, at=one.at, text=one.text) for one in found.notices
            ],
            stranded=[
                StrandOut(kind=one.kind, name=one.name, text=one.text)
                for one in await stranded(around.engine)
            ],
        )

    return router
