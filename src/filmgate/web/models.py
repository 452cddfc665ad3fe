"""`/gate/v1/models`: all that a client needs to choose by, so that it never guesses."""

from math import gcd
from typing import Literal

from fastapi import APIRouter, Request

from filmgate.domain.catalogue import GATE, Model, Offer
from filmgate.domain.eta import RunKind
from filmgate.domain.price import PriceRow
from filmgate.domain.size import Size
from filmgate.web.shapes import ModelOut, ModelPageOut, PriceOut
from filmgate.web.showing import eta_out
from filmgate.web.surroundings import Surroundings


def model_routes(around: Surroundings) -> APIRouter:
    """Build the route."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.get("/models")
    async def models(request: Request) -> ModelPageOut:
        """Say what each model can do, what it costs, how long it takes, and whether it can be had."""
        await around.doorman.owner(request)
        return ModelPageOut(data=[await _shown(around, model) for model in around.catalogue.models])

    return router


async def _shown(around: Surroundings, model: Model) -> ModelOut:
    offer = model.offers[GATE]
    price = around.catalogue.prices.row(model.name, around.clock.now())
    missing = _missing(around, model, price)
    kind = RunKind(
        around.whereabouts.provider(model.name), model.name, offer.seconds.default, str(offer.sizes[0])
    )
    return ModelOut(
        name=model.name,
        owner=model.owner,
        about=model.about,
        dialects=sorted(set(model.offers) - {GATE}),
        seconds=list(offer.seconds.allowed),
        default_seconds=offer.seconds.default,
        sizes=[str(size) for size in offer.sizes],
        ratios=_ratios(offer),
        prompt_characters=offer.prompt_characters,
        pictures={role.value: count for role, count in offer.pictures.counts.items()},
        sound=model.sound,
        prices=[] if price is None else _prices(price, sound=model.sound),
        eta=eta_out(kind, await around.whereabouts.experience.of(kind)),
        available=missing is None,
        unavailable=missing,
    )


def _missing(
    around: Surroundings, model: Model, price: PriceRow | None
) -> Literal["no_route", "no_price"] | None:
    if not around.acceptance.router.lines(model.name):
        return "no_route"
    return "no_price" if price is None else None


def _ratios(offer: Offer) -> list[str]:
    return list(dict.fromkeys(_ratio(size) for size in offer.sizes))


def _ratio(size: Size) -> str:
    common = gcd(size.width, size.height)
    return f"{size.width // common}:{size.height // common}"


def _prices(price: PriceRow, *, sound: bool) -> list[PriceOut]:
    """Write the list out: what is not there for silent films costs the same as with sound."""
    lines = [
        PriceOut(side=side, sound=sound, unit="second", unit_price_micros=micros, since=price.since)
        for side, micros in sorted(price.per_second.items())
    ]
    if sound:
        lines += [
            PriceOut(side=side, sound=False, unit="second", unit_price_micros=micros, since=price.since)
            for side, micros in sorted(price.silent.items())
        ]
    return lines
