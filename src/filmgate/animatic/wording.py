"""How the vocabulary's terms are said in English, from `wording.toml`."""

import tomllib
from functools import lru_cache
from pathlib import Path

from filmgate.animatic.inflection import Noun, plural_of, with_article
from filmgate.animatic.vocabulary import Hit

_TABLE = Path(__file__).with_suffix(".toml")
_NUMBERS = {
    "二": "two", "两": "two", "双": "two", "俩": "two", "三": "three", "仨": "three", "四": "four", "五": "five",
    "六": "six", "七": "seven", "八": "eight", "九": "nine", "十": "ten",
}  # fmt: skip
_AMOUNTS = {
    "几": "several", "一些": "some", "许多": "many", "很多": "many", "大批": "many", "众多": "many",
    "无数": "countless", "百": "hundreds of", "千": "thousands of", "万": "thousands of", "lots": "lots of",
    "hundred": "hundreds of", "thousand": "thousands of", "十二": "twelve", "二十": "twenty",
}  # fmt: skip
_GROUPS = {
    "群": "group", "成群": "group", "对": "pair", "pair": "pair", "couple": "pair", "trio": "trio",
    "flock": "flock", "herd": "herd", "school": "school", "pack": "pack", "swarm": "swarm", "group": "group",
    "fleet": "fleet", "crowd": "crowd", "dozen": "dozen",
}  # fmt: skip
_ONE = {"one", "single", "lone", "a", "an"}
_PLAIN = {
    "few",
    "some",
    "several",
    "two",
    "both",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "many",
    "countless",
}
# Numerals, measure words and colours that may stand between a verb and its noun.
_BEFORE_NOUN = " 一二两三四五六七八九十几个只条件把顶本杯碗根束支枝份块副了红蓝绿黄白黑紫大小色的"
_SIZES = {"small", "little", "big", "large", "lone", "tiny", "giant", "old", "wild"}
# Where a term stands in front of its noun, in Chinese.
_QUALITIES = {
    "红色": "red", "蓝色": "blue", "绿色": "green", "黄色": "yellow", "白色": "white", "黑色": "black",
    "紫色": "purple", "橙色": "orange", "棕色": "brown", "灰色": "gray", "银色": "silver", "彩色": "colourful",
    "巨大": "giant", "小小": "tiny", "年轻": "young", "年老": "old", "美丽": "beautiful", "古老": "ancient",
    "透明": "transparent", "发光": "glowing", "毛茸茸": "fluffy", "胖": "chubby", "破旧": "worn",
}  # fmt: skip


def phrase(section: str, term: str, value: str) -> str:
    """Say a term, else what it means, else "" where the table has neither."""
    said = _table()[section]
    return said.get(term) or said.get(value, "")


def subject_phrase(hit: Hit, sprites: list[str], *, gentle: bool) -> tuple[str, bool]:
    """Say how many of what, with its article; the second value tells whether it is a plural."""
    noun = _noun(hit, sprites, gentle=gentle)
    text = _qualified(noun.text, _qualities(hit.before))
    if noun.proper:
        return noun.text, noun.plural
    word = hit.quantity
    if word in _GROUPS and hit.term not in {"couple", "crowd"}:
        several = text if noun.plural else plural_of(text)
        return (f"a dozen {several}" if word == "dozen" else f"a {_GROUPS[word]} of {several}"), True
    amount = _amount(word)
    if amount and amount != "one":
        return f"{amount} {text if noun.plural else plural_of(text)}", True
    if noun.plural:
        return text, True
    if hit.plural and "of" not in text.split():
        return plural_of(text), True
    return with_article(text), False


def tie_in(before: str) -> str:
    """Find a verb like "wearing" right in front of a subject; "" where there is none."""
    near = before.rstrip(_BEFORE_NOUN)
    for word in sorted(_table()["tie"], key=len, reverse=True):
        if near.endswith(word):
            return _table()["tie"][word]
    return ""


def _noun(hit: Hit, sprites: list[str], *, gentle: bool) -> Noun:
    table = _table()
    said = (table["gentle"].get(hit.term) if gentle else None) or table["noun"].get(hit.term)
    if said:
        return Noun(said.removesuffix("+"), said.endswith("+"))
    if hit.term.isascii():
        return Noun(hit.term, hit.plural == "word")
    sprite = sprites[0]
    return Noun(table["sprite"].get(sprite, sprite.replace("-", " ")))


def _amount(word: str) -> str:
    if word in _ONE or (word.startswith("一") and word not in _AMOUNTS):
        return "one"
    if word in _PLAIN or word.isdigit():
        return word if word != "1" else "one"
    return _NUMBERS.get(word) or _AMOUNTS.get(word) or ("many" if word else "")


def _qualified(text: str, qualities: list[str]) -> str:
    """Put colours behind a size that the noun starts with: a small red boat."""
    first, _, rest = text.partition(" ")
    return " ".join([first, *qualities, rest] if first in _SIZES and rest else [*qualities, text])


def _qualities(before: str) -> list[str]:
    """Find colours and sizes in the clause in front of a noun."""
    near = before.replace("，", ",").rsplit(",", 1)[-1]
    found = [(near.find(word), said) for word, said in _QUALITIES.items() if word in near]
    return [said for _, said in sorted(found)]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    """Read what is said, by section and term."""
    return {
        section: {term.strip(): said for said, terms in rows.items() for term in terms.split(",")}
        for section, rows in tomllib.loads(_TABLE.read_text(encoding="utf-8")).items()
    }
