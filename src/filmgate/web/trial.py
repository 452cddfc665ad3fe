"""Trials of providers: asked for nothing, or with one real film, whose price is said first."""

import asyncio
from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain import ids
from filmgate.domain.catalogue import GATE, Model
from filmgate.domain.contracts_provider import Checks, Provider
from filmgate.domain.faults import Fault
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, FilmRequest
from filmgate.domain.specify import specify
from filmgate.domain.task import Owner
from filmgate.engine.accept import Repeat, Terms
from filmgate.web.accepted import accept_film
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings
from filmgate.web.tried import plainly
from filmgate.web.turn import GATE_NAMES

# Whoever pays for trials: an account like any other, which may be given a budget.
_ACCOUNT: Final = "provider-tests"
_PROMPT: Final = "a paper boat on a calm lake"


class Trial(BaseModel):
    """Whether a film shall be made, and what it may cost at most."""

    model_config = ConfigDict(extra="forbid")

    real: bool = False
    max_cost_micros: int | None = Field(None, ge=0)


class Checked(BaseModel):
    credential: str
    ok: bool | None = Field(description="Null where nothing shows it but a film.")
    found: str
    took_ms: int


class TrialFilm(BaseModel):
    """The cheapest film that this provider may be asked for, and what it costs by the list."""

    model: str
    size: str
    seconds: int
    price_micros: int


class Tested(BaseModel):
    name: str
    ok: bool
    checks: list[Checked]
    film: TrialFilm | None = Field(description="What a real trial makes; null where no model leads there.")
    task_id: str | None = Field(description="The film that is being made, where one was asked for.")


def trial_routes(around: Surroundings) -> APIRouter:
    """Build the operators' route for trials."""
    router = operator_router(around)

    @router.post("/providers/{name}/test")
    async def test(name: str, trial: Trial | None = None) -> Tested:
        """Ask a provider whether it would take films; with `real`, have it make one, for the account provider-tests."""
        accesses = around.engine.router.accesses(name)
        if not accesses:
            raise Problem("provider_not_found", name=name)
        names = {row.id: row.name for row in await around.engine.credentials.list()}
        checks = await asyncio.gather(
            *(_checked(around, names.get(one.credential_id, ""), one.provider) for one in accesses)
        )
        film = min(_films(around, name), key=lambda one: one.price_micros, default=None)
        tested = Tested(
            name=name,
            ok=all(one.ok is not False for one in checks),
            checks=list(checks),
            film=film,
            task_id=None,
        )
        if trial is not None and trial.real:
            tested.task_id = await _begun(around, tested, trial.max_cost_micros)
        return tested

    return router


async def _checked(around: Surroundings, credential: str, provider: Provider) -> Checked:
    began, ok = around.clock.monotonic(), None
    if isinstance(provider, Checks):
        try:
            found, ok = await provider.check(), True
        except Fault as fault:
            kind = type(fault).__name__.lower()
            found, ok = f"{plainly(kind, 'en')} ({kind}): {fault}", False
    else:
        found = "nothing of it can be asked for free"
    took_ms = round((around.clock.monotonic() - began) * 1000)
    return Checked(credential=credential, ok=ok, found=found, took_ms=took_ms)


def _films(around: Surroundings, provider: str) -> Iterator[TrialFilm]:
    """Give the shortest film of each model that may be made by a provider."""
    for model in around.catalogue.models:
        if all(line.provider_name != provider for line in around.engine.router.lines(model.name)):
            continue
        try:
            request = specify(_draft(model), GATE, around.catalogue, earlier=None, soften=False).request
            yield _priced(around, request)
        except Problem:
            # It makes nothing from a prompt alone, or may not be sold.
            continue


def _draft(model: Model) -> Draft:
    return Draft(model=model.name, prompt=_PROMPT, seconds=str(model.offers[GATE].seconds.allowed[0]))


def _priced(around: Surroundings, request: FilmRequest) -> TrialFilm:
    price = around.catalogue.prices.price(request, around.clock.now())
    return TrialFilm(
        model=request.model,
        size=str(request.size),
        seconds=sum(request.clips),
        price_micros=price.amount_micros,
    )


async def _begun(around: Surroundings, tested: Tested, limit_micros: int | None) -> str:
    """Have the film made, by that provider first; give its task."""
    if tested.film is None:
        raise Problem("model_not_found", field="model", model="")
    used = [row for row in await around.engine.credentials.list() if row.provider == tested.name]
    open_ = [row for row in used if row.enabled and row.paused_at is None]
    if not open_:
        raise Problem("provider_paused", name=tested.name)
    task, _ = await accept_film(
        around,
        Draft(model=tested.film.model, prompt=_PROMPT, seconds=str(tested.film.seconds)),
        owner=await _payer(around),
        dialect=GATE,
        names=GATE_NAMES,
        repeat=Repeat(),
        terms=Terms(max_cost_micros=limit_micros, credential_id=open_[0].id),
    )
    around.telemetry.event("provider.tested", provider=tested.name, task=str(task.id))
    return str(task.id)


async def _payer(around: Surroundings) -> Owner:
    """Find the key under which trials are made; nobody ever gets to see one."""
    for row in await around.keys.list():
        if row.account == _ACCOUNT and row.name == _ACCOUNT:
            standing = await around.keys.standing(row.id)
            if standing is not None:
                return standing
    unseen = ids.new_key(around.chance)
    made = await around.keys.standing(await around.keys.create(unseen, name=_ACCOUNT, account=_ACCOUNT))
    if made is None:
        raise Problem("not_found")
    return made
