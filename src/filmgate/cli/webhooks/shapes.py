"""Deliveries, as the gate's API gives them."""

from typing import TypedDict


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


class DeliveryPageShape(TypedDict):
    data: list[DeliveryShape]
    next_cursor: str | None
