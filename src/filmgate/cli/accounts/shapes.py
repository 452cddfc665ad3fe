"""Accounts, as the gate's API gives them."""

from typing import TypedDict


class AccountShape(TypedDict):
    id: int
    name: str
    balance_micros: int
    credit_micros: int | None
    held_micros: int
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    period_ends_at: str | None
    unfinished: int
    max_unfinished: int | None
    max_running: int | None
    submits_per_minute: int | None
    created_at: str


class AccountPageShape(TypedDict):
    data: list[AccountShape]


class BalanceAfterShape(TypedDict):
    balance_micros: int
