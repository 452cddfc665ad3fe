"""Money over HTTP: quotes and balances for customers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from filmgate.dialects import DIALECTS
from filmgate.domain.catalogue import GATE
from filmgate.domain.contracts import Call, Converse, Create
from filmgate.domain.limits import MOST_MICROS, MOST_TASKS
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.store.accounts import AccountRow
from filmgate.web.shapes import EtaOut, LineOut, NewFilm
from filmgate.web.showing import eta_out
from filmgate.web.surroundings import Surroundings
from filmgate.web.tasks import draft_of

Micros = Annotated[int, Field(strict=True, ge=0, le=MOST_MICROS)]
"""A limit of money: whole micro-dollars, never a text and never a fraction."""
Count = Annotated[int, Field(strict=True, gt=0, le=MOST_TASKS)]


class BudgetOut(BaseModel):
    """What may still be spent, before the film and after it; null where nothing limits it."""

    remaining_micros: int | None
    after_micros: int | None


class QuoteOut(BaseModel):
    """A price that binds until it expires, for this request, once."""

    quote_id: str
    amount_micros: int
    size: str
    clips: list[int] = Field(description="The lengths of the film's clips in seconds.")
    lines: list[LineOut]
    expires_at: datetime
    model: str
    eta: EtaOut
    budget: BudgetOut
    remaining_micros: int | None = Field(description="What may still be spent; null where nothing limits it.")
    after_micros: int | None
    warnings: list[str]


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

    @router.post("/quote")
    async def quote(request: Request, body: dict[str, Any]) -> QuoteOut:
        """Say what a film would cost: the gate's own body, or any dialect's with its name as `dialect`."""
        owner = await around.doorman.owner(request)
        dialect, draft = _asked(body)
        quoted = await around.acceptance.quote(draft, owner=owner, dialect=dialect)
        left = _left(*await around.accounts.of_owner(owner.account_id, owner.key_id))
        amount = quoted.price.amount_micros
        after = None if left is None else left - amount
        return QuoteOut(
            quote_id=str(quoted.id),
            amount_micros=amount,
            size=str(quoted.request.size),
            clips=list(quoted.request.clips),
            lines=[LineOut.model_validate(line.as_json()) for line in quoted.price.lines],
            expires_at=quoted.expires_at,
            model=quoted.request.model,
            eta=eta_out(*await around.whereabouts.outlook_for(quoted.request)),
            budget=BudgetOut(remaining_micros=left, after_micros=after),
            remaining_micros=left,
            after_micros=after,
            warnings=list(quoted.warnings),
        )

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


def _asked(body: Mapping[str, Any]) -> tuple[str, Draft]:
    name = body.get("dialect", GATE)
    if name == GATE:
        try:
            return GATE, draft_of(NewFilm.model_validate(body))
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from None
    spoken = next((dialect for dialect in DIALECTS if name == dialect.NAME), None)
    if spoken is None:
        names = ", ".join([GATE, *(dialect.NAME for dialect in DIALECTS)])
        reason, reason_zh = f"one of {names} is right.", f"应为 {names} 之一。"
        raise Problem("invalid_parameter", field="dialect", reason=reason, reason_zh=reason_zh)
    action = spoken.parse(Call(verb="create", fields=body))
    if not isinstance(action, Create | Converse):
        raise Problem("not_found")
    return spoken.NAME, action.draft


def _left(account: AccountRow | None, key: Any) -> int | None:  # noqa: ANN401  # a row, or none
    """Give what may still be spent by whatever limits it most."""
    limits: list[int] = []
    if account is not None and account.credit_micros is not None:
        limits.append(account.balance_micros + account.credit_micros)
    limits += [
        purse.budget_micros - purse.spent_micros - purse.held_micros
        for purse in (account, key)
        if purse is not None and purse.budget_micros is not None
    ]
    return min(limits, default=None)
