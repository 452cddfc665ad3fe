"""What the gate tells operators of its inside, as far as `doctor` reads it."""

from typing import TypedDict


class NoticedShape(TypedDict):
    kind: str
    count: int
    at: str
    text: str


class StrandShape(TypedDict):
    kind: str
    name: str
    text: str


class VitalsShape(TypedDict):
    skew_s: float
    database: str
    database_bytes: int
    connections: int
    connections_limit: int
    schema_name: str
    schema_trouble: str | None
    disk_free_bytes: int
    disk_size_bytes: int
    engines: int
    late_s: float | None
    queued: int
    queued_s: float | None
    uncertain: int
    parked: int
    webhooks_failing: int
    webhooks_disabled: int
    webhooks_given_up: int
    newest_partition: str | None
    unpartitioned: bool
    notices: list[NoticedShape]
    stranded: list[StrandShape]
