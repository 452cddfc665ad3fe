"""The way out for a provider whose results are not to be fetched from wherever it says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from filmgate.domain.contracts_http import NO_HEADERS, FormFile, Http, HttpReply, NotSent
from filmgate.net.denied import Denied
from filmgate.net.fetch import GuardedFetch


class GuardedResults:
    """An Http whose streams pass the guard; what it sends goes to the provider's own, configured address."""

    def __init__(self, http: Http, fetch: GuardedFetch) -> None:
        self._http = http
        self._fetch = fetch

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        json: object = None,
        form: Sequence[tuple[str, str | FormFile]] | None = None,
        timeout_s: float,
        limit_bytes: int,
        fresh: bool = False,
    ) -> HttpReply:
        return await self._http.send(
            method,
            url,
            headers=headers,
            json=json,
            form=form,
            timeout_s=timeout_s,
            limit_bytes=limit_bytes,
            fresh=fresh,
        )

    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float,
        idle_s: float,
        limit_bytes: int,
    ) -> AsyncIterator[bytes]:
        pieces = self._fetch.stream(
            url, headers=headers, timeout_s=timeout_s, idle_s=idle_s, limit_bytes=limit_bytes
        )
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        except Denied as denied:
            raise NotSent(f"the guard denied the result's URL: {denied.operator}") from denied
