"""What the program says, in both languages."""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from filmgate.domain.sentences import filled

LANGUAGES: Final = ("en", "zh")
_WORDS: Final = re.compile(r"[^\s`]*`[^`]*`\S*|\S+")


class Text(NamedTuple):
    """One sentence in English and in Chinese; `{names}` are filled when it is said."""

    en: str
    zh: str

    def pick(self, language: str) -> str:
        """Give the sentence as it stands."""
        return self.zh if language == "zh" else self.en

    def said(self, language: str, **parameters: str | float) -> str:
        """Give the sentence with its `{names}` filled."""
        return filled(self.pick(language), parameters)

    def filled(self, **parameters: "str | float | Text") -> "Text":
        """Fill both sentences; a parameter may itself have two."""
        en, zh = (
            filled(
                self.pick(language),
                {
                    name: value.pick(language) if isinstance(value, Text) else value
                    for name, value in parameters.items()
                },
            )
            for language in LANGUAGES
        )
        return Text(en, zh)


STATES: Final = {
    "queued": Text("queued", "排队中"),
    "preparing": Text("preparing", "准备中"),
    "generating": Text("generating", "生成中"),
    "extending": Text("extending", "延长中"),
    "upsampling": Text("upscaling", "超分中"),
    "collecting": Text("saving", "保存中"),
    "succeeded": Text("done", "已完成"),
    "failed": Text("failed", "失败"),
    "cancelled": Text("cancelled", "已取消"),
    "expired": Text("timed out", "已超时"),
}
ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "expired"})
MARKS: Final = {
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "cancelled": ("–", "yellow"),
    "expired": ("✘", "red"),
    "queued": ("○", "dim"),
}
RUNNING_MARK: Final = ("●", "cyan")


def state_word(state: str, language: str) -> str:
    """Say a state; one that this program does not know yet is said as the gate names it."""
    return state_text(state).pick(language)


def state_text(state: str) -> Text:
    return STATES.get(state, Text(state, state))


def mark_of(state: str) -> tuple[str, str]:
    """Give the sign that stands before a state's word, and its style."""
    return MARKS.get(state, RUNNING_MARK)


def folded(text: str, width: int, measure: Callable[[str], int]) -> str:
    """Break lines between words, and never within a `command` that somebody may want to copy."""
    return "\n".join(part for line in text.split("\n") for part in _lines(line, width, measure))


def _lines(line: str, width: int, measure: Callable[[str], int]) -> Iterator[str]:
    said = ""
    for word in _WORDS.findall(line):
        longer = f"{said} {word}" if said else word
        if said and measure(longer) > width:
            yield said
            longer = word
        said = longer
    yield said


def printable(text: str) -> str:
    """Replace what could move a terminal's cursor or break a table's line: a prompt is text, never commands."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
