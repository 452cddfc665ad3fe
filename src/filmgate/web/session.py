"""Signing in for people: one-time tickets, the cookie that they become, and which requests may use it."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.clock import Chance, Clock
from filmgate.domain.task import Owner

TICKET_LIFE: Final = timedelta(minutes=10)
SESSION_LIFE: Final = timedelta(days=30)
PAGE_HEADER: Final = "x-filmgate-page"
_NONCE_BYTES: Final = 16
_READS: Final = frozenset({"GET", "HEAD"})


class Sessions:
    """Issues and checks signed tickets and cookies; several keys may be live, the first of them signs.

    All web workers of the same keys accept each other's. That a ticket works only once is remembered by the
    process that redeemed it, for as long as the ticket lives: with several web workers each of them takes the
    same ticket once within its ten minutes, and a restart forgets. A cookie is not stored either: it ends by
    its expiry, or by the revocation of its key, which whoever asks `visitor` must look up.
    """

    def __init__(
        self, keys: Sequence[bytes], clock: Clock, chance: Chance, public_url: str | None = None
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._chance = chance
        self._public = urlsplit(public_url or "")
        self._used: dict[str, int] = {}

    def issue_ticket(self, owner: Owner) -> str:
        """Give a code that signs its bearer in once, within ten minutes."""
        return self._signed("ticket", owner, TICKET_LIFE)

    def redeem(self, ticket: str) -> str | None:
        """Exchange a ticket for a cookie's value; None where it is forged, too old or already used."""
        owner = self._read("ticket", ticket)
        if owner is None:
            return None
        now = int(self._clock.now().timestamp())
        self._used = {used: expiry for used, expiry in self._used.items() if expiry > now}
        if ticket in self._used:
            return None
        self._used[ticket] = now + int(TICKET_LIFE.total_seconds())
        return self.sign_in(owner)

    def sign_in(self, owner: Owner) -> str:
        """Give the cookie's value for an owner who has proved a key."""
        return self._signed("session", owner, SESSION_LIFE)

    def owner(self, cookie: str) -> Owner | None:
        """Say whose cookie it is, by account and key alone; the key's settings stand in the store."""
        return self._read("session", cookie)

    def visitor(self, request: Request) -> Owner | None:
        """Say who is signed in; nobody where the request writes and does not come from our own page."""
        if request.method not in _READS and not self.from_own_page(request):
            return None
        cookies = (request.cookies.get(name, "") for name in self._names(request))
        return next(filter(None, map(self.owner, cookies)), None)

    def from_own_page(self, request: Request) -> bool:
        """Tell whether our own page sent this: its header, and an origin that a foreign page cannot claim."""
        if request.headers.get(PAGE_HEADER) != "1":
            return False
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        # Browsers leave Sec-Fetch-Site out over plain HTTP to other machines; Origin is there on every write.
        scheme, _, host = request.headers.get("origin", "").partition("://")
        own = {request.headers.get("host", ""), self._public.netloc} - {""}
        return scheme in {"http", "https"} and host in own

    def remember(self, request: Request, response: Response, cookie: str) -> None:
        """Set the cookie on a response."""
        response.set_cookie(
            self._names(request)[0],
            cookie,
            max_age=int(SESSION_LIFE.total_seconds()),
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="lax",
        )

    def forget(self, request: Request, response: Response) -> None:
        """Let the browser drop the cookie; a copy of it would live on until its expiry."""
        secure = self._secure(request)
        for name in self._names(request):
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")

    def _names(self, request: Request) -> Sequence[str]:
        # The prefix makes browsers refuse a cookie of this name from a sister host or over plain HTTP.
        prefix = "__Host-" if self._secure(request) else ""
        # Browsers share cookies among the ports of a host; two gates there must not sign each other out.
        return [f"{prefix}filmgate-{_digest(key, 'name', '').hex()[:8]}" for key in self._keys]

    def _secure(self, request: Request) -> bool:
        behind_tls = self._public.scheme == "https" and request.headers.get("host") == self._public.netloc
        return request.url.scheme == "https" or behind_tls

    def _signed(self, purpose: str, owner: Owner, life: timedelta) -> str:
        expiry = int((self._clock.now() + life).timestamp())
        nonce = self._chance.bytes(_NONCE_BYTES).hex()
        said = f"{owner.account_id}.{owner.key_id}.{expiry}.{nonce}"
        return f"{said}.{_signature(self._keys[0], purpose, said)}"

    def _read(self, purpose: str, token: str) -> Owner | None:
        said, _, signature = token.rpartition(".")
        given = signature.encode("utf-8", "replace")
        expected = [_signature(key, purpose, said).encode() for key in self._keys]
        # Only what we signed is parsed.
        if not any(hmac.compare_digest(given, one) for one in expected):
            return None
        account_id, key_id, expiry, _ = said.split(".")
        if int(expiry) <= self._clock.now().timestamp():
            return None
        return Owner(account_id=int(account_id), key_id=int(key_id))


def _signature(key: bytes, purpose: str, said: str) -> str:
    return base64.urlsafe_b64encode(_digest(key, purpose, said)).decode().rstrip("=")


def _digest(key: bytes, purpose: str, said: str) -> bytes:
    return hmac.digest(key, f"filmgate-{purpose}-1\n{said}".encode("utf-8", "replace"), hashlib.sha256)
