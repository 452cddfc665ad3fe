"""The books over HTTP, for operators: their audit, every entry, and what films came to."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from filmgate.domain.problems import Problem
from filmgate.store.ledger import DIMENSIONS, Dimension, Sum
from filmgate.web.moments import Moment
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

COLUMNS: Final = (
    "at", "id", "kind", "task_id", "model", "account", "key_id", "key", "side", "amount_micros", "author", "reason",
)  # fmt: skip
# What a spreadsheet takes for the beginning of a formula; some cut blanks off first.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

From = Annotated[
    Moment | None, Query(alias="from", description="The first moment; a day begins at midnight UTC.")
]
To = Annotated[Moment | None, Query(alias="to", description="The first moment that is not meant any more.")]


class FindingOut(BaseModel):
    rule: str
    says: str
    count: int
    examples: list[str]


class Audit(BaseModel):
    clean: bool
    findings: list[FindingOut]


class SumOut(BaseModel):
    """What films that have ended came to; what was not asked for by `sum_by` is null."""

    account: str | None
    key_id: int | None
    key: str | None
    model: str | None
    provider: str | None
    day: date | None
    films: int
    charged_micros: int
    returned_micros: int
    cost_micros: int = Field(
        description="What vendors are paid: as they say, else by the costs in the settings."
    )
    margin_micros: int
    perhaps_micros: int = Field(
        description="What attempts would cost of which nobody knows whether they are billed."
    )
    unpriced_attempts: int = Field(description="Clips of which nobody knows the cost: it is in no margin.")


class Sums(BaseModel):
    sum_by: list[str]
    data: list[SumOut]
    total: SumOut | None = Field(description="Null where no film has ended.")


def book_routes(around: Surroundings) -> APIRouter:
    """Build the operators' routes about the books."""
    router = operator_router(around, "/ledger")

    @router.get("")
    async def sums(start: From = None, end: To = None, sum_by: str = "") -> Sums:
        """Sum what was charged, returned and paid to vendors, by key, account, model, provider or day."""
        start, end = _span(start, end)
        chosen = _dimensions(sum_by)
        found = await around.ledger.sums(start, end, chosen)
        total = await around.ledger.sums(start, end, []) if chosen else found
        return Sums(
            sum_by=list(chosen),
            data=[_sum(one) for one in found],
            total=_sum(total[0]) if total else None,
        )

    @router.get("/check")
    async def check() -> Audit:
        """Audit the books: what must hold of them, and what breaks it."""
        found = await around.ledger.check()
        findings = [
            FindingOut(rule=one.rule, says=one.says, count=one.count, examples=list(one.examples))
            for one in found
        ]
        return Audit(clean=not findings, findings=findings)

    @router.get("/export", response_class=Response)
    async def export(
        start: From = None,
        end: To = None,
        form: Annotated[Literal["csv", "json"], Query(alias="format")] = "json",
    ) -> Response:
        """Give every entry of a time, oldest first: JSON, one object a line, or CSV."""
        start, end = _span(start, end)
        entries = around.ledger.export(start, end)
        name = f"ledger-{_named(start, 'begin')}-{_named(end, 'now')}.{'csv' if form == 'csv' else 'jsonl'}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        if form == "csv":
            return StreamingResponse(_csv(entries), media_type="text/csv; charset=utf-8", headers=headers)
        return StreamingResponse(_lines(entries), media_type="application/x-ndjson", headers=headers)

    return router


def _span(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Refuse a span that ends before it begins."""
    if start is not None and end is not None and start >= end:
        reason = f"it must be later than `from`, {start:%Y-%m-%dT%H:%M:%SZ}."
        reason_zh = f"应晚于 `from`（{start:%Y-%m-%dT%H:%M:%SZ}）。"
        raise Problem("invalid_parameter", field="to", reason=reason, reason_zh=reason_zh)
    return start, end


def _named(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else f"{moment:%Y%m%dT%H%M%S}"


def _dimensions(said: str) -> "list[Dimension]":
    named = [name.strip() for name in said.split(",") if name.strip()]
    for name in named:
        if name not in DIMENSIONS or named.count(name) > 1:
            allowed = ", ".join(DIMENSIONS)
            reason = f"`{name[:40]}` is none, or stands there twice; {allowed} are right, each once."
            reason_zh = f"`{name[:40]}` 无效或重复；可用 {allowed}，各一次。"
            raise Problem("invalid_parameter", field="sum_by", reason=reason, reason_zh=reason_zh)
    return [dimension for name in named for dimension in DIMENSIONS if dimension == name]


def _sum(one: Sum) -> SumOut:
    return SumOut(**{name: getattr(one, name) for name in SumOut.model_fields})


async def _lines(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for entry in entries:
        yield json.dumps({name: _plain(entry[name]) for name in COLUMNS}, ensure_ascii=False) + "\n"


async def _csv(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    yield page.getvalue()
    async for entry in entries:
        page.seek(0)
        page.truncate()
        writer.writerow([_cell(_plain(entry[name])) for name in COLUMNS])
        yield page.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if value is None or isinstance(value, int | str) else str(value)


def _cell(value: object) -> object:
    """Write a value so that no spreadsheet takes a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
