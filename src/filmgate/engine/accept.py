"""Accept: check, price and name a task, and commit it before anybody is answered."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import orjson

from filmgate.domain import ids
from filmgate.domain.catalogue import Catalogue
from filmgate.domain.clock import Chance, Clock
from filmgate.domain.contracts_provider import ANIMATIC
from filmgate.domain.failpoint import failpoint
from filmgate.domain.faults import StorageFault
from filmgate.domain.limits import (
    BLIND_RETRY_MEMORY,
    IDEMPOTENCY_MEMORY,
    MIB,
    QUOTE_LIFE,
    UPLOAD_STORE_SECONDS,
)
from filmgate.domain.price import Price
from filmgate.domain.problems import Problem
from filmgate.domain.record import RecordChange
from filmgate.domain.request import Draft, FilmRequest, Json, NamedSource, Picture, Upload
from filmgate.domain.specify import Specified, specify
from filmgate.domain.task import Owner, Task
from filmgate.engine.advice import LESS, Wish, affordable
from filmgate.engine.parts import UNWATCHED, Objects, Storage
from filmgate.engine.route import Router, powers_for
from filmgate.engine.sources import Sources
from filmgate.net.denied import Denied
from filmgate.net.guard import Guard
from filmgate.store.accept import Acceptor, Decision, NewTask, Remember, Verdict
from filmgate.store.funds import Refusal
from filmgate.store.quotes import Quotes


@dataclass(frozen=True, slots=True)
class Repeat:
    """How a client lets us know a repeated submit: by its key, or by its SDK's count of blind retries."""

    key: str | None = None
    retries: int | None = None

    def memory(self, digest: bytes) -> Remember | None:
        if self.key is not None:
            return Remember(self.key, IDEMPOTENCY_MEMORY)
        if self.retries is None:
            return None
        # A first try is only noted: two equal films may be meant. A retry without a key gets what was noted.
        return Remember(f"sha:{digest.hex()}", BLIND_RETRY_MEMORY if self.retries else None)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a film is asked for: by a quote, for so much at most, and of which credential first."""

    quote_id: UUID | None = None
    max_cost_micros: int | None = None
    credential_id: int | None = None


_ROOM_AFTER_S: Final = "60"
NO_TERMS: Final = Terms()
NOTHING: Final[RecordChange] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Priced:
    """What a request would cost."""

    request: FilmRequest
    price: Price
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A price that is kept to until it expires."""

    id: UUID
    priced: Priced
    expires_at: datetime


Destinations = Callable[[int], Awaitable[Collection[str]]]
"""Names the destinations that the account of a key may use."""


async def _nowhere(_: int) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What accepting needs; one for the whole gate."""

    catalogue: Catalogue
    router: Router
    acceptor: Acceptor
    quotes: Quotes
    sources: Sources
    objects: Objects
    guard: Guard
    callback_guard: Guard
    clock: Clock
    chance: Chance
    storage: Storage = UNWATCHED
    destinations: Destinations = _nowhere

    async def priced(self, draft: Draft, *, owner: Owner, dialect: str) -> Priced:
        """Say what a request would cost; nothing is kept or fetched, and nobody asked."""
        found, _ = await self._settled(draft, owner, dialect)
        price = self.catalogue.prices.price(found.request, await self.quotes.now())
        return Priced(found.request, price, found.warnings)

    async def quote(self, draft: Draft, *, owner: Owner, dialect: str) -> Quoted:
        """Say what a request would cost, and keep that price for a while."""
        priced = await self.priced(draft, owner=owner, dialect=dialect)
        quote_id = ids.uuid7(self.clock.now(), self.chance)
        expires_at = await self.quotes.keep(
            quote_id,
            account_id=owner.account_id,
            key_id=owner.key_id,
            body_sha256=_quoted_digest(priced.request),
            price=priced.price,
            binds=QUOTE_LIFE,
        )
        return Quoted(quote_id, priced, expires_at)

    async def accept(
        self,
        draft: Draft,
        *,
        owner: Owner,
        dialect: str,
        names: Mapping[str, str],
        repeat: Repeat,
        terms: Terms = NO_TERMS,
        record: RecordChange = NOTHING,
    ) -> tuple[Task, bool]:
        """Commit the task, or raise a Problem with nothing stored; the flag tells that it is an earlier one."""
        if self.storage.full:
            raise Problem("no_room").with_headers({"retry-after": _ROOM_AFTER_S})
        digest = _draft_digest(draft, dialect, record)
        try:
            found, preferred = await self._settled(draft, owner, dialect)
        except Problem as problem:
            return await self._accepted_before(owner, digest, repeat, problem), True
        request = found.request
        now = self.clock.now()
        task_id = ids.uuid7(now, self.chance)
        kept = await self._keep_uploads(task_id, request)
        await failpoint("accept.before_commit")
        decision = await self.acceptor.accept(
            NewTask(
                id=task_id,
                owner=owner,
                dialect=dialect,
                names=self._filled(names, request.model, now),
                request=kept,
                price_at=lambda at: self.catalogue.prices.price(request, at),
                quote_id=terms.quote_id,
                max_cost_micros=terms.max_cost_micros,
                quoted_sha256=None if terms.quote_id is None else _quoted_digest(request),
                deadline=found.deadline,
                record={**self._record(found), **record},
                credential_id=preferred if terms.credential_id is None else terms.credential_id,
                body_sha256=digest,
                remember=repeat.memory(digest),
            )
        )
        await failpoint("accept.after_commit")
        if decision.verdict is not Verdict.ACCEPTED:
            await self._drop_uploads(kept)
        if decision.refusal is not None:
            raise await self._refused(decision.refusal, draft, request, dialect)
        return _accepted(decision), decision.verdict is Verdict.REPLAYED

    async def _refused(self, refusal: Refusal, draft: Draft, request: FilmRequest, dialect: str) -> Problem:
        """Say why a film is not paid for, with what could be made for what is left."""
        problem = Problem(refusal.code, **refusal.parameters)
        if refusal.affordable_micros is not None:
            wish = Wish(draft, dialect, request, refusal.affordable_micros, await self.quotes.now())
            problem.parameters |= {**LESS, **affordable(wish, self.catalogue, self.router)}
        return problem

    async def _accepted_before(self, owner: Owner, digest: bytes, repeat: Repeat, problem: Problem) -> Task:
        """Find the task that this very request got when it could still be asked for; raise the problem where none is."""
        remember = repeat.memory(digest)
        if remember is None or remember.replay is None or owner.operator:
            raise problem
        known = await self.acceptor.remembered(owner.account_id, remember)
        if known is not None and known[0] != digest:
            raise Problem("idempotency_mismatch", field="Idempotency-Key")
        if known is None:
            raise problem
        if known[1] is None:
            raise Problem("task_deleted", field="Idempotency-Key")
        return known[1]

    def _filled(self, names: Mapping[str, str], model: str, now: datetime) -> Mapping[str, str]:
        return {
            use: ids.fill(template, model=model, now=now, chance=self.chance)
            for use, template in names.items()
        }

    async def _settled(self, draft: Draft, owner: Owner, dialect: str) -> tuple[Specified, int | None]:
        """Check all that needs no fetching, and say which credential should be asked first, if any."""
        if owner.operator:
            raise Problem("makes_no_films")
        if owner.expired:
            raise Problem("key_expired")
        earlier = None if draft.source is None else await self.sources.find(draft.source, owner)
        if earlier is not None:
            draft = replace(draft, model=draft.model or earlier.film.model)
        found = specify(
            draft, dialect, self.catalogue, earlier=earlier.film if earlier else None, soften=owner.soften
        )
        self._check_pictures(found.request)
        self._check_callback(found.request, draft)
        await self._check_destination(found.request, owner)
        self._demand_route(found.request)
        again = self.router.line(found.request.model, earlier.credential_id if earlier else None)
        if again is not None and not powers_for(found.request) <= again.provider.powers:
            again = None
        return found, again.credential_id if again else None

    def _record(self, found: Specified) -> RecordChange:
        record: dict[str, Json] = {"warnings": [*found.warnings]} if found.warnings else {}
        if self.router.sandbox and found.request.model != ANIMATIC:
            record["sandbox"] = True
        return record

    def _demand_route(self, request: FilmRequest) -> None:
        """Refuse what nobody here can make."""
        if not self.router.lines(request.model):
            raise Problem("model_not_found", field="model", model=request.model)
        if not self.router.serves(request):
            raise Problem(
                "pictures_unsupported",
                field=request.pictures[-1].field.partition("[")[0],
                model=request.model,
                allowed="pictures of other roles from its provider here",
                allowed_zh="其他用途的图片",
                given=len(request.pictures),
            )

    def _check_pictures(self, request: FilmRequest) -> None:
        # What needs no fetching is refused at once, with nothing stored and no look-up made.
        for picture in request.pictures:
            if picture.upload is not None:
                _check_upload(picture.upload, picture.field, request.culprit(picture), request.picture_bytes)
            if picture.url is None:
                continue
            try:
                self.guard.check(picture.url)
            except Denied:
                raise Problem("picture_denied", field=picture.field, input=request.culprit(picture)) from None

    def _check_callback(self, request: FilmRequest, draft: Draft) -> None:
        try:
            if request.callback_url is not None:
                self.callback_guard.check(request.callback_url)
        except Denied:
            raise Problem("webhook_denied", field="callback_url").spelled(draft.spelled) from None

    async def _check_destination(self, request: FilmRequest, owner: Owner) -> None:
        if not request.deliver_to:
            return
        allowed = sorted(await self.destinations(owner.key_id))
        if request.deliver_to not in allowed:
            raise destination_not_found("deliver_to", request.deliver_to, allowed)

    async def _drop_uploads(self, request: FilmRequest) -> None:
        for picture in request.pictures:
            if picture.object_key is not None:
                # What cannot be removed now is an orphan, and swept as one.
                with suppress(StorageFault):
                    await self.objects.delete(picture.object_key)
                await failpoint("accept.dropped_upload")

    async def _keep_uploads(self, task_id: UUID, request: FilmRequest) -> FilmRequest:
        kept: list[Picture] = []
        for no, picture in enumerate(request.pictures):
            if picture.upload is None:
                kept.append(picture)
                continue
            async with asyncio.timeout(UPLOAD_STORE_SECONDS):
                stored = await self.objects.put_bytes(f"uploads/{task_id}/{no}", picture.upload.content)
            await failpoint("accept.stored_upload")
            kept.append(replace(picture, upload=None, object_key=stored.key))
        return replace(request, pictures=tuple(kept))


def destination_not_found(field: str, given: str, allowed: Sequence[str]) -> Problem:
    named = ", ".join(f"`{name}`" for name in allowed)
    return Problem(
        "destination_not_found",
        field=field,
        given=given[:100],
        allowed=f"It may use {named}." if allowed else "There is none for it.",
        allowed_zh=f"可用：{named}" if allowed else "没有可用的目的地",
    )


def _check_upload(upload: Upload, field: str, culprit: str, limit_bytes: int) -> None:
    """Refuse what its first bytes or its size show to be no picture; the rest shows when it is decoded."""
    content = upload.content
    if len(content) > limit_bytes:
        mib = limit_bytes // MIB
        reason, reason_zh = f"it is larger than {mib} MiB", f"文件超过 {mib} MiB"
        raise Problem("picture_too_large", field=field, input=culprit, reason=reason, reason_zh=reason_zh)
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if not (webp or content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))):
        reason_zh = "文件不是 JPEG、PNG 或 WebP"
        reason = "it is no such file"
        raise Problem("picture_unusable", field=field, input=culprit, reason=reason, reason_zh=reason_zh)


def _accepted(decision: Decision) -> Task:
    """Give the task that was decided on; raise the Problem that says why there is none."""
    if decision.verdict is Verdict.MISMATCH:
        raise Problem("idempotency_mismatch", field="Idempotency-Key")
    if decision.task is None:
        raise Problem("task_deleted", field="Idempotency-Key")
    return decision.task


def _quoted_digest(request: FilmRequest) -> bytes:
    """Know the film again that was quoted, in whatever dialect it is asked for."""
    uploads = [hashlib.sha256(p.upload.content).hexdigest() for p in request.pictures if p.upload]
    asked = request.as_json()
    # Who is told of it, where it goes, and how long it may wait, make it no other film.
    for name in ("callback_url", "deliver_to", "start_within_s"):
        asked.pop(name, None)
    return _sha256({"request": asked, "uploads": uploads})


def _draft_digest(draft: Draft, dialect: str, record: RecordChange) -> bytes:
    """Know a request again by what its client wrote, which needs nothing of what it names to be there still."""
    said: dict[str, object] = {"dialect": dialect}
    if record:
        # What is asked for again is another wish than the same film of another task, and than a new one.
        said["record"] = dict(record)
    for part in fields(draft):
        value = getattr(draft, part.name)
        if value != part.default and part.name not in {"pictures", "spelled"}:
            said[part.name] = asdict(value) if isinstance(value, NamedSource) else value
    said["pictures"] = [
        (
            hashlib.sha256(given.source.content).hexdigest()
            if isinstance(given.source, Upload)
            else given.source,
            given.role,
            given.field,
        )
        for given in draft.pictures
    ]
    return _sha256(said)


def _sha256(said: Mapping[str, object]) -> bytes:
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
