"""Accept: check, price and name a task, and commit it before anybody is answered."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from filmgate.domain import ids
from filmgate.domain.catalogue import Catalogue
from filmgate.domain.clock import Chance, Clock
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import BLIND_RETRY_MEMORY, IDEMPOTENCY_MEMORY, MIB
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, FilmRequest, Picture, Upload
from filmgate.domain.specify import specify
from filmgate.domain.task import Owner, Task
from filmgate.engine.parts import Objects
from filmgate.engine.route import Line, Router, powers_for
from filmgate.engine.sources import Sources
from filmgate.net.denied import Denied
from filmgate.net.guard import Guard
from filmgate.store.accept import Acceptor, NewTask, Remember, Verdict


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
class Acceptance:
    """What accepting needs; one for the whole gate."""

    catalogue: Catalogue
    router: Router
    acceptor: Acceptor
    sources: Sources
    objects: Objects
    guard: Guard
    clock: Clock
    chance: Chance

    async def accept(
        self, draft: Draft, *, owner: Owner, dialect: str, names: Mapping[str, str], repeat: Repeat
    ) -> tuple[Task, bool]:
        """Commit the task, or raise a Problem with nothing stored; the flag tells that it is an earlier one."""
        if owner.operator:
            raise Problem("makes_no_films")
        earlier = None if draft.source is None else await self.sources.find(draft.source, owner)
        if earlier is not None:
            draft = replace(draft, model=draft.model or earlier.model)
        found = specify(
            draft, dialect, self.catalogue, earlier=earlier.film if earlier else None, soften=owner.soften
        )
        request = found.request
        self._check_pictures(request)
        line = self._line(request, earlier.credential_id if earlier else None)
        now = self.clock.now()
        task_id = ids.uuid7(now, self.chance)
        digest = _digest(request, dialect)
        kept = await self._keep_uploads(task_id, request)
        await failpoint("accept.before_commit")
        decision = await self.acceptor.accept(
            NewTask(
                id=task_id,
                owner=owner,
                dialect=dialect,
                names={
                    use: ids.fill(template, model=request.model, now=now, chance=self.chance)
                    for use, template in names.items()
                },
                request=kept,
                hold_micros=0,
                deadline=found.deadline,
                record={"warnings": [*found.warnings]} if found.warnings else {},
                credential_id=line.credential_id,
                body_sha256=digest,
                remember=repeat.memory(digest),
            )
        )
        await failpoint("accept.after_commit")
        if decision.verdict is not Verdict.ACCEPTED:
            await self._drop_uploads(kept)
        if decision.verdict is Verdict.MISMATCH or decision.task is None:
            raise Problem("idempotency_mismatch", field="Idempotency-Key")
        return decision.task, decision.verdict is Verdict.REPLAYED

    def _line(self, request: FilmRequest, made_by: int | None) -> Line:
        """Choose who makes the film: whoever made the one that it goes on from, where that may be."""
        if not self.router.lines(request.model):
            raise Problem("model_not_found", field="model", model=request.model)
        again = None if made_by is None else self.router.line(request.model, made_by)
        if again is not None and not powers_for(request) <= again.provider.powers:
            again = None
        line = again or self.router.choose(request, self.chance)
        if line is None:
            raise Problem(
                "pictures_unsupported",
                field=request.pictures[-1].field.partition("[")[0],
                model=request.model,
                allowed="pictures of other roles from its provider here",
                allowed_zh="其他用途的图片",
                given=len(request.pictures),
            )
        return line

    def _check_pictures(self, request: FilmRequest) -> None:
        # What needs no fetching is refused at once, with nothing stored and no look-up made.
        for picture in request.pictures:
            if picture.upload is not None:
                _check_upload(picture.upload, picture.field, request.picture_bytes)
            if picture.url is None:
                continue
            try:
                self.guard.check(picture.url)
            except Denied:
                raise Problem("picture_denied", field=picture.field) from None

    async def _drop_uploads(self, request: FilmRequest) -> None:
        for picture in request.pictures:
            if picture.object_key is not None:
                await self.objects.delete(picture.object_key)

    async def _keep_uploads(self, task_id: UUID, request: FilmRequest) -> FilmRequest:
        kept: list[Picture] = []
        for no, picture in enumerate(request.pictures):
            if picture.upload is None:
                kept.append(picture)
                continue
            stored = await self.objects.put_bytes(f"uploads/{task_id}/{no}", picture.upload.content)
            kept.append(replace(picture, upload=None, object_key=stored.key))
        return replace(request, pictures=tuple(kept))


def _check_upload(upload: Upload, field: str, limit_bytes: int) -> None:
    """Refuse what its first bytes or its size show to be no picture; the rest shows when it is decoded."""
    content = upload.content
    if len(content) > limit_bytes:
        mib = limit_bytes // MIB
        reason, reason_zh = f"it is larger than {mib} MiB", f"文件超过 {mib} MiB"
        raise Problem("picture_too_large", field=field, reason=reason, reason_zh=reason_zh)
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if not (webp or content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))):
        reason_zh = "文件不是 JPEG、PNG 或 WebP"
        raise Problem("picture_unusable", field=field, reason="it is no such file", reason_zh=reason_zh)


def _digest(request: FilmRequest, dialect: str) -> bytes:
    uploads = [hashlib.sha256(p.upload.content).hexdigest() for p in request.pictures if p.upload]
    said = {"dialect": dialect, "request": request.as_json(), "uploads": uploads}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
