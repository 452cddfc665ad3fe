"""`/admin/v1`: what operators may do. An operator's key administers and makes no films."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from filmgate.dialects.reading import wrong
from filmgate.domain import ids
from filmgate.domain.languages import Language
from filmgate.domain.limits import KEY_OVERLAP, RELAY_SUBMITS, RELAY_TASKS
from filmgate.domain.problems import Problem
from filmgate.store.allowance import Setting
from filmgate.store.keys import KeyRow, ReplacedKeyError
from filmgate.web.moments import Moment
from filmgate.web.money import Count, Micros
from filmgate.web.operators import operator_router
from filmgate.web.surroundings import Surroundings

_STRICT: Final = "Answer with exactly the documented keys."
_SOFTEN: Final = "Let a refused prompt be softened and sent once more."
_OVER_LIMIT: Final = "Whether films beyond `max_running`, the key's or its account's, wait or are refused."


def _no_default(schema: JsonDict) -> None:
    """Say no default where what is not named stays: a client that filled it in would change it."""
    schema.pop("default", None)


def _no_id(name: str) -> str:
    """Raise ValueError for a name that could be taken for an id, or that nobody can write."""
    if name.isascii() and name.isdigit():
        raise ValueError("a name with more than digits is right: those are ids")
    if not name.isprintable():
        raise ValueError("a name of printable characters is right")
    return name


class KeyChange(BaseModel):
    """What is not named stays; null takes a limit away."""

    # A limit whose name is misspelt would be none.
    model_config = ConfigDict(extra="forbid")

    dialect: str | None = Field(None, description="Always speak this dialect on shared paths.")
    language: Language | None = Field(
        None,
        description="What its errors say: en or zh; null: what each request, or else its dialect, asks for.",
    )
    strict: bool = Field(default=False, description=_STRICT, json_schema_extra=_no_default)
    soften: bool = Field(default=False, description=_SOFTEN, json_schema_extra=_no_default)
    budget_micros: Micros | None = None
    budget_period: Literal["day", "month"] | None = Field(None, description="Null: for good.")
    max_unfinished: Count | None = None
    max_running: Count | None = Field(None, description="More wait until these have ended.")
    submits_per_minute: Count | None = None
    over_limit: Literal["wait", "refuse"] = Field(
        "wait", description=_OVER_LIMIT, json_schema_extra=_no_default
    )
    expires_at: Moment | None = None


class NewKey(KeyChange):
    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_id)]
    strict: bool = Field(default=False, description=_STRICT)
    soften: bool = Field(default=False, description=_SOFTEN)
    over_limit: Literal["wait", "refuse"] = Field("wait", description=_OVER_LIMIT)
    account: str | None = Field(
        None, min_length=1, max_length=200, description="Join this account; else one of its own."
    )
    limits: Literal["relay"] | None = Field(
        None, description="relay: 100 submits a minute, 10 unfinished tasks."
    )


class KeyOut(BaseModel):
    id: int
    name: str
    account: str | None
    unfinished: int = Field(description="Films that have not ended; those that wait are among them.")
    running: int
    hint: str
    operator: bool
    dialect: str | None
    language: Language | None
    strict: bool
    soften: bool
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    held_micros: int
    max_unfinished: int | None
    max_running: int | None
    submits_per_minute: int | None
    over_limit: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    successor_id: int | None = Field(description="The key that took its place, and has its limits.")


class CreatedKey(BaseModel):
    id: int
    name: str
    account: str
    key: str = Field(description="Shown this once; only its hash is stored.")


class FormerKey(BaseModel):
    id: int
    expires_at: datetime


class RotatedKey(CreatedKey):
    former: FormerKey


class KeyPage(BaseModel):
    data: list[KeyOut]


class Revoked(BaseModel):
    revoked: int


def admin_routes(around: Surroundings, dialects: frozenset[str]) -> APIRouter:
    """Build the operators' routes."""
    router = operator_router(around)

    @router.post("/keys", status_code=201)
    async def create(new: NewKey) -> CreatedKey:
        """Create a key; an account's first key opens the account."""
        _check_dialect(new.dialect, dialects)
        key = ids.new_key(around.chance)
        account = new.account or await around.keys.open_account(new.name)
        id_ = await around.keys.create(
            key,
            name=new.name,
            account=account,
            dialect=new.dialect,
            language=new.language,
            strict=new.strict,
            soften=new.soften,
            expires_at=new.expires_at,
            budget_micros=new.budget_micros,
            budget_period=new.budget_period,
            max_running=new.max_running,
            over_limit=new.over_limit,
            max_unfinished=new.max_unfinished or (RELAY_TASKS if new.limits else None),
            submits_per_minute=new.submits_per_minute or (RELAY_SUBMITS if new.limits else None),
        )
        around.telemetry.event("key.created", key_prefix=ids.hint(key), account=account)
        return CreatedKey(id=id_, name=new.name, account=account, key=key)

    @router.get("/keys")
    async def listing() -> KeyPage:
        """List all keys; none of them can be read back."""
        return KeyPage(data=[_shown(row) for row in await around.keys.list()])

    @router.delete("/keys/{id_or_name:path}")
    async def revoke(id_or_name: str) -> Revoked:
        """Revoke a key by its id, or all of a name; what it made stays its account's."""
        revoked = 0 if "\0" in id_or_name else await around.keys.revoke(id_or_name)
        if not revoked:
            raise Problem("key_not_found", name=id_or_name)
        around.telemetry.event("key.revoked", count=revoked)
        return Revoked(revoked=revoked)

    _add_rotation(router, around)
    _add_changes(router, around, dialects)
    return router


def _add_rotation(router: APIRouter, around: Surroundings) -> None:
    @router.post("/keys/{id_or_name:path}/rotate", status_code=201)
    async def rotate(id_or_name: str) -> RotatedKey:
        """Put a new key in a key's place; the former one lives on for a day, and its budget goes over."""
        if "\0" in id_or_name:
            raise Problem("key_not_found", name=id_or_name)
        key = ids.new_key(around.chance)
        try:
            new = await around.keys.rotate(id_or_name, key, overlap=KEY_OVERLAP)
        except (LookupError, ReplacedKeyError) as error:
            raise _not_meant(error) from None
        if new is None:
            raise Problem("key_not_found", name=id_or_name)
        around.telemetry.event("key.rotated", key_prefix=ids.hint(key), account=new.account)
        former = FormerKey(id=new.former_id, expires_at=new.former_until)
        return RotatedKey(id=new.id, name=new.name, account=new.account, key=key, former=former)


def _add_changes(router: APIRouter, around: Surroundings, dialects: frozenset[str]) -> None:
    @router.patch("/keys/{id_or_name:path}")
    async def change(id_or_name: str, asked: KeyChange) -> KeyOut:
        """Set what a key may spend, how much of it at a time, and how it is answered."""
        _check_dialect(asked.dialect, dialects)
        if "\0" in id_or_name:
            raise Problem("key_not_found", name=id_or_name)
        settings = {name: Setting(getattr(asked, name)) for name in asked.model_fields_set}
        try:
            row = await around.keys.set(id_or_name, **settings)
        except (LookupError, ReplacedKeyError) as error:
            raise _not_meant(error) from None
        if row is None:
            raise Problem("key_not_found", name=id_or_name)
        around.telemetry.event("key.changed", key_prefix=row.hint, account=row.account)
        return _shown(row)


def _shown(row: KeyRow) -> KeyOut:
    return KeyOut(**{name: getattr(row, name) for name in KeyOut.model_fields})


def _not_meant(error: Exception) -> Problem:
    reason, reason_zh = "several keys have this name: give the id of one.", "有多个同名密钥，请使用编号。"
    if isinstance(error, ReplacedKeyError) and error.revoked:
        reason = f"key {error.successor} took its place and was revoked: create a new one."
        reason_zh = f"该密钥已被密钥 {error.successor} 取代，后者已被吊销，请新建密钥。"
    elif isinstance(error, ReplacedKeyError):
        reason = f"key {error.successor} took its place: name that one."
        reason_zh = f"该密钥已被密钥 {error.successor} 取代，请改用后者。"
    return Problem("invalid_parameter", field="id_or_name", reason=reason, reason_zh=reason_zh)


def _check_dialect(dialect: str | None, dialects: frozenset[str]) -> None:
    if dialect is not None and dialect not in dialects:
        allowed = ", ".join(sorted(dialects))
        raise wrong("dialect", f"one of {allowed}", f"{allowed} 之一")
