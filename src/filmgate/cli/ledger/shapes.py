"""The books, as the gate's API gives them."""

from typing import TypedDict


class FindingShape(TypedDict):
    rule: str
    says: str
    count: int
    examples: list[str]


class AuditShape(TypedDict):
    clean: bool
    findings: list[FindingShape]


class EntryShape(TypedDict):
    at: str
    id: int
    kind: str
    task_id: str | None
    model: str | None
    account: str | None
    key_id: int | None
    side: str
    amount_micros: int
    author: str | None
    reason: str | None
