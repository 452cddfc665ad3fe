"""The page's own files, read once: as they are, compressed, and with the tags that let browsers keep them."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# Trusted Types turn any text that would be parsed as markup into an error: prompts are hostile text.
_POLICY: Final = (
    "default-src 'self'",
    "img-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_HEADERS: Final = {
    "content-security-policy": "; ".join(_POLICY),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Kept, but asked for again: an upgraded gate never meets the scripts of the one before.
    "cache-control": "no-cache",
    "vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; `etag` is strong, and differs between the plain and the compressed bytes."""

    media_type: str
    plain: bytes = field(repr=False)
    gzipped: bytes = field(repr=False)
    digest: str

    def answer(self, request: Request) -> Response:
        """Answer whole, or with 304 where the browser has these very bytes."""
        gzipped = _takes_gzip(request)
        etag = f'"{self.digest}-gzip"' if gzipped else f'"{self.digest}"'
        headers = {**_HEADERS, "etag": etag}
        if etag in _tags(request):
            return Response(status_code=304, headers=headers)
        if gzipped:
            headers["content-encoding"] = "gzip"
        return Response(self.gzipped if gzipped else self.plain, headers=headers, media_type=self.media_type)


def read_assets() -> Mapping[str, Asset]:
    """Read all files of the page, by name."""
    folder = files("filmgate.console") / "static"
    return {
        entry.name: _asset(entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()
    }


def _asset(name: str, content: bytes) -> Asset:
    return Asset(
        media_type=_MEDIA_TYPES[name.rpartition(".")[2]],
        plain=content,
        gzipped=gzip.compress(content, 9, mtime=0),
        digest=hashlib.sha256(content).hexdigest()[:32],
    )


def _takes_gzip(request: Request) -> bool:
    offers = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(offer.partition(";")[0] == "gzip" and not offer.endswith(";q=0") for offer in offers)


def _tags(request: Request) -> frozenset[str]:
    given = request.headers.get("if-none-match", "")
    return frozenset(tag.strip().removeprefix("W/") for tag in given.split(","))
