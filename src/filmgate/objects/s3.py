"""The part of S3 that obstore does not speak: uploads in parts that outlive the process which began them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import asyncio
import base64
import hashlib
import io
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import aiohttp
import obstore
from yarl import URL

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_http import NO_HEADERS, HttpReply
from filmgate.domain.limits import MIB
from filmgate.net.exchange import Body, begin, new_session, next_piece, opening, pieces, whole
from filmgate.objects.buckets import Patience
from filmgate.objects.faults import ObjectStoreError, Trouble, refusal, told
from filmgate.objects.signature import Signer, query_text

if TYPE_CHECKING:
    from obstore.store import S3Store

REPLY_BYTES: Final = 4 * MIB
_ERROR_BYTES: Final = 4096
_AGAIN: Final = frozenset((408, 429, 500, 502, 503, 504))
_BRIEFLY: Final = timedelta(minutes=1)
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")


class RefusalError(ObjectStoreError):
    """The store answered, and said no."""

    def __init__(self, error: ObjectStoreError, status: int) -> None:
        super().__init__(str(error), error.trouble)
        self.status = status


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun and not ended."""

    key: str
    id: str
    begun_at: datetime


class S3:
    """One bucket, spoken to by requests that we sign ourselves."""

    def __init__(self, backend: "S3Store", signer: Signer, clock: Clock, patience: Patience) -> None:
        self._backend = backend
        self._signer = signer
        self._clock = clock
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None
        self._prefix = f"{backend.prefix}/" if backend.prefix else ""
        self._bucket = self._url("x").removesuffix(f"/{quote(self._prefix)}x")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def address(self, key: str, query: Mapping[str, str], expires: timedelta) -> str:
        """Give an address of the object that anyone may read until it expires."""
        return self._signer.address(self._url(key), query, expires, self._clock.now())

    async def begin(self, key: str, media_type: str) -> str:
        """Begin an upload; one whose reply was lost is found by `uploads`, and swept."""
        reply = await self._asked("POST", key, {"uploads": ""}, headers={"content-type": media_type})
        return _text(_xml(key, reply), "UploadId")

    async def put_part(self, key: str, upload: str, no: int, content: bytes, md5: bytes) -> str:
        """Send a part, and give its ETag; sending the same again is the same part."""
        headers = {"content-md5": base64.b64encode(md5).decode()}
        query = {"partNumber": str(no), "uploadId": upload}
        reply = await self._asked("PUT", key, query, content=content, headers=headers)
        return reply.headers.get("etag", "").strip('"') or md5.hex()

    async def parts(self, key: str, upload: str) -> dict[int, tuple[str, int]]:
        """Give the ETag and size in bytes of each part that is there."""
        found: dict[int, tuple[str, int]] = {}
        query = {"uploadId": upload}
        while True:
            page = _xml(key, await self._asked("GET", key, query))
            for part in page.iter("Part"):
                etag = _text(part, "ETag").strip('"')
                found[int(_text(part, "PartNumber"))] = (etag, int(_text(part, "Size")))
            if _text(page, "IsTruncated") != "true":
                return found
            query = {"uploadId": upload, "part-number-marker": _text(page, "NextPartNumberMarker")}

    async def complete(self, key: str, upload: str, etags: Sequence[str]) -> str:
        """Make the parts one object, which is seen from here on; give its ETag."""
        root = ET.Element("CompleteMultipartUpload")
        for no, etag in enumerate(etags, 1):
            part = ET.SubElement(root, "Part")
            ET.SubElement(part, "PartNumber").text = str(no)
            ET.SubElement(part, "ETag").text = f'"{etag}"'
        content = ET.tostring(root, "utf-8")
        reply = await self._asked(
            "POST", key, {"uploadId": upload}, content=content, headers={"content-type": "application/xml"}
        )
        # The status is sent before the work is done, so that an error may stand in the body of a success.
        answer = _xml(key, reply)
        if answer.tag == "Error":
            error = refusal(key, HTTPStatus.INTERNAL_SERVER_ERROR, reply.body.decode("utf-8", "replace"))
            raise RefusalError(error, HTTPStatus.INTERNAL_SERVER_ERROR)
        return _text(answer, "ETag").strip('"')

    async def abort(self, key: str, upload: str) -> None:
        """Drop an upload with all its parts; one that is not there is dropped already."""
        try:
            await self._asked("DELETE", key, {"uploadId": upload})
        except RefusalError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def stream(self, key: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        """Give a part of an object, also from a server that says 200 to a range, with it or without."""
        span = {"range": f"bytes={start}-{'' if end is None else end - 1}"}
        idle_s = self._patience.idle_s
        signed = self._signed("GET", self._url(key), {}, _sha256(b""), span)
        async with await self._begun("GET", URL(self._url(key), encoded=True), signed, None, idle_s) as reply:
            if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
                said = (await opening(reply, _ERROR_BYTES, idle_s)).decode("utf-8", "replace")
                raise RefusalError(refusal(key, reply.status, said), reply.status)
            partial = reply.headers.get("content-range", "").startswith(f"bytes {start}-")
            skip = 0 if partial else start
            left = math.inf if end is None else end - start
            while left and (piece := await next_piece(reply, idle_s)):
                wanted = piece[skip : skip + int(min(left, len(piece)))]
                skip -= min(skip, len(piece))
                left -= len(wanted)
                if wanted:
                    yield wanted

    async def uploads(self, prefix: str = "") -> AsyncIterator[Upload]:
        """Give the uploads that were begun and not ended; some stores tell only those of one whole key."""
        query = {"uploads": "", "prefix": self._prefix + prefix}
        while True:
            page = _xml(prefix, await self._asked("GET", None, query))
            for upload in page.iter("Upload"):
                key = _text(upload, "Key")
                if key.startswith(self._prefix):
                    begun_at = datetime.fromisoformat(_text(upload, "Initiated"))
                    yield Upload(key.removeprefix(self._prefix), _text(upload, "UploadId"), begun_at)
            if _text(page, "IsTruncated") != "true":
                return
            query |= {
                "key-marker": _text(page, "NextKeyMarker"),
                "upload-id-marker": _text(page, "NextUploadIdMarker"),
            }

    def _url(self, key: str) -> str:
        # obstore knows the styles of all stores; the path that it signs is the path of the object.
        return obstore.sign(self._backend, "GET", key, _BRIEFLY).partition("?")[0]

    async def _asked(
        self,
        method: str,
        key: str | None,
        query: Mapping[str, str],
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        """Ask until the store says yes or no; everything that is asked here may be asked twice."""
        name = key or "the bucket"
        digest = await asyncio.to_thread(_sha256, content or b"")
        for left in reversed(range(self._patience.tries)):
            try:
                with told(name):
                    reply = await self._once(method, key, query, content, digest, headers)
                if reply.status < HTTPStatus.MULTIPLE_CHOICES:
                    return reply
                said = refusal(name, reply.status, reply.body.decode("utf-8", "replace"))
                raise RefusalError(said, reply.status)
            except ObjectStoreError as error:
                if not left or not _passing(error):
                    raise
            await asyncio.sleep(self._patience.pause_s * 2 ** (self._patience.tries - 1 - left))
        raise AssertionError(name)

    async def _once(
        self,
        method: str,
        key: str | None,
        query: Mapping[str, str],
        content: bytes | None,
        digest: str,
        headers: Mapping[str, str],
    ) -> HttpReply:
        url = self._bucket if key is None else self._url(key)
        url = url if urlsplit(url).path else f"{url}/"
        signed = self._signed(method, url, query, digest, headers)
        body = None
        if content is not None:
            kind = signed.get("content-type", "application/octet-stream")
            body = aiohttp.payload.BytesIOPayload(io.BytesIO(content), content_type=kind)
        at = URL(f"{url}?{query_text(query)}", encoded=True)
        within_s = self._patience.part_s if content is not None else self._patience.idle_s
        async with await self._begun(method, at, signed, body, within_s) as response:
            deadline = asyncio.get_running_loop().time() + within_s
            came = [
                piece
                async for piece in pieces(
                    response, deadline=deadline, idle_s=self._patience.idle_s, limit_bytes=REPLY_BYTES
                )
            ]
        return whole(response, b"".join(came))

    def _signed(
        self, method: str, url: str, query: Mapping[str, str], digest: str, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        return self._signer.headers(method, url, query, digest, headers, self._clock.now())

    async def _begun(
        self, method: str, at: URL, headers: Mapping[str, str], body: Body, within_s: float
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = new_session(aiohttp.TCPConnector(limit=0), self._patience.connect_s)
        return await begin(self._session, method, at, headers=headers, body=body, within_s=within_s)


def _passing(error: ObjectStoreError) -> bool:
    """Tell whether the same request may succeed if it is asked again soon."""
    if isinstance(error, RefusalError):
        return error.status in _AGAIN and error.trouble is not Trouble.FULL
    return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _xml(key: str, reply: HttpReply) -> ET.Element:
    try:
        root = ET.fromstring(reply.body)  # noqa: S314  # a reply is bounded, and expat bounds what its entities may grow to
    except ET.ParseError:
        raise ObjectStoreError(f"{key}: the store answered with something that is no XML") from None
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
    return root


def _text(element: ET.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
