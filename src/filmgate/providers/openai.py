"""Any server that speaks the OpenAI Videos API.

https://platform.openai.com/docs/api-reference/videos

| of the request | in `POST /videos` | remark                                             |
|----------------|-------------------|----------------------------------------------------|
| model          | `model`           | left out where the route names none                |
| prompt         | `prompt`          |                                                    |
| seconds        | `seconds`         | a text                                             |
| size           | `size`            | `WxH`                                              |
| frames         | `input_reference` | one file, the first frame; the body is a form then |
| extends        | `input_reference` | the last frame of the film that it goes on from    |
| remixes        | the path          | `POST /videos/{id}/remix` of a video of its own    |
| sound, seed    |                   | the API has no field for them                      |

| status of a video       | meaning                                                                |
|-------------------------|------------------------------------------------------------------------|
| `queued`, `in_progress` | pending, with `progress` 0 to 100                                      |
| `completed`             | done; the bytes are at `GET /videos/{id}/content`                      |
| `failed`                | failed; `error.code` says why: moderation, or what a new try may avoid |
| any other               | pending                                                                |

| answer to a create that is no success                      | meaning                              |
|------------------------------------------------------------|--------------------------------------|
| 400, 413, 415, 422, 451 with an error of the vendor's own  | nothing was created: the request     |
| the same, or 401 to 403, whose code speaks of moderation   | nothing was created: refused         |
| 401, 402, 403; a code of quota, billing or model           | nothing was created: the settings    |
| 404, 405, 410 with an error of the vendor's own; 301, 307, 308 | nothing was created: the settings |
| 429; 503 with an error of the vendor's own                 | nothing was created: busy            |
| any other                                                  | nobody knows                         |

The API itself replays nothing. A server that gives the first video again for an
`Idempotency-Key` that it has seen may be declared with the option `idempotent = true`.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_http import FormFile, Http, HttpReply, NotSent, ReplyLost, TooLarge
from filmgate.domain.contracts_provider import (
    ClipRequest,
    Done,
    Failed,
    Frame,
    Pending,
    Polled,
    Power,
    Provider,
    ProviderConfig,
    Ticket,
    Tools,
)
from filmgate.domain.faults import Broken, Busy, Fault, Invalid, Misconfigured, Refused, Uncertain, Vanished
from filmgate.domain.limits import POLL_BODY_BYTES, POLL_SECONDS, SUBMIT_SECONDS
from filmgate.domain.request import Json, PictureRole
from filmgate.providers.options import demand_known, versioned_root
from filmgate.providers.replies import bounded, film, json_object, public, wait_of

BUSY_FOR: Final = timedelta(seconds=10)
_ID: Final = re.compile(r"(?!\.+$)[!-~]{1,512}")
_MODERATION: Final = re.compile(
    r"moderation|content[_ ]?(policy|filter)|safety|policy_violation", re.IGNORECASE
)
_OF_THE_OPERATOR: Final = re.compile(
    r"quota|billing|balance|credit|api_?key|authentication|permission|model_not_found", re.IGNORECASE
)
_UNAUTHORISED: Final = frozenset({401, 402, 403})
# An address or a model that is not there: only the settings can cure it.
_NOT_THERE: Final = frozenset({404, 405, 410})
_MOVED: Final = frozenset({301, 307, 308})
_UNFIT: Final = frozenset({400, 413, 415, 422, 451})
_BUSY: Final = frozenset({429, 503})
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def build(config: ProviderConfig, tools: Tools) -> Provider:
    demand_known(config, {"idempotent": bool})
    return OpenAIVideos(
        versioned_root(config, "v1"),
        config.credential.strip(),
        replays=config.options.get("idempotent") is True,
        http=tools.http,
        clock=tools.clock,
    )


class OpenAIVideos:
    powers: frozenset[Power] = frozenset()

    def __init__(self, root: str, key: str, *, replays: bool, http: Http, clock: Clock) -> None:
        self.replays = replays
        self._videos = f"{root}/videos"
        self._key = key
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = http
        self._clock = clock

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        remixed = _remixed(request)
        fields = _fields(request) if remixed is None else {"prompt": request.prompt}
        frame = None if remixed is not None else _first_frame(request)
        form: list[tuple[str, str | FormFile]] | None = None
        if frame is not None:
            form = [*fields.items(), ("input_reference", _file(frame))]
        try:
            # A kept connection may be closing just now, and then nobody knows what became of the request.
            reply = await self._http.send(
                "POST",
                self._videos if remixed is None else f"{self._address(remixed)}/remix",
                headers={**self._headers, "accept": "application/json", "idempotency-key": key},
                json=fields if form is None else None,
                form=form,
                timeout_s=SUBMIT_SECONDS,
                limit_bytes=POLL_BODY_BYTES,
                fresh=True,
            )
        except NotSent as error:
            raise Broken(str(error)) from error
        except (ReplyLost, TooLarge) as error:
            raise Uncertain(str(error)) from error
        if reply.status // 100 != 2:  # noqa: PLR2004  # the class of success
            raise self._unaccepted(reply)
        ref = (json_object(reply.body) or {}).get("id")
        if not isinstance(ref, str) or _ID.fullmatch(ref) is None:
            raise Uncertain(f"{reply.status} without a usable id: {self._words(reply)}")
        return Ticket(ref, ask_in=self._ask_in(reply))

    async def poll(self, ticket: Ticket) -> Polled:
        try:
            reply = await self._http.send(
                "GET",
                self._address(ticket.ref),
                headers={**self._headers, "accept": "application/json"},
                timeout_s=POLL_SECONDS,
                limit_bytes=POLL_BODY_BYTES,
            )
        except (NotSent, ReplyLost, TooLarge) as error:
            raise Broken(str(error)) from error
        body = json_object(reply.body)
        if reply.status != HTTPStatus.OK or body is None:
            raise self._unanswered(reply)
        if body.get("id") != ticket.ref:
            raise Broken(f"the answer is about {body.get('id')!r}, not {ticket.ref!r}: {self._words(reply)}")
        return self._polled(body, self._ask_in(reply))

    async def fetch(self, result: Mapping[str, Json]) -> AsyncIterator[bytes]:
        async for piece in film(self._http, f"{self._address(str(result['id']))}/content", self._headers):
            yield piece

    def _address(self, ref: str) -> str:
        return f"{self._videos}/{quote(ref, safe='')}"

    def _polled(self, body: Mapping[str, Json], ask_in: timedelta | None) -> Polled:
        match body.get("status"):
            case "completed":
                return Done({"id": body["id"]})
            case "failed":
                error = _error(body) or _Error("", "the vendor gave no reason")
                text = public(error.message, self._key)
                if _MODERATION.search(error.code):
                    return Failed("content_refused", text)
                return Failed("provider_failed", text, again=True)
            case _:
                return Pending(_progress(body.get("progress")), ask_in)

    def _unaccepted(self, reply: HttpReply) -> Fault:
        """Say what a refusal means; whatever does not prove that nothing was created is Uncertain."""
        status, error = reply.status, _error(json_object(reply.body))
        words = f"{status}: {self._words(reply)}"
        if error is None:
            return self._unsaid(reply, words)
        text = public(error.message, self._key)
        if status in _UNFIT | _UNAUTHORISED and _MODERATION.search(error.code):
            return Refused(text)
        named = status in _UNFIT | _BUSY and _OF_THE_OPERATOR.search(error.code)
        if named or status in _UNAUTHORISED | _MOVED | _NOT_THERE:
            return Misconfigured(words)
        if status in _UNFIT:
            return Invalid(text)
        if status in _BUSY:
            return Busy(words, wait_of(reply.headers, self._clock.now()) or BUSY_FOR)
        return Uncertain(words)

    def _unsaid(self, reply: HttpReply, words: str) -> Fault:
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            # Whoever limits the rate has not passed the request on, be it the vendor or a proxy in front of it.
            return Busy(words, wait_of(reply.headers, self._clock.now()) or BUSY_FOR)
        return Misconfigured(words) if reply.status in _UNAUTHORISED | _MOVED else Uncertain(words)

    def _unanswered(self, reply: HttpReply) -> Fault:
        words = f"{reply.status}: {self._words(reply)}"
        if reply.status in _UNAUTHORISED:
            return Misconfigured(words)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Busy(words, wait_of(reply.headers, self._clock.now()) or BUSY_FOR)
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and _error(json_object(reply.body)):
            return Vanished(words)
        return Broken(words)

    def _ask_in(self, reply: HttpReply) -> timedelta | None:
        milliseconds = reply.headers.get("openai-poll-after-ms", "")
        if re.fullmatch(r"[0-9]{1,9}", milliseconds):
            return bounded(timedelta(milliseconds=int(milliseconds)))
        return wait_of(reply.headers, self._clock.now())

    def _words(self, reply: HttpReply) -> str:
        return public(reply.body.decode(errors="replace"), self._key)


@dataclass(frozen=True, slots=True)
class _Error:
    """`code` is all that a machine may read: the code and the type."""

    code: str
    message: str


def _error(body: Mapping[str, Json] | None) -> _Error | None:
    """Read an error that the vendor's own program wrote; None where a body has none of its forms."""
    if body is None:
        return None
    match body:
        case {"error": {**error}} if error:
            code = " ".join(str(error[name]) for name in ("code", "type") if error.get(name) is not None)
            return _Error(code, str(error.get("message") or code or error))
        case {"error": str(message)} if message:
            return _Error("", message)
        case {"detail": str() | list() as detail} if detail:
            return _Error("", str(detail))
        case {"message": str(message)} if message:
            return _Error(str(body.get("code") or ""), message)
    return None


def _fields(request: ClipRequest) -> dict[str, str]:
    fields = {"prompt": request.prompt, "seconds": str(request.seconds), "size": str(request.size)}
    return {"model": request.model, **fields} if request.model else fields


def _remixed(request: ClipRequest) -> str | None:
    """Give the vendor's own video that the request varies; a film of another maker is made anew."""
    earlier = request.remixes
    if earlier is None or earlier.ticket is None or request.frames:
        return None
    return earlier.ticket.ref


def _first_frame(request: ClipRequest) -> Frame | None:
    """Give the picture to start from: that of the request, or where the film stopped that it goes on from."""
    frames = request.frames
    if request.extends is not None:
        frames = () if request.extends.last_frame is None else (request.extends.last_frame,)
    match frames:
        case ():
            return None
        case (Frame(role=PictureRole.FIRST | PictureRole.BEFORE) as frame,):
            return frame
        case _:
            raise Invalid("this provider takes one picture, the first frame")


def _file(frame: Frame) -> FormFile:
    suffix = _SUFFIXES.get(frame.media_type, "bin")
    return FormFile(f"input_reference.{suffix}", frame.media_type, frame.content)


def _progress(said: Json) -> int | None:
    if type(said) is not int or not 0 <= said <= 100:  # noqa: PLR2004  # per cent
        return None
    return min(said, 99)
