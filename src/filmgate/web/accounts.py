"""Accounts over HTTP, for operators: what each has, may spend, and is given."""

from datetime import datetime
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import MOST_MICROS
from filmgate.domain.problems import Problem
from filmgate.store.accounts import AccountRow, GiftMismatchError
from filmgate.store.allowance import Setting
from filmgate.web.money import Count, Micros
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import repeat_by_key


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


class NewAccount(AccountChange):
    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")


class Gift(BaseModel):
    """An amount for a balance; a negative one is taken from it."""

    amount_micros: int = Field(strict=True, ge=-MOST_MICROS, le=MOST_MICROS)
    reason: str = Field(min_length=1, max_length=500)


class BalanceAfter(BaseModel):
    balance_micros: int


def account_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around)

    @router.get("/accounts")
    async def accounts() -> AccountPage:
        """List all accounts with what they have, hold and have spent."""
        return AccountPage(data=[_shown(row) for row in await around.accounts.list()])

    @router.post("/accounts", status_code=201)
    async def create(new: NewAccount) -> AccountOut:
        """Open an account, with what it may spend and how much of it at a time."""
        row = await around.accounts.create(new.name, **_settings(new))
        if row is None:
            raise Problem("account_exists", name=new.name)
        around.telemetry.event("account.created", account=new.name)
        return _shown(row)

    @router.get("/accounts/{name:path}")
    async def show(name: str) -> AccountOut:
        """Show an account: what it has, holds, has spent and may spend."""
        row = await around.accounts.find(name)
        if row is None:
            raise Problem("account_not_found", name=name)
        return _shown(row)

    @router.patch("/accounts/{name:path}")
    async def change(name: str, asked: AccountChange) -> AccountOut:
        """Set what an account may spend and how much of it at a time."""
        try:
            row = await around.accounts.set(name, **_settings(asked))
        except asyncpg.CheckViolationError:
            reason, reason_zh = "the balance is below it: give some first.", "余额不足，请先充值。"
            raise Problem(
                "invalid_parameter", field="credit_micros", reason=reason, reason_zh=reason_zh
            ) from None
        if row is None:
            raise Problem("account_not_found", name=name)
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
        if row is None:
            raise Problem("account_not_found", name=name)
        if gift.amount_micros == 0:
            raise Problem("missing_parameter", field="amount_micros")
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


def _settings(said: AccountChange) -> dict[str, Setting]:
    """Give what was named; what was not stays as it is."""
    named = said.model_fields_set & set(AccountChange.model_fields)
    return {field: Setting(getattr(said, field)) for field in named}


def _shown(row: AccountRow) -> AccountOut:
    return AccountOut(**{name: getattr(row, name) for name in AccountOut.model_fields})
