"""Providers, as the gate's API gives them."""

from typing import TypedDict

from filmgate.cli.shapes import ErrorShape


class CredentialShape(TypedDict):
    name: str
    light: str
    configured: bool
    in_flight: int
    in_flight_limit: int
    submits_per_minute: float | None
    failures_in_row: int
    blocked_until: str | None
    blocked_because: str | None
    last_error: str | None
    last_error_class: str | None
    last_error_at: str | None


class ProviderShape(TypedDict):
    name: str
    light: str
    paused_at: str | None
    in_flight: int
    in_flight_limit: int
    credentials: list[CredentialShape]


class ProviderPageShape(TypedDict):
    data: list[ProviderShape]


class SwitchedShape(TypedDict):
    name: str
    paused: bool
    running: int


class CheckShape(TypedDict):
    credential: str
    ok: bool | None
    found: str
    took_ms: int


class TrialFilmShape(TypedDict):
    model: str
    size: str
    seconds: int
    price_micros: int


class TestedShape(TypedDict):
    name: str
    ok: bool
    checks: list[CheckShape]
    film: TrialFilmShape | None
    task_id: str | None


class SeenAttemptShape(TypedDict):
    provider: str
    state: str
    error_class: str | None
    error_text: str | None


class SeenTaskShape(TypedDict):
    id: str
    state: str
    progress: int
    error: ErrorShape | None
    hold_micros: int
    cost_micros: int | None
    created_at: str
    ended_at: str | None
    attempts: list[SeenAttemptShape]
