"""Signing in for people: one-time tickets, the cookie that they become, and which requests may use it."""

import base64
import hashlib
import hmac
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
    """Issues and checks signed tickets and cookies; all web workers of one secret accept each other's.

    That a ticket works only once is remembered by the process that redeemed it, for as long as the ticket
    lives: with several web workers each of them takes the same ticket once within its ten minutes, and a
    restart forgets. A cookie is not stored either: it ends by its expiry, or by the revocation of its key,
    which whoever asks `visitor` must look up.
    """

    def __init__(self, key: bytes, clock: Clock, chance: Chance, public_url: str | None = None) -> None:
        self._key = key
        self._clock = clock
        self._chance = chance
        self._public = urlsplit(public_url or "")
        self._used: dict[str, int] = {}
        # Browsers share cookies among the ports of a host; two gates there must not sign each other out.
        self._cookie_name = f"filmgate-{hmac.digest(key, b'filmgate-cookie-name', hashlib.sha256).hex()[:8]}"

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
        cookie = request.cookies.get(self._name(request), "")
        if request.method not in _READS and not self.from_own_page(request):
            return None
        return self.owner(cookie)

    def from_own_page(self, request: Request) -> bool:
        """Tell whether our own page sent this: its header, and an origin that a foreign page cannot claim."""
        if request.headers.get(PAGE_HEADER) != "1":
            return False
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        # Browsers leave Sec-Fetch-Site out over plain HTTP to other machines; Origin is there on every write.
        origin = urlsplit(request.headers.get("origin", ""))
        hosts = {request.headers.get("host", ""), self._public.netloc} - {""}
        return origin.scheme in {"http", "https"} and origin.netloc in hosts

    def remember(self, request: Request, response: Response, cookie: str) -> None:
        """Set the cookie on a response."""
        response.set_cookie(
            self._name(request),
            cookie,
            max_age=int(SESSION_LIFE.total_seconds()),
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="lax",
        )

    def forget(self, request: Request, response: Response) -> None:
        response.delete_cookie(
            self._name(request), path="/", secure=self._secure(request), httponly=True, samesite="lax"
        )

    def _name(self, request: Request) -> str:
        # The prefix makes browsers refuse a cookie of this name from a sister host or over plain HTTP.
        return f"__Host-{self._cookie_name}" if self._secure(request) else self._cookie_name

    def _secure(self, request: Request) -> bool:
        behind_tls = self._public.scheme == "https" and request.headers.get("host") == self._public.netloc
        return request.url.scheme == "https" or behind_tls

    def _signed(self, purpose: str, owner: Owner, life: timedelta) -> str:
        expiry = int((self._clock.now() + life).timestamp())
        nonce = self._chance.bytes(_NONCE_BYTES).hex()
        said = f"{owner.account_id}.{owner.key_id}.{expiry}.{nonce}"
        return f"{said}.{self._signature(purpose, said)}"

    def _read(self, purpose: str, token: str) -> Owner | None:
        said, _, signature = token.rpartition(".")
        # Only what we signed is parsed.
        if not hmac.compare_digest(
            self._signature(purpose, said).encode(), signature.encode("utf-8", "replace")
        ):
            return None
        account_id, key_id, expiry, _ = said.split(".")
        if int(expiry) <= self._clock.now().timestamp():
            return None
        return Owner(account_id=int(account_id), key_id=int(key_id))

    def _signature(self, purpose: str, said: str) -> str:
        message = f"filmgate-{purpose}-1\n{said}".encode("utf-8", "replace")
        return base64.urlsafe_b64encode(hmac.digest(self._key, message, hashlib.sha256)).decode().rstrip("=")
