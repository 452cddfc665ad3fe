"""Money over HTTP: balances for customers."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from filmgate.domain.limits import MOST_MICROS, MOST_TASKS
from filmgate.domain.problems import Problem
from filmgate.web.surroundings import Surroundings

Micros = Annotated[int, Field(strict=True, ge=0, le=MOST_MICROS)]
"""A limit of money: whole micro-dollars, never a text and never a fraction."""
Count = Annotated[int, Field(strict=True, gt=0, le=MOST_TASKS)]


class BalanceOut(BaseModel):
    account: str
    balance_micros: int | None = Field(description="Null where the account spends without limit.")
    held_micros: int
    spent_micros: int
    budget_micros: int | None
    budget_period: str | None
    period_ends_at: datetime | None = Field(description="When the account's budget begins anew; null: never.")
    key_budget_micros: int | None
    key_budget_period: str | None
    key_period_ends_at: datetime | None
    key_spent_micros: int
    key_held_micros: int
    key_returned_micros: int = Field(description="What was held in this period, and given back.")
    unfinished: int


def customer_money(around: Surroundings) -> APIRouter:
    """Build the customers' routes."""
    router = APIRouter(prefix="/gate/v1", tags=["gate"])

    _add_balance(router, around)
    return router


def _add_balance(router: APIRouter, around: Surroundings) -> None:
    @router.get("/balance")
    async def balance(request: Request) -> BalanceOut:
        """Say what this key and its account have, hold and have spent."""
        owner = await around.doorman.owner(request)
        account, key = await around.accounts.of_owner(owner.account_id, owner.key_id)
        if account is None or key is None:
            raise Problem("makes_no_films")
        return BalanceOut(
            account=account.name,
            balance_micros=None if account.credit_micros is None else account.balance_micros,
            held_micros=account.held_micros,
            spent_micros=account.spent_micros,
            budget_micros=account.budget_micros,
            budget_period=account.budget_period,
            period_ends_at=account.period_ends_at,
            key_budget_micros=key.budget_micros,
            key_budget_period=key.budget_period,
            key_period_ends_at=key.period_ends_at,
            key_spent_micros=key.spent_micros,
            key_held_micros=key.held_micros,
            key_returned_micros=await around.accounts.returned_micros(owner.key_id),
            unfinished=account.unfinished,
        )
