"""Providers as operators see them: their lights, what they make, and a switch for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from filmgate.domain.problems import Problem
from filmgate.store.credentials import CredentialState
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

Light = Literal["green", "yellow", "red", "grey"]


class CredentialOut(BaseModel):
    name: str
    light: Light
    configured: bool = Field(description="Whether the settings still have it.")
    in_flight: int
    in_flight_limit: int
    submits_per_minute: float | None
    failures_in_row: int
    blocked_until: datetime | None
    blocked_because: str | None
    last_error: str | None
    last_error_class: str | None
    last_error_at: datetime | None


class ProviderOut(BaseModel):
    """Green: it takes films. Yellow: some of it does, or it is being tried. Red: it takes none. Grey: paused, or gone."""

    name: str
    light: Light
    paused_at: datetime | None
    in_flight: int
    in_flight_limit: int
    credentials: list[CredentialOut]


class ProviderPage(BaseModel):
    data: list[ProviderOut]


class Switched(BaseModel):
    name: str
    paused: bool
    running: int = Field(description="How many films it still makes.")


def provider_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes about providers."""
    router = operator_router(around)

    @router.get("/providers")
    async def providers() -> ProviderPage:
        """List providers with their credentials, how much they make, and what keeps them from more."""
        rows: dict[str, list[CredentialState]] = {}
        for row in await around.engine.credentials.list():
            rows.setdefault(row.provider, []).append(row)
        return ProviderPage(data=[_provider(name, found) for name, found in rows.items()])

    @router.post("/providers/{name}/pause")
    async def pause(name: str) -> Switched:
        """Send a provider nothing more; what it makes goes on."""
        return _switched(around, name, await around.engine.credentials.pause(_clean(name)), paused=True)

    @router.post("/providers/{name}/resume")
    async def resume(name: str) -> Switched:
        """Send a provider films again, also where its failures had shut it."""
        running = await around.engine.credentials.resume(_clean(name))
        around.bell.set()
        return _switched(around, name, running, paused=False)

    return router


def _clean(name: str) -> str:
    if "\0" in name:
        raise Problem("not_found")
    return name


def _switched(around: Surroundings, name: str, running: int | None, *, paused: bool) -> Switched:
    if running is None:
        raise Problem("provider_not_found", name=name)
    around.telemetry.event("provider.paused" if paused else "provider.resumed", provider=name)
    return Switched(name=name, paused=paused, running=running)


def _provider(name: str, rows: Sequence[CredentialState]) -> ProviderOut:
    used = [row for row in rows if row.enabled]
    return ProviderOut(
        name=name,
        light=_shared([_light(row) for row in used]),
        paused_at=min((row.paused_at for row in used if row.paused_at), default=None),
        in_flight=sum(row.in_flight for row in rows),
        in_flight_limit=sum(row.max_in_flight for row in used),
        credentials=[_credential(row) for row in rows],
    )


def _shared(lights: Sequence[Light]) -> Light:
    """Give one light for several: theirs where they agree."""
    if not lights:
        return "grey"
    return lights[0] if len(set(lights)) == 1 else "yellow"


def _light(row: CredentialState) -> Light:
    if not row.enabled or row.paused_at is not None:
        return "grey"
    if row.blocked_until is not None:
        # A busy one opens by itself; one that failed must show first that it works.
        return "red" if row.trying else "yellow"
    return "yellow" if row.trying else "green"


def _credential(row: CredentialState) -> CredentialOut:
    return CredentialOut(
        name=row.name,
        light=_light(row),
        configured=row.enabled,
        in_flight=row.in_flight,
        in_flight_limit=row.max_in_flight,
        submits_per_minute=None if row.rate_per_s is None else row.rate_per_s * 60,
        failures_in_row=row.failures_in_row,
        blocked_until=row.blocked_until,
        blocked_because=row.blocked_because if row.blocked_until else None,
        last_error=row.last_error,
        last_error_class=row.last_error_class,
        last_error_at=row.last_error_at,
    )
