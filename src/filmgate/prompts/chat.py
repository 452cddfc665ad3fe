"""A chat server that speaks the OpenAI API.

https://platform.openai.com/docs/api-reference/chat
"""

from dataclasses import dataclass
from typing import Final

import orjson

from filmgate.domain.contracts_http import Http, HttpReply, NotSent, ReplyLost, TooLarge
from filmgate.domain.limits import MIB

_TIMEOUT_S: Final = 20.0
_OK: Final = 200
_CHARACTERS: Final = 4000


class ChatFailedError(Exception):
    """The server gave no text; what this says is for operators."""


@dataclass(frozen=True, slots=True)
class Chat:
    http: Http
    base_url: str
    model: str
    key: str

    async def say(self, instruction: str, text: str) -> str:
        """Ask once; raise ChatFailedError where no usable text comes in time."""
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        try:
            reply = await self.http.send(
                "POST",
                f"{self.base_url}/chat/completions",
                headers={"authorization": f"Bearer {self.key}"} if self.key else {},
                json={"model": self.model, "messages": messages, "temperature": 0.3},
                timeout_s=_TIMEOUT_S,
                limit_bytes=MIB,
            )
        except (NotSent, ReplyLost, TooLarge) as error:
            raise ChatFailedError(str(error)) from error
        return _text(reply)


def _text(reply: HttpReply) -> str:
    if reply.status != _OK:
        raise ChatFailedError(f"it answered {reply.status}")
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = None
    match body:
        case {"choices": [{"message": {"content": str(content)}}, *_]}:
            said = content.replace("\0", "").strip()
        case _:
            said = ""
    if not said:
        raise ChatFailedError("it answered without a text")
    return said[:_CHARACTERS]
