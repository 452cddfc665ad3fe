"""Prices before films: quotes that bind for customers, and for operators what any key would pay."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.engine.accept import Priced
from filmgate.store.funds import least, left_of_balance, left_of_budget
from filmgate.web.asking import Wish, asked_film
from filmgate.web.operators import operator_router
from filmgate.web.shapes import EtaOut, LineOut
from filmgate.web.showing import eta_out
from filmgate.web.surroundings import Surroundings

_NAME_CHARACTERS = 200


class BudgetOut(BaseModel):
    """What may still be spent, before the film and after it; null where nothing limits it."""

    remaining_micros: int | None
    after_micros: int | None


class PricedOut(BaseModel):
    """What a request would cost now, and whom."""

    amount_micros: int
    size: str
    clips: list[int] = Field(description="The lengths of the film's clips in seconds.")
    lines: list[LineOut]
    model: str
    eta: EtaOut
    budget: BudgetOut
    remaining_micros: int | None = Field(description="What may still be spent; null where nothing limits it.")
    after_micros: int | None
    warnings: list[str]


class QuoteOut(PricedOut):
    """A price that binds until it expires, for this request, once."""

    quote_id: str
    expires_at: datetime


class KeyPriceOut(PricedOut):
    """What a key would pay; nothing binds by it."""

    key: int = Field(description="The key's id.")


class KeyWish(Wish):
    key: int | str = Field(description="A key's id, or its name.")


def customer_quotes(around: Surroundings) -> APIRouter:
    """Build the customers' route."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    @router.post("/quote")
    async def quote(request: Request, wish: Wish) -> QuoteOut:
        """Say what a film would cost, and keep to it for ten minutes: the body of any submit, of any dialect."""
        owner = await around.doorman.owner(request)
        dialect, draft = await asked_film(around, wish, owner)
        quoted = await around.acceptance.quote(draft, owner=owner, dialect=dialect)
        said = await _said(around, quoted.priced, owner)
        return QuoteOut(**said, quote_id=str(quoted.id), expires_at=quoted.expires_at)

    return router


def operator_quotes(around: Surroundings) -> APIRouter:
    """Build the operators' route."""
    router = operator_router(around)

    @router.post("/quote")
    async def quote(wish: KeyWish) -> KeyPriceOut:
        """Say what a film would cost any key, and what it may spend; no quote is made."""
        owner = await _named(around, str(wish.key))
        dialect, draft = await asked_film(around, wish, owner)
        priced = await around.acceptance.priced(draft, owner=owner, dialect=dialect)
        return KeyPriceOut(**await _said(around, priced, owner), key=owner.key_id)

    return router


async def _named(around: Surroundings, id_or_name: str) -> Owner:
    """Find a valid key; raise Problem `key_not_found`, or `invalid_parameter` where several have that name."""
    try:
        owner = await around.keys.named(id_or_name)
    except LookupError:
        reason, reason_zh = "several keys have this name: give the id of one.", "有多个同名密钥，请使用编号。"
        raise Problem("invalid_parameter", field="key", reason=reason, reason_zh=reason_zh) from None
    if owner is None:
        raise Problem("key_not_found", name=id_or_name[:_NAME_CHARACTERS])
    return owner


async def _said(around: Surroundings, priced: Priced, owner: Owner) -> dict[str, Any]:
    account, key = await around.accounts.of_owner(owner.account_id, owner.key_id)
    balance = None if account is None else left_of_balance(account.balance_micros, account.credit_micros)
    left = least(balance, *(left_of_budget(purse) for purse in (account, key) if purse is not None))
    amount = priced.price.amount_micros
    after = None if left is None else left - amount
    return {
        "amount_micros": amount,
        "size": str(priced.request.size),
        "clips": list(priced.request.clips),
        "lines": [LineOut.model_validate(line.as_json()) for line in priced.price.lines],
        "model": priced.request.model,
        "eta": eta_out(*await around.whereabouts.outlook_for(priced.request)),
        "budget": BudgetOut(remaining_micros=left, after_micros=after),
        "remaining_micros": left,
        "after_micros": after,
        "warnings": list(priced.warnings),
    }
