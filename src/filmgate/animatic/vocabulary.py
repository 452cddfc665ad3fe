"""What the words of a prompt mean: one table of terms, read left to right, the longest one first."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

_TABLE = Path(__file__).with_suffix(".toml")
_MANY = 5
_HERD = 4
_FEW = 3
_COUNT_WINDOW = 12
_DENIAL_WINDOW = 24
_COUNTS = {
    1: "一只 一个 一条 一匹 一位 一名 一艘 一辆 一架 一座 one single lone a an",
    2: "两 二 双 俩 一对 two pair couple both twin",
    _FEW: "三 几 仨 three few several some trio",
    _HERD: "四 four",
    _MANY: "五 六 七 八 九 十 百 千 万 群 许多 很多 无数 众多 成群 大批 一些 满 five six seven eight nine ten dozen many"
    " countless flock herd school pack swarm group lots hundred thousand fleet crowd",
}
_NUMERAL = "[一二三四五六七八九十百千万]"
_NEGATION = re.compile(
    r"(?:(?:没有|没|不要|不含|无|不|别)[打带拿穿下]?|(?<![a-z])(?:no|without|not|never|nor|minus|avoid|excluding|except))"
    r"\s*(?:任何|一个|一只|(?:(?:any|a|an|the|single|of) ?)*)\s*$"
)
_CONTINUATION = re.compile(r"\s*(?:和|或|或者|、|与|及|,? ?(?:or|nor))\s*(?:(?:any|a|an|the) ?)?")
_LATIN = re.compile(r"[a-z0-9']")
_WORD = re.compile(r"[a-z0-9']+")
_PLURAL = re.compile(r"(?:s|es)(?![a-z0-9'])|(?![a-z0-9])")
_BLANKS = re.compile(r"[\s\-_]+")


# Whether a term is a plural by itself ("mice") or by an ending ("cats").
Plural = Literal["", "word", "ending"]


class Meaning(NamedTuple):
    """`slot` is one of a scene's, or "" for a term that only keeps others from being seen."""

    slot: str
    value: str


class Hit(NamedTuple):
    """`number` is how many of it the words in front say, 0 where they say nothing.

    `term` is what was found, as the table writes it, `before` what stands between it and the term in front of
    it, and `quantity` the number word nearest to it in there, "" where there is none.
    """

    meanings: tuple[Meaning, ...]
    number: int
    term: str
    before: str
    quantity: str
    plural: Plural


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    meanings: tuple[Meaning, ...]
    latin: bool
    plural: bool


def hits(prompt: str) -> Iterator[Hit]:
    """Say what the prompt shows, in its order; what it denies ("no cats", 没有人) is left out."""
    text = _BLANKS.sub(" ", prompt.lower().replace("’", "'"))
    table = _table()
    at = told = 0
    denied = False
    while at < len(text):
        found = _longest(table, text, at)
        if found is None:
            # No term starts inside a word.
            inside = _WORD.match(text, at)
            at = inside.end() if inside else at + 1
            continue
        term, end = found
        between = text[told:at]
        denied = bool(_NEGATION.search(between[-_DENIAL_WINDOW:])) or (
            denied and _CONTINUATION.fullmatch(between) is not None
        )
        if not denied and term.meanings:
            ended = end > at + len(term.text) or text.startswith("们", end)
            plural: Plural = "word" if term.plural else "ending" if ended else ""
            quantity = _quantity(between[-_COUNT_WINDOW:])
            count = _MANY if "群" in term.text else _count(quantity, plural=bool(plural))
            yield Hit(term.meanings, count, term.text, between, quantity, plural)
        at = told = end


def _longest(table: dict[str, list[_Term]], text: str, at: int) -> tuple[_Term, int] | None:
    for term in (*table.get(text[at : at + 2], ()), *table.get(text[at], ())):
        if not text.startswith(term.text, at):
            continue
        end = at + len(term.text)
        if not term.latin:
            return term, end
        if at and _LATIN.match(text[at - 1]):
            continue
        plural = _PLURAL.match(text, end)
        if plural:
            return term, plural.end()
    return None


def _quantity(before: str) -> str:
    """Find the number word that stands nearest in front."""
    words: list[str] = _number().findall(before)
    return words[-1] if words else ""


def _count(quantity: str, *, plural: bool) -> int:
    count = _worth(quantity)
    return _FEW if plural and count <= 1 else count


def _worth(quantity: str) -> int:
    if not quantity:
        return 0
    if quantity.isdigit():
        return min(int(quantity), _MANY)
    if quantity in _numbers():
        return _numbers()[quantity]
    # 十二 and 二十: every numeral of two characters is ten or more.
    return _MANY


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    return {word: count for count, words in _COUNTS.items() for word in words.split()}


@lru_cache(maxsize=1)
def _number() -> re.Pattern[str]:
    words = sorted(_numbers(), key=len, reverse=True)
    latin = "|".join(word for word in words if word.isascii())
    chinese = "|".join(word for word in words if not word.isascii())
    return re.compile(
        rf"(?<![a-z0-9:.])(?:{latin}|[0-9]{{1,2}})(?![a-z0-9:.])|(?<!第)(?:{_NUMERAL}{{2,}}|{chinese})"
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, list[_Term]]:
    """Terms by their first two characters, the longest first; the shortest ones have but one."""
    meanings: dict[str, list[Meaning]] = {}
    plurals = set()
    for slot, values in tomllib.loads(_TABLE.read_text(encoding="utf-8")).items():
        for value, listed in values.items():
            for written in listed.split(","):
                text = written.strip().removesuffix("+")
                if written.strip().endswith("+"):
                    plurals.add(text)
                meant = meanings.setdefault(text, [])
                if slot == "company":
                    meant += [Meaning("subject", name) for name in value.split()]
                elif slot != "nothing":
                    meant.append(Meaning(slot, value))
    table: dict[str, list[_Term]] = {}
    for text in sorted(meanings, key=len, reverse=True):
        for form in _forms(text):
            term = _Term(form, tuple(meanings[text]), form.isascii(), text in plurals or form != text)
            table.setdefault(form[:2], []).append(term)
    return table


def _forms(text: str) -> tuple[str, ...]:
    """Add a plural that is more than an added s or es."""
    if text.isascii() and text.endswith("y") and text[-2:-1] not in "aeiou":
        return text, text.removesuffix("y") + "ies"
    return (text,)
