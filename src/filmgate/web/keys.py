"""Who asks: the key of a request, in every header that clients send it in."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from filmgate.domain.clock import Clock
from filmgate.domain.limits import KEY_FAILURES_PER_MINUTE
from filmgate.domain.problems import Problem
from filmgate.domain.task import Owner
from filmgate.secrets import is_operator_token
from filmgate.store.keys import Keys

_MINUTE: Final = 60.0
_ADDRESSES: Final = 10_000


class Doorman:
    """Finds the owner behind a key; an address that guesses is made to wait."""

    def __init__(self, keys: Keys, clock: Clock, secrets: Sequence[bytes]) -> None:
        self._keys = keys
        self._clock = clock
        self._secrets = secrets
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def owner(self, request: Request) -> Owner:
        """Give the owner; raise Problem `missing_key`, `invalid_key` or `too_many_failures`."""
        key = key_of(request)
        if not key:
            raise Problem("missing_key")
        address = request.client.host if request.client else ""
        since, failures = self._failures.get(address, (0.0, 0))
        now = self._clock.monotonic()
        waiting = since + _MINUTE - now
        owner = self._local_operator(key) or await self._keys.owner(key)
        if owner is not None:
            return owner
        if waiting > 0 and failures >= KEY_FAILURES_PER_MINUTE:
            seconds = int(waiting) + 1
            raise Problem("too_many_failures", retry_after_s=seconds).with_headers(
                {"retry-after": str(seconds)}
            )
        self._failures[address] = (since, failures + 1) if waiting > 0 else (now, 1)
        self._failures.move_to_end(address)
        while len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        raise Problem("invalid_key")

    def _local_operator(self, key: str) -> Owner | None:
        """Know the operator of this machine by the token that only a reader of the secret can mint."""
        now = self._clock.now()
        known = any(is_operator_token(secret, key, now) for secret in self._secrets)
        return Owner(account_id=0, key_id=0, operator=True) if known else None

    async def operator(self, request: Request) -> Owner:
        owner = await self.owner(request)
        if not owner.operator:
            raise Problem("not_an_operator")
        return owner


def key_of(request: Request) -> str:
    """Read the key: `Bearer x`, the bare key, or `x-api-key`."""
    said = request.headers.get("authorization", "").strip()
    scheme, _, rest = said.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return said or request.headers.get("x-api-key", "").strip()
