"""Word prompts anew: by a chat server where one is configured, else by what the gate itself can read of them."""

from collections.abc import Callable
from typing import Final

from filmgate.animatic.describe import describe, soften
from filmgate.domain.record import Maker
from filmgate.engine.parts import Wording
from filmgate.prompts.chat import Chat, ChatFailedError

_ENHANCE: Final = (
    "You write prompts for a text-to-video model. Rewrite what the user sends as one English shot description of at "
    "most 80 words: subject, action, place, light, camera. Never add a subject that the user did not name. "
    "Answer with the description alone."
)
_SOFTEN: Final = (
    "A text-to-video model refused the user's prompt. Rewrite it as one English shot description that is fit for all "
    "ages and keeps its harmless part. Answer with the description alone."
)


class Enhancer:
    """The built-in wording is always there: a chat server that fails costs a warning, never the film."""

    def __init__(self, chat: Chat | None, on_failure: Callable[[str], None]) -> None:
        self._chat = chat
        self._on_failure = on_failure

    async def enhance(self, prompt: str) -> Wording:
        """Say in English what the prompt says, richly; never fail, never invent a subject."""
        warning = None
        if self._chat is not None:
            try:
                return Wording(await self._chat.say(_ENHANCE, prompt), Maker.CHAT.value)
            except ChatFailedError as error:
                self._on_failure(str(error))
                warning = "the enhancer did not answer, so the built-in one did"
        return Wording(describe(prompt), Maker.BUILT_IN.value, warning)

    async def soften(self, prompt: str) -> str:
        """Say a refused prompt so that it may pass."""
        if self._chat is not None:
            try:
                return await self._chat.say(_SOFTEN, prompt)
            except ChatFailedError as error:
                self._on_failure(str(error))
        return soften(prompt)
