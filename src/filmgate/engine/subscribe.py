"""Subscribe: endpoints that are told of a customer's films, and the secrets that sign what they are told."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from filmgate.domain import ids
from filmgate.domain.clock import Chance, Clock
from filmgate.domain.contracts_http import NotSent, ReplyLost
from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import (
    FORMER_SECRET_LIFE,
    WEBHOOK_ANSWER_BYTES,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_NAME_CHARACTERS,
    WEBHOOK_SECONDS,
    WEBHOOK_TESTS,
)
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.domain.webhook import (
    DELIVERY,
    ENDPOINT,
    Event,
    event_body,
    id_of,
    named,
    new_secret,
    secret_hint,
    signed_headers,
)
from filmgate.net.denied import Denied
from filmgate.net.guard import LOOK_UP_SECONDS, Guard
from filmgate.net.post import GuardedPost
from filmgate.seal import BrokenSealError, Seal
from filmgate.store.endpoints import Endpoint, Endpoints, NewEndpoint

EVENTS: Final = tuple(event.value for event in Event)
_SAMPLE: Final = "video_test"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Opens the secrets of endpoints, and makes new ones."""

    endpoints: Endpoints
    seal: Seal
    clock: Clock
    chance: Chance

    def made(self, endpoint_id: UUID) -> tuple[str, bytes]:
        """Make a secret; give it and how it is stored."""
        secret = new_secret(self.chance)
        return secret, self.seal.close(secret, _place(endpoint_id))

    def live(self, endpoint: Endpoint, now: datetime) -> list[str]:
        """Give the secrets that sign just now, the newest first. Raise BrokenSealError."""
        live = [self.seal.open(endpoint.secret, _place(endpoint.id))]
        if endpoint.former_secret is not None and endpoint.former_until and endpoint.former_until > now:
            # Who rotated a secret that nobody can read any more has cured it.
            with suppress(BrokenSealError):
                live.append(self.seal.open(endpoint.former_secret, _place(endpoint.id)))
        return live

    async def callbacks(self, account_id: int) -> Endpoint:
        """Give the row that signs callbacks which requests name; it is made when it is first needed."""
        found = await self.endpoints.callbacks(account_id)
        if found is None:
            id_ = ids.uuid7(self.clock.now(), self.chance)
            secret, sealed = self.made(id_)
            await self.endpoints.make_callbacks(account_id, id_, secret=sealed, hint=secret_hint(secret))
            found = await self.endpoints.callbacks(account_id)
        if found is None:
            raise LookupError(account_id)
        return found


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What customers do with their endpoints; every Problem is said in the form of whoever asked."""

    endpoints: Endpoints
    keyring: Keyring
    guard: Guard
    post: GuardedPost
    clock: Clock
    chance: Chance

    async def create(
        self, owner: Owner, *, name: str | None, url: str | None, events: object
    ) -> tuple[Endpoint, str]:
        """Store an endpoint; give it with its secret, which is shown this once."""
        _demand_customer(owner)
        named_as, address, wanted = _name(name), self._address(url), _events(events)
        id_ = ids.uuid7(self.clock.now(), self.chance)
        secret, sealed = self.keyring.made(id_)
        endpoint = await self.endpoints.create(
            NewEndpoint(
                id=id_,
                account_id=owner.account_id,
                name=named_as,
                url=address,
                events=wanted,
                secret=sealed,
                hint=secret_hint(secret),
            ),
            most=WEBHOOK_ENDPOINTS,
        )
        if endpoint is None:
            raise Problem("too_many_webhooks", limit=WEBHOOK_ENDPOINTS)
        return endpoint, secret

    async def page(self, owner: Owner, *, after: str | None, limit: int) -> tuple[Sequence[Endpoint], bool]:
        place = None if not after else id_of(ENDPOINT, after)
        if after and place is None:
            reason, reason_zh = "an id of this list is right.", "应为本列表中的编号。"
            raise Problem("invalid_parameter", field="after", reason=reason, reason_zh=reason_zh)
        return await self.endpoints.page(owner.account_id, after=place, limit=limit)

    async def find(self, owner: Owner, id_: str) -> Endpoint:
        known = id_of(ENDPOINT, id_)
        return _found(None if known is None else await self.endpoints.find(owner.account_id, known))

    async def update(
        self,
        owner: Owner,
        id_: str,
        *,
        name: str | None,
        url: str | None,
        events: object,
        enabled: bool | None = None,
    ) -> Endpoint:
        """Change what is given; a disabled endpoint is tried again when it is enabled, or its address is given."""
        endpoint = await self.find(owner, id_)
        changed = await self.endpoints.update(
            owner.account_id,
            endpoint.id,
            name=None if name is None else _name(name),
            url=None if url is None else self._address(url),
            events=None if events is None else _events(events),
            enabled=enabled,
        )
        return _found(changed)

    async def delete(self, owner: Owner, id_: str) -> None:
        endpoint = await self.find(owner, id_)
        if not await self.endpoints.delete(owner.account_id, endpoint.id):
            raise Problem("webhook_not_found")

    async def rotate(self, owner: Owner, id_: str, *, keep_former: bool) -> tuple[Endpoint, str]:
        """Give an endpoint another secret; the former one signs beside it for a day where it is kept."""
        return await self._rotated(owner, await self.find(owner, id_), FORMER_SECRET_LIFE * keep_former)

    async def rotate_callbacks(self, owner: Owner, *, keep_former: bool) -> tuple[Endpoint, str]:
        _demand_customer(owner)
        endpoint = await self.keyring.callbacks(owner.account_id)
        return await self._rotated(owner, endpoint, FORMER_SECRET_LIFE * keep_former)

    async def callbacks(self, owner: Owner) -> tuple[Endpoint, str]:
        """Give the secret that signs callbacks which requests of this account name."""
        _demand_customer(owner)
        endpoint = await self.keyring.callbacks(owner.account_id)
        return endpoint, self.keyring.live(endpoint, self.clock.now())[0]

    async def test(self, owner: Owner, id_: str, event: object) -> tuple[Endpoint, str, int]:
        """Send a sample now, once; give the event and the status that was answered, whichever it is."""
        endpoint = await self.find(owner, id_)
        [kind] = _events([event], field="event_type")
        now, sample_id = self.clock.now(), ids.uuid7(self.clock.now(), self.chance)
        body = event_body(kind, task_id=sample_id, name=_SAMPLE, at=now)
        headers = signed_headers(self.keyring.live(endpoint, now), named(DELIVERY, sample_id), now, body)
        await self._begin_test(endpoint)
        await failpoint("subscribe.began_test")
        try:
            reply = await self.post.post(
                endpoint.url or "",
                headers=headers,
                body=body,
                timeout_s=WEBHOOK_SECONDS,
                most_bytes=WEBHOOK_ANSWER_BYTES,
            )
        except Denied:
            raise Problem("webhook_denied", field="url") from None
        except (NotSent, ReplyLost):
            raise Problem("webhook_unreachable") from None
        finally:
            await failpoint("subscribe.tested")
            await self.endpoints.end_test(endpoint)
        return endpoint, kind, reply.status

    async def _begin_test(self, endpoint: Endpoint) -> None:
        longest = timedelta(seconds=WEBHOOK_SECONDS + LOOK_UP_SECONDS)
        full_for = await self.endpoints.begin_test(endpoint, longest)
        if full_for is not None:
            seconds = int(full_for.total_seconds()) + 1
            raise Problem("too_many_tests", limit=WEBHOOK_TESTS, retry_after_s=seconds)

    async def _rotated(self, owner: Owner, endpoint: Endpoint, keep: timedelta) -> tuple[Endpoint, str]:
        secret, sealed = self.keyring.made(endpoint.id)
        rotated = await self.endpoints.rotate(
            owner.account_id, endpoint.id, secret=sealed, hint=secret_hint(secret), keep=keep or None
        )
        return _found(rotated), secret

    def _address(self, url: str | None) -> str:
        if not url:
            raise Problem("missing_parameter", field="url")
        try:
            self.guard.check(url)
        except Denied:
            raise Problem("webhook_denied", field="url") from None
        return url


def _place(endpoint_id: UUID) -> str:
    return f"endpoints.secret:{endpoint_id}"


def _demand_customer(owner: Owner) -> None:
    if owner.operator:
        raise Problem("makes_no_films")


def _found(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise Problem("webhook_not_found")
    return endpoint


def _name(name: str | None) -> str:
    said = (name or "").strip()
    if not said:
        raise Problem("missing_parameter", field="name")
    if len(said) > WEBHOOK_NAME_CHARACTERS or "\0" in said:
        reason = f"a text of at most {WEBHOOK_NAME_CHARACTERS} characters is right."
        reason_zh = f"应为不超过 {WEBHOOK_NAME_CHARACTERS} 个字符的文本。"
        raise Problem("invalid_parameter", field="name", reason=reason, reason_zh=reason_zh)
    return said


def _events(given: object, field: str = "event_types") -> list[str]:
    if not given or given == [None]:
        raise Problem("missing_parameter", field=field)
    if not isinstance(given, list) or any(one not in EVENTS for one in given):
        names = ", ".join(EVENTS)
        reason, reason_zh = f"of {names} at least one is right.", f"应为 {names} 中的至少一个。"
        raise Problem("invalid_parameter", field=field, reason=reason, reason_zh=reason_zh)
    return list(dict.fromkeys(given))
