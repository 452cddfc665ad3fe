"""The chat's way in: the last message of the user is the wish, earlier ones are talk that nobody draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from filmgate.dialects.reading import number, truth, wrong
from filmgate.dialects.unified.body import draft
from filmgate.domain.contracts import Converse, Fields, Value
from filmgate.domain.problems import Problem
from filmgate.domain.strict_json import read_json


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a message asks for: its text, and its pictures by where they stand in it."""

    place: str
    prompt: str | None
    pictures: Fields


def conversation(fields: Fields) -> Converse:
    """Read a chat. Raise the Problem that names the message, or the part of it, that is no wish for a film."""
    if number(fields, "n") not in {None, "1"}:
        raise wrong("n", "1", "1")
    if fields.get("audio") is not None or "audio" in str(fields.get("modalities", "")).lower():
        raise wrong("modalities", "text", "文本")
    streamed = truth(fields, "stream", default=False)
    wish = _wish(_messages(fields))
    read = draft({**fields, **wish.pictures, "prompt": wish.prompt}, *wish.pictures)
    return Converse(replace(read, spelled={**read.spelled, "prompt": wish.place}), streamed)


def _messages(fields: Fields) -> Sequence[object]:
    said: object = fields.get("messages")
    match _unfolded(said) if isinstance(said, str) else said:
        case None | "" | []:
            raise Problem("missing_parameter", field="messages")
        case list() as messages:
            return messages
        case Mapping() as numbered if numbered and all(str(no).isdigit() for no in numbered):
            # `messages[0][role]` of a form.
            return [numbered[no] for no in sorted(numbered, key=lambda no: int(str(no)))]
        case _:
            raise wrong("messages", "a list of messages", "消息列表")


def _unfolded(said: str) -> object:
    """Read the list that a form carries as text; what is none stays as it is."""
    try:
        return read_json(said)
    except ValueError:
        return said.strip()


def _wish(messages: Sequence[object]) -> _Wish:
    for no, message in reversed([*enumerate(messages)]):
        match message:
            case {"role": "user", **said}:
                return _said(said.get("content"), f"messages[{no}].content")
            case {"role": str()}:
                continue
            case _:
                raise wrong(f"messages[{no}]", "an object with role and content", "含 role 和 content 的对象")
    raise wrong("messages", "a list with a message of the role user", "至少含一条 role 为 user 的消息列表")


def _said(content: object, place: str) -> _Wish:
    match content:
        case None | str():
            return _Wish(place, content, {})
        case list():
            texts: list[str] = []
            found: dict[str, Value] = {}
            for no, part in enumerate(content):
                _read(part, f"{place}[{no}]", texts, found)
            return _Wish(place, "\n".join(texts) or None, found)
        case _:
            raise wrong(place, "text or a list of parts", "文本或内容列表")


def _read(part: object, place: str, texts: list[str], found: dict[str, Value]) -> None:
    """Add what a part holds to one or the other."""
    match part:
        case {"type": "text" | "input_text", "text": str(text)}:
            texts.append(text)
        case {"image_url": picture}:
            found[f"{place}.image_url"] = cast("Value", picture)
        case _:
            raise wrong(place, "a part of the type text or image_url", "text 或 image_url 类型的内容")
