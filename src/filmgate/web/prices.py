"""The price list as operators read it: what each model costs, now and soon, and what its providers take for it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from filmgate.domain.catalogue import Model
from filmgate.domain.price import PriceList, PriceRow
from filmgate.domain.size import Size
from filmgate.engine.route import Line
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

_EXAMPLE_SECONDS = 8


class PriceOut(BaseModel):
    """A price of the list; the amounts are by the shorter side of the film, such as `720p`."""

    since: date
    per_second_micros: dict[str, int]
    silent_micros: dict[str, int] = Field(description="Where a second without sound costs something else.")
    eight_seconds_micros: dict[str, int] = Field(description="What a film of 8 s with sound costs.")


class CostOut(BaseModel):
    """What a provider takes for one clip of 8 s; null where the settings say nothing of it."""

    provider: str
    model: str = Field(description="The provider's own name of the model.")
    since: date | None
    per_clip_micros: int | None
    per_second_micros: dict[str, int] | None
    eight_seconds_micros: dict[str, int] | None
    margin_micros: dict[str, int] | None = Field(description="What is left of the price of 8 s.")


class ModelPrice(BaseModel):
    model: str
    price: PriceOut | None = Field(description="Null: it is not sold.")
    coming: list[PriceOut]
    costs: list[CostOut]


class PricePage(BaseModel):
    data: list[ModelPrice]
    unpriced: list[str] = Field(
        description="Models that a route serves and that have no price: they are not sold."
    )


def price_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes about prices."""
    router = operator_router(around)

    @router.get("/prices")
    async def prices() -> PricePage:
        """Show what each model costs, now and soon, what its providers take, and which have no price."""
        now = around.clock.now()
        served = [
            (model, lines)
            for model in around.catalogue.models
            if (lines := around.acceptance.router.lines(model.name))
        ]
        shown = [_shown(model, lines, around.catalogue.prices, now) for model, lines in served]
        return PricePage(data=shown, unpriced=[one.model for one in shown if one.price is None])

    return router


def _shown(model: Model, lines: Sequence[Line], prices: PriceList, now: datetime) -> ModelPrice:
    row = prices.row(model.name, now)
    ways = {(line.provider_name, line.model): line for line in lines}
    return ModelPrice(
        model=model.name,
        price=None if row is None else _price(row),
        coming=[_price(later) for later in prices.coming(model.name, now)],
        costs=[_cost(line, row, now) for line in ways.values()],
    )


def _price(row: PriceRow) -> PriceOut:
    return PriceOut(
        since=row.since,
        per_second_micros=_named(row.per_second),
        silent_micros=_named(row.silent),
        eight_seconds_micros=_named(
            {side: _EXAMPLE_SECONDS * amount for side, amount in row.per_second.items()}
        ),
    )


def _cost(line: Line, price: PriceRow | None, now: datetime) -> CostOut:
    row = line.costs.row(line.model, now)
    if row is None:
        return CostOut(
            provider=line.provider_name,
            model=line.model,
            since=None,
            per_clip_micros=None,
            per_second_micros=None,
            eight_seconds_micros=None,
            margin_micros=None,
        )
    own = row.seconds.per_second if row.seconds else {}
    sides = list(price.per_second) if price else list(own)
    taken = {side: row.of_clip(Size(side, side), _EXAMPLE_SECONDS, sound=True) for side in sides}
    left = {
        side: _EXAMPLE_SECONDS * amount - taken[side]
        for side, amount in (price.per_second if price else {}).items()
    }
    return CostOut(
        provider=line.provider_name,
        model=line.model,
        since=row.since,
        per_clip_micros=row.per_clip_micros,
        per_second_micros=_named(own),
        eight_seconds_micros=_named(taken),
        margin_micros=_named(left) if price else None,
    )


def _named(amounts: Mapping[int, int]) -> dict[str, int]:
    return {f"{side}p": amounts[side] for side in sorted(amounts)}
