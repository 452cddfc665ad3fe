"""A turn: one request on its way through a dialect, from who asks to what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from starlette.requests import Request
from starlette.types import Scope

from filmgate.domain.contracts import Call, Dialect, Fields, TaskView
from filmgate.domain.languages import Language
from filmgate.domain.limits import IDEMPOTENCY_KEY_BYTES
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner, Task
from filmgate.engine.accept import Repeat, Terms
from filmgate.web.found import own_task
from filmgate.web.keys import language_for
from filmgate.web.surroundings import Surroundings

GATE_NAMES: Final[Mapping[str, str]] = {"id": "film_{alnum:32}"}
_OPENED: Final = "filmgate.opened"
LEFT: Final = "filmgate.left"
"""Where the scope of a request says how long its signed link still opens."""
_DIGITS: Final = 15


@dataclass(slots=True)
class Turn:
    """Who asks, in which dialect, and about which task."""

    request: Request
    around: Surroundings
    dialect: Dialect
    verb: str = ""
    owner: Owner | None = None
    task: Task | None = None
    replayed: bool = False
    fields: Fields = field(default_factory=dict)
    form: bool = False

    @property
    def strict(self) -> bool:
        return self.owner is not None and self.owner.strict

    @property
    def mine(self) -> Owner:
        if self.owner is None:
            raise Problem("missing_key")
        return self.owner

    async def find_owner(self) -> None:
        self.owner = await _owner(self.request, self.around)

    async def find_task(self, name: str) -> None:
        """Find the task that is asked about, unless it is found already."""
        if self.task is None:
            self.task = await self.around.reader.find(name, self.mine.account_id)

    def known(self) -> Task:
        if self.task is None:
            raise Problem("task_not_found")
        return self.task

    @property
    def asked(self) -> Language | None:
        """Give the language that the key has, else what the request asks for; None where neither says."""
        return language_for(self.owner, self.request)

    @property
    def language(self) -> Language | None:
        """Give the language to answer in; None for the dialect's own, which a strict key always gets."""
        return None if self.strict else self.asked

    def view(self, task: Task) -> TaskView:
        return TaskView(task, self.around.links(task, self.request, self.dialect), self.language)

    def call(self) -> Call:
        return Call(
            verb=self.verb,
            params=cast("Mapping[str, str]", self.request.path_params),
            query=dict(self.request.query_params),
            headers=self.request.headers,
            fields=self.fields,
            form=self.form,
            strict=self.strict,
        )

    def headers(self) -> dict[str, str]:
        said = {"x-filmgate-dialect": self.dialect.NAME}
        if self.task is not None:
            said |= task_headers(self.task)
        if self.replayed:
            said["idempotent-replayed"] = "true"
        return said


async def find_for_reading(request: Request, around: Surroundings) -> Task:
    """Find the task that a path names, for whoever may read it; raise Problem `task_not_found`."""
    owner = await _owner(request, around)
    return await own_task(around, owner.account_id, str(request.path_params["id"]))


async def _owner(request: Request, around: Surroundings) -> Owner:
    """Know who asks: by key, by cookie, or as whose a signed link reads."""
    if not request.scope.get(_OPENED):
        return await around.doorman.owner(request)
    found = await around.reader.account_of(str(request.path_params.get("id", "")))
    if found is None:
        raise Problem("task_not_found")
    account_id, key_id = found
    standing = await around.keys.standing(key_id)
    return standing or Owner(account_id=account_id, key_id=key_id)


def opened(scope: Scope, path: str, left: timedelta) -> Scope:
    """Give the scope of a request whose signed link was checked: it reads one path, whoever asks, for so long."""
    inner = {key: value for key, value in scope.items() if key not in {"path_params", "endpoint", "route"}}
    return {**inner, "path": path, "raw_path": path.encode(), "query_string": b"", _OPENED: True, LEFT: left}


def task_headers(task: Task) -> dict[str, str]:
    """Say what no dialect's body can: our id of the task, and its money."""
    match task.cost_micros:
        case None:
            cost = f"{task.hold_micros};state=held"
        case 0 if task.hold_micros:
            cost = "0;state=returned"
        case charged:
            cost = f"{charged};state=charged"
    return {"x-filmgate-task": str(task.id), "x-filmgate-cost": cost}


def terms_of(headers: Mapping[str, str]) -> Terms:
    """Read by which quote, and for how much at most, a film is asked for."""
    quote, limit = headers.get("x-filmgate-quote"), headers.get("x-filmgate-max-cost")
    try:
        quote_id = None if quote is None else UUID(quote.strip())
    except ValueError:
        reason, reason_zh = "it is no id of a quote.", "不是报价编号。"
        raise Problem(
            "quote_unusable", field="X-Filmgate-Quote", reason=reason, reason_zh=reason_zh
        ) from None
    if limit is not None and not (limit.isascii() and limit.isdigit() and len(limit) <= _DIGITS):
        reason, reason_zh = "a whole number of micro-dollars is right.", "应为整数（微美元）。"
        raise Problem("invalid_parameter", field="X-Filmgate-Max-Cost", reason=reason, reason_zh=reason_zh)
    return Terms(quote_id, None if limit is None else int(limit))


def repeat_of(headers: Mapping[str, str]) -> Repeat:
    """Read by what a repeated submit can be known."""
    retries = headers.get("x-stainless-retry-count", "")
    counted = int(retries[:4]) if retries.isascii() and retries.isdigit() else None
    return replace(repeat_by_key(headers.get("idempotency-key")), retries=counted)


def repeat_by_key(key: str | None) -> Repeat:
    """Know a repeated request by its Idempotency-Key alone, where it has one."""
    if key is not None and not 0 < len(key.encode()) <= IDEMPOTENCY_KEY_BYTES:
        reason, reason_zh = (
            f"1 to {IDEMPOTENCY_KEY_BYTES} bytes are right.",
            f"应为 1 到 {IDEMPOTENCY_KEY_BYTES} 字节。",
        )
        raise Problem("invalid_parameter", field="Idempotency-Key", reason=reason, reason_zh=reason_zh)
    return Repeat(key=key)
