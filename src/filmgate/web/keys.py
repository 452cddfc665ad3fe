"""Who asks: the key of a request, in every header that clients send it in."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from filmgate.domain.clock import Clock
from filmgate.domain.languages import Language, accepted_language
from filmgate.domain.limits import KEY_FAILURES_PER_MINUTE
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.secrets import is_operator_token
from filmgate.store.keys import Keys
from filmgate.web.session import Sessions

_MINUTE: Final = 60.0
_ADDRESSES: Final = 10_000
# A request passes several doors on its way; its owner is looked up at the first.
_FOUND: Final = "filmgate.owner"


class Doorman:
    """Finds the owner behind a key or a cookie; an address that guesses is made to wait."""

    def __init__(self, keys: Keys, clock: Clock, secrets: Sequence[bytes], sessions: Sessions) -> None:
        self._keys = keys
        self._clock = clock
        self._secrets = secrets
        self.sessions = sessions
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def owner(self, request: Request) -> Owner:
        """Give the owner; raise Problem `missing_key`, `invalid_key` or `too_many_failures`."""
        found = request.scope.get(_FOUND)
        if not isinstance(found, Owner):
            found = request.scope[_FOUND] = await self._look_up(request)
        return found

    async def _look_up(self, request: Request) -> Owner:
        key = key_of(request)
        if not key:
            return await self._visitor(request)
        owner = await self.known(key, request.client.host if request.client else "")
        if owner is None:
            raise Problem("invalid_key")
        return owner

    async def known(self, key: str, address: str) -> Owner | None:
        """Find whose key it is; raise Problem `too_many_failures` where an address guesses."""
        owner = self._local_operator(key) or await self._keys.owner(key)
        if owner is not None:
            return owner
        now = self._clock.monotonic()
        since, failures = self._failures.get(address, (0.0, 0))
        waiting = since + _MINUTE - now
        if waiting > 0 and failures >= KEY_FAILURES_PER_MINUTE:
            seconds = int(waiting) + 1
            raise Problem("too_many_failures", retry_after_s=seconds)
        self._failures[address] = (since, failures + 1) if waiting > 0 else (now, 1)
        self._failures.move_to_end(address)
        while len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        return None

    async def _visitor(self, request: Request) -> Owner:
        """Know a person by the cookie; the key that it was given for must still stand."""
        visitor = self.sessions.visitor(request)
        owner = None if visitor is None else await self._keys.standing(visitor.key_id)
        if owner is None:
            raise Problem("missing_key")
        return owner

    async def writer(self, request: Request) -> Owner:
        """Give the owner of a key that has not run out; raise Problem `key_expired`."""
        owner = await self.owner(request)
        if owner.expired:
            raise Problem("key_expired")
        return owner

    async def operator(self, request: Request) -> Owner:
        owner = await self.owner(request)
        if not owner.operator:
            raise Problem("not_an_operator")
        return owner

    def _local_operator(self, key: str) -> Owner | None:
        """Know the operator of this machine by the token that only a reader of the secret can mint."""
        now = self._clock.now()
        known = any(is_operator_token(secret, key, now) for secret in self._secrets)
        return Owner(account_id=0, key_id=0, operator=True) if known else None


def asker(request: Request) -> Owner | None:
    """Give who was found to ask, where somebody looked."""
    found = request.scope.get(_FOUND)
    return found if isinstance(found, Owner) else None


def language_for(owner: Owner | None, request: Request) -> Language | None:
    """Give the language that a reader's key has, else what the request asks for; None where neither says."""
    own = None if owner is None else owner.language
    return own or accepted_language(request.headers.get("accept-language", ""))


def key_of(request: Request) -> str:
    """Read the key: `Bearer x`, the bare key, or `x-api-key`."""
    said = request.headers.get("authorization", "").strip()
    scheme, _, rest = said.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return said or request.headers.get("x-api-key", "").strip()
