"""Deliveries, as the gate's API gives them."""

from typing import NotRequired, TypedDict

from filmgate.cli.session import Session


class TryShape(TypedDict):
    at: str
    status: int | None
    duration_ms: int
    answer: str | None
    error: str | None


class DeliveryShape(TypedDict):
    id: str
    endpoint_id: str | None
    url: str
    task_id: str
    event: str
    state: str
    tries: int
    next_at: str | None
    created_at: str
    ended_at: str | None
    attempts: list[TryShape]
    account: NotRequired[str]
    """Only operators are told."""


class DeliveryPageShape(TypedDict):
    data: list[DeliveryShape]
    next_cursor: str | None


def deliveries_path(session: Session) -> str:
    """Say where the gate has the deliveries that a session is about."""
    return "/admin/v1/webhooks/deliveries" if session.operator else "/gate/v1/deliveries"
