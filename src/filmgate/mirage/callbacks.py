"""What the vendor calls back with: the event form of OpenAI, signed as Standard Webhooks ask."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

import orjson

from filmgate.mirage.orders import Job
from filmgate.mirage.terms import Terms

# How long a receiver that did not take it is left alone.
RETRIES_S: Final = (1.0, 5.0, 25.0)
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """`more` is how often it is sent again although it arrived, `early` is one from before the end."""

    job_id: str
    url: str
    event_id: str
    body: bytes
    secret: str | None
    more: int = 0
    tries: int = 0
    early: bool = False

    def headers(self, now: float) -> dict[str, str]:
        """Give the headers for one try."""
        moment = str(int(now))
        headers = {
            "content-type": "application/json",
            "webhook-id": self.event_id,
            "webhook-timestamp": moment,
        }
        if self.secret is not None:
            signed = f"{self.event_id}.{moment}.".encode() + self.body
            digest = hmac.digest(_secret(self.secret), signed, "sha256")
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers


def first_callbacks(
    job: Job, terms: Terms, now: float, *, early: bool = False
) -> list[tuple[float, Callback]]:
    """Give what the job's end calls for, each with its time; nothing where nobody waits for it."""
    address = job.order.callback or terms.callback
    lies = job.order.lies
    if address is None or "callback-lost" in lies:
        return []
    status = "completed" if early else job.end
    created = int(now if early else job.ended_at)
    body = {
        "id": "evt_" + hashlib.sha256(f"{job.id} {early}".encode()).hexdigest()[:32],
        "object": "event",
        "created_at": created,
        "type": f"video.{status}",
        "data": {"id": job.ref},
    }
    callback = Callback(
        job_id=job.id,
        url=address.replace("{id}", job.ref).replace("{key}", quote(job.key or "", safe="")),
        event_id=str(body["id"]),
        body=orjson.dumps(body),
        secret=terms.callback_secret,
        more=0 if early or "callback-repeat" not in lies else int(min(lies["callback-repeat"].times, 1000)),
        early=early,
    )
    wait_s = 0 if early or "callback-slow" not in lies else lies["callback-slow"].seconds
    return [(now + wait_s, callback)]


def repeated(callback: Callback, status: int | None, now: float) -> list[tuple[float, Callback]]:
    """Give the next try of one that did not arrive, or the next repeat of one that did."""
    if status in _SUCCESS:
        return [(now, replace(callback, more=callback.more - 1, tries=0))] if callback.more else []
    if callback.tries >= len(RETRIES_S):
        return []
    return [(now + RETRIES_S[callback.tries], replace(callback, tries=callback.tries + 1))]


def _secret(text: str) -> bytes:
    return base64.b64decode(text.removeprefix("whsec_")) if text.startswith("whsec_") else text.encode()
