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
| `cancelled`, `canceled` | stopped, by whomever                                                   |
| any other               | pending                                                                |

| answer to a create that is no success                      | meaning                              |
|------------------------------------------------------------|--------------------------------------|
| 400, 413, 415, 422, 451 with an error of the vendor's own  | nothing was created: the request     |
| the same, or 401 to 403, whose code speaks of moderation   | nothing was created: refused         |
| 401, 402, 403; a code of quota, billing or model           | nothing was created: the settings    |
| 404, 410 to a remix, with an error of the vendor's own      | nothing was created: the video to vary is gone |
| 404, 405, 410 with an error of the vendor's own; 301, 307, 308 | nothing was created: the settings |
| 429; 503 with an error of the vendor's own                 | nothing was created: busy            |
| any other                                                  | nobody knows                         |

The API itself replays nothing. A server that gives the first video again for an
`Idempotency-Key` that it has seen may be declared with the option `idempotent = true`, and with `idempotent_for_s` for
how long it surely knows a key, 23 hours where nothing is said; one whose list can be asked
for the video of such a key (`GET /videos?idempotency_key=`, each video with its `idempotency_key`) with `find = true`,
and `visible_after_s` for how long after its submit a video surely stands there; one that stops a video that is being
made (`POST /videos/{id}/cancel`) with `cancel = true`.

| answer to a cancel                                | meaning                           |
|---------------------------------------------------|-----------------------------------|
| the video, `cancelled`                            | stopped                           |
| the video, `completed` or `failed`                | too late                          |
| the video, with any other status                  | asked: a later poll will tell     |
| 400, 403, 405, 409, 422 with an error of its own  | it will not                       |
| any other                                         | nobody knows, and it is asked again |
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from filmgate.domain.clock import Clock
from filmgate.domain.contracts_http import FormFile, Http, HttpReply, NotSent, ReplyLost, TooLarge
from filmgate.domain.contracts_provider import (
    Cancelled,
    ClipRequest,
    Done,
    Failed,
    Frame,
    NotStopped,
    Pending,
    Polled,
    Power,
    Provider,
    ProviderConfig,
    Stopped,
    Ticket,
    Tools,
)
from filmgate.domain.faults import Broken, Busy, Fault, Invalid, Misconfigured, Refused, Uncertain, Vanished
from filmgate.domain.ids import same_clip
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
_GONE: Final = frozenset({404, 410})
_MOVED: Final = frozenset({301, 307, 308})
_UNFIT: Final = frozenset({400, 413, 415, 422, 451})
_BUSY: Final = frozenset({429, 503})
_WAITING: Final = frozenset({"queued", "pending"})
_WILL_NOT: Final = frozenset({400, 403, 405, 409, 422})
_VISIBLE_AFTER_S: Final = 10
_COST: Final = re.compile(r"(?P<micros>[0-9]{1,12});state=(?P<state>charged|returned)")
# Such servers forget a key after a day; the clocks of a gate and its vendor may differ by an hour.
_IDEMPOTENT_FOR_S: Final = 23 * 3600
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def build(config: ProviderConfig, tools: Tools) -> Provider:
    demand_known(
        config,
        {"idempotent": bool, "idempotent_for_s": int, "find": bool, "visible_after_s": int, "cancel": bool},
    )
    wait_s = int(str(config.options.get("visible_after_s", _VISIBLE_AFTER_S)))
    if wait_s < 0:
        raise ValueError(f"the option visible_after_s of the provider {config.name} must be 0 or more")
    keys_s = int(str(config.options.get("idempotent_for_s", _IDEMPOTENT_FOR_S)))
    if keys_s < 1:
        raise ValueError(f"the option idempotent_for_s of the provider {config.name} must be 1 or more")
    return OpenAIVideos(
        versioned_root(config, "v1"),
        config.credential.strip(),
        replays=timedelta(seconds=keys_s) if config.options.get("idempotent") is True else None,
        cancels=config.options.get("cancel") is True,
        visible_after=timedelta(seconds=wait_s) if config.options.get("find") is True else None,
        http=tools.http,
        clock=tools.clock,
    )


class OpenAIVideos:
    powers: frozenset[Power] = frozenset()

    def __init__(
        self,
        root: str,
        key: str,
        *,
        replays: timedelta | None,
        cancels: bool,
        visible_after: timedelta | None,
        http: Http,
        clock: Clock,
    ) -> None:
        self.replays = replays
        self.cancels = cancels
        self.visible_after = visible_after
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
            if remixed is not None and _source_gone(reply):
                raise Vanished(f"{reply.status}: {self._words(reply)}")
            raise self._unaccepted(reply)
        ref = (json_object(reply.body) or {}).get("id")
        if not isinstance(ref, str) or _ID.fullmatch(ref) is None:
            raise Uncertain(f"{reply.status} without a usable id: {self._words(reply)}")
        return Ticket(ref, ask_in=self._ask_in(reply), key=key)

    async def poll(self, ticket: Ticket) -> Polled:
        reply = await self._asked("GET", self._address(ticket.ref))
        return _with_cost(self._polled(self._video(reply, ticket), self._ask_in(reply)), reply.headers)

    async def find(self, key: str) -> Ticket | None:
        reply = await self._asked("GET", f"{self._videos}?idempotency_key={quote(key, safe='')}&limit=100")
        body = json_object(reply.body)
        listed = None if body is None else body.get("data")
        if reply.status != HTTPStatus.OK or body is None or not isinstance(listed, list):
            raise self._unanswered(reply)
        videos = [video for video in listed if isinstance(video, dict)]
        ref = next((video.get("id") for video in videos if video.get("idempotency_key") == key), None)
        if isinstance(ref, str) and _ID.fullmatch(ref):
            return Ticket(ref, ask_in=self._ask_in(reply), key=key)
        if body.get("has_more") or any("idempotency_key" not in video for video in videos):
            # It was asked for one video: what lists others proves nothing of that one.
            raise Broken("the vendor's list cannot be asked for a key")
        return None

    async def check(self) -> str:
        reply = await self._asked("GET", f"{self._videos}?limit=1")
        if reply.status == HTTPStatus.OK and json_object(reply.body) is not None:
            return "it answers, and knows the credential"
        if reply.status in _NOT_THERE and _error(json_object(reply.body)):
            return "it answers, but lists no videos: only a film would show whether it knows the credential"
        raise self._unanswered(reply)

    async def cancel(self, ticket: Ticket) -> Stopped:
        # What is another's is not stopped. Whose job it is only those say that can be asked for a key.
        if self.visible_after is not None:
            self._video(await self._asked("GET", self._address(ticket.ref)), ticket)
        reply = await self._asked("POST", f"{self._address(ticket.ref)}/cancel")
        if reply.status in _WILL_NOT and _error(json_object(reply.body)):
            return NotStopped(f"{reply.status}: {self._words(reply)}")
        match self._polled(self._video(reply, ticket), self._ask_in(reply)):
            case Done() | Failed():
                return NotStopped("it has ended already")
            case stopped:
                return stopped

    async def _asked(self, method: str, address: str) -> HttpReply:
        """Ask something that may be asked again; raise Broken where no answer came."""
        try:
            return await self._http.send(
                method,
                address,
                headers={**self._headers, "accept": "application/json"},
                timeout_s=POLL_SECONDS,
                limit_bytes=POLL_BODY_BYTES,
            )
        except (NotSent, ReplyLost, TooLarge) as error:
            raise Broken(str(error)) from error

    def _video(self, reply: HttpReply, ticket: Ticket) -> Mapping[str, Json]:
        """Read the video that was asked about; raise the Fault that says what else came."""
        body = json_object(reply.body)
        if reply.status != HTTPStatus.OK or body is None:
            raise self._unanswered(reply)
        if body.get("id") != ticket.ref:
            raise Broken(f"the answer is about {body.get('id')!r}, not {ticket.ref!r}: {self._words(reply)}")
        made_for = body.get("idempotency_key")
        if made_for is not None and ticket.key and not same_clip(str(made_for), ticket.key):
            # One id for two jobs: ours is shown to nobody, and nobody is given another's film.
            raise Vanished(f"{ticket.ref} is what was made for {made_for!r}")
        return body

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
            case "cancelled" | "canceled":
                return Cancelled()
            case _:
                waits = body.get("status") in _WAITING
                return Pending(_progress(body.get("progress")), ask_in, waits=waits)

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
        if reply.status in _GONE and _error(json_object(reply.body)):
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


def _source_gone(reply: HttpReply) -> bool:
    """Tell whether a refusal speaks of the video in the path, and says nothing of what else can be made here."""
    error = _error(json_object(reply.body)) if reply.status in _GONE else None
    return error is not None and not _OF_THE_OPERATOR.search(error.code)


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


def _with_cost(polled: Polled, headers: Mapping[str, str]) -> Polled:
    """Note what another gate of this kind says that it charged."""
    said = _COST.fullmatch(headers.get("x-filmgate-cost", ""))
    if said is None or not isinstance(polled, Done | Failed):
        return polled
    return replace(polled, cost_micros=int(said["micros"]) if said["state"] == "charged" else 0)


def _progress(said: Json) -> int | None:
    if type(said) is not int or not 0 <= said <= 100:  # noqa: PLR2004  # per cent
        return None
    return min(said, 99)
