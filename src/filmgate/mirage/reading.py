"""How a request becomes a call."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final, cast

from aiohttp import web
from aiohttp.web_request import BaseRequest, FileField

from filmgate.mirage.calls import Body, Call

BODY_BYTES: Final = 64 * 1024 * 1024
_UNREADABLE: Final = "the body must be a JSON object or a form"


async def read_call(request: BaseRequest) -> Call | None:
    """Read the whole request; None where it is too large."""
    try:
        body = await _body(request)
    except web.HTTPRequestEntityTooLarge:
        return None
    return Call(
        method=request.method,
        path=request.path,
        query=request.query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        host=request.host,
    )


async def _body(request: BaseRequest) -> Body:
    if not request.body_exists:
        return Body(fault=_UNREADABLE)
    if request.content_type.startswith("multipart/"):
        return await _form(request)
    content = await request.read()
    sha256 = hashlib.sha256(content).hexdigest() if content else None
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return Body(sha256=sha256, fault=_UNREADABLE)
    return Body(fields=dict(_flat(value)), sha256=sha256)


async def _form(request: BaseRequest) -> Body:
    """Read a form; its digest is that of its parts, whatever their boundary is."""
    try:
        form = await request.post()
    except ValueError as fault:
        return Body(fault=f"the form cannot be read: {fault}")
    digest = hashlib.sha256()
    fields, files = {}, set()
    for name, value in form.items():
        if isinstance(value, FileField):
            files.add(name)
            part = hashlib.sha256(value.file.read()).hexdigest()
        else:
            fields[name] = part = str(value)
        digest.update(json.dumps([name, isinstance(value, FileField), part]).encode())
    return Body(fields=fields, files=frozenset(files), sha256=digest.hexdigest())


def _flat(value: Mapping[str, object], outer: str = "") -> list[tuple[str, str]]:
    """Write an object as a form does: nested names in brackets, nothing for null."""
    flat: list[tuple[str, str]] = []
    for key, inner in value.items():
        name = f"{outer}[{key}]" if outer else key
        if isinstance(inner, dict):
            flat += _flat(cast("Mapping[str, object]", inner), name)
        elif inner is not None:
            flat.append((name, inner if isinstance(inner, str) else json.dumps(inner)))
    return flat
