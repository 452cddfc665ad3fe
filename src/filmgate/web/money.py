"""Money over HTTP: balances for customers, accounts for operators."""

from datetime import datetime
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import MOST_MICROS, MOST_TASKS
from filmgate.domain.problems import Problem
from filmgate.store.accounts import AccountRow, GiftMismatchError, Setting
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import repeat_by_key

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


class AccountOut(BaseModel):
    id: int
    name: str
    balance_micros: int
    credit_micros: int | None
    held_micros: int
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    period_ends_at: datetime | None
    unfinished: int
    max_unfinished: int | None
    max_running: int | None
    submits_per_minute: int | None
    created_at: datetime


class AccountPage(BaseModel):
    data: list[AccountOut]


class AccountChange(BaseModel):
    """What is not named stays; null takes a limit away."""

    model_config = ConfigDict(extra="forbid")

    credit_micros: Micros | None = Field(None, description="Null: spends freely; 0: prepaid.")
    budget_micros: Micros | None = None
    budget_period: Literal["day", "month"] | None = None
    max_running: Count | None = None
    max_unfinished: Count | None = Field(
        None, description="Those that wait are among them; 10,000 unless it is said otherwise."
    )
    submits_per_minute: Count | None = None


class Gift(BaseModel):
    """An amount for a balance; a negative one is taken from it."""

    amount_micros: int = Field(strict=True, ge=-MOST_MICROS, le=MOST_MICROS)
    reason: str = Field(min_length=1, max_length=500)


class BalanceAfter(BaseModel):
    balance_micros: int


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


def operator_money(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around)

    @router.get("/accounts")
    async def accounts() -> AccountPage:
        """List all accounts with what they have, hold and have spent."""
        return AccountPage(data=[_shown(row) for row in await around.accounts.list()])

    @router.patch("/accounts/{name:path}")
    async def change(name: str, asked: AccountChange) -> AccountOut:
        """Set what an account may spend and how much of it at a time."""
        said = asked.model_fields_set
        settings = {field.removesuffix("_micros"): Setting(getattr(asked, field)) for field in said}
        try:
            row = await around.accounts.set(name, **settings)
        except asyncpg.CheckViolationError:
            reason, reason_zh = "the balance is below it: give some first.", "余额不足，请先充值。"
            raise Problem(
                "invalid_parameter", field="credit_micros", reason=reason, reason_zh=reason_zh
            ) from None
        if row is None:
            raise Problem("not_found")
        around.telemetry.event("account.changed", account=name)
        return _shown(row)

    _add_gifts(router, around)
    return router


def _add_gifts(router: APIRouter, around: Surroundings) -> None:
    @router.post("/accounts/{name:path}/topup", status_code=201)
    async def topup(
        response: Response, name: str, gift: Gift, idempotency_key: Annotated[str | None, Header()] = None
    ) -> BalanceAfter:
        """Give an account money, or take some, with a reason that stays in the ledger; once for an Idempotency-Key."""
        row = await around.accounts.find(name)
        if row is None or gift.amount_micros == 0:
            raise Problem("not_found" if row is None else "missing_parameter", field="amount_micros")
        key = repeat_by_key(idempotency_key).key
        try:
            given = await around.accounts.give(
                row.id, gift.amount_micros, author="operator", reason=gift.reason, key=key
            )
        except GiftMismatchError:
            raise Problem("idempotency_mismatch", field="Idempotency-Key") from None
        except asyncpg.CheckViolationError:
            reason, reason_zh = "more than the balance holds.", "超过余额。"
            raise Problem(
                "invalid_parameter", field="amount_micros", reason=reason, reason_zh=reason_zh
            ) from None
        if given.replayed:
            response.headers["idempotent-replayed"] = "true"
        else:
            around.telemetry.event("account.given", account=name, micros=gift.amount_micros)
        return BalanceAfter(balance_micros=given.balance_micros)


def _shown(row: AccountRow) -> AccountOut:
    return AccountOut(**{name: getattr(row, name) for name in AccountOut.model_fields})
