"""Signature Version 4 of S3: of a request by its headers, or of an address that works by itself.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a request is signed with."""

    access_key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    keys: Keys
    region: str

    def headers(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        content_sha256: str,
        extra: Mapping[str, str],
        now: datetime,
    ) -> dict[str, str]:
        """Give all headers of a request; `url` has no query, and its path is quoted already."""
        parts = urlsplit(url)
        headers = {
            **{name.lower(): value for name, value in extra.items()},
            "host": parts.netloc,
            "x-amz-content-sha256": content_sha256,
            "x-amz-date": _moment(now),
        }
        if self.keys.token is not None:
            headers["x-amz-security-token"] = self.keys.token
        signature = self._signature(method, parts.path, query, headers, content_sha256, now)
        credential = f"{self.keys.access_key}/{self._scope(now)}"
        named = ";".join(sorted(headers))
        said = f"{ALGORITHM} Credential={credential}, SignedHeaders={named}, Signature={signature}"
        return {**headers, "authorization": said}

    def address(self, url: str, query: Mapping[str, str], expires: timedelta, now: datetime) -> str:
        """Give an address that anyone may GET until it expires; raise ValueError past seven days."""
        if not timedelta(seconds=1) <= expires <= LONGEST:
            raise ValueError(f"a signed address lasts from one second to {LONGEST.days} days, not {expires}")
        parts = urlsplit(url)
        asked = {
            **query,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.keys.access_key}/{self._scope(now)}",
            "X-Amz-Date": _moment(now),
            "X-Amz-Expires": str(int(expires.total_seconds())),
            "X-Amz-SignedHeaders": "host",
        }
        if self.keys.token is not None:
            asked["X-Amz-Security-Token"] = self.keys.token
        signature = self._signature("GET", parts.path, asked, {"host": parts.netloc}, UNSIGNED, now)
        return f"{url}?{query_text(asked)}&X-Amz-Signature={signature}"

    def _scope(self, now: datetime) -> str:
        return f"{now:%Y%m%d}/{self.region}/s3/aws4_request"

    def _signature(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        content_sha256: str,
        now: datetime,
    ) -> str:
        names = sorted(headers)
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
        request = "\n".join((method, path or "/", query_text(query), lines, ";".join(names), content_sha256))
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.keys.secret}".encode()
        for part in (f"{now:%Y%m%d}", self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = "\n".join((ALGORITHM, _moment(now), self._scope(now), digest))
        return hmac.digest(key, text.encode(), "sha256").hex()


def query_text(query: Mapping[str, str]) -> str:
    """Write a query as the signature wants it: sorted, and quoted to the last sign."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _moment(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}"
