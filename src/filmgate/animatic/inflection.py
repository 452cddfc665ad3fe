"""English nouns and verbs in the form that a sentence needs."""

import re
from typing import NamedTuple

_VOWELS = "aeiou"
_SOUNDS_LIKE_YOU = ("unicorn", "ukulele", "ufo", "university", "euro", "one")
_SAME_IN_PLURAL = (
    *("sheep", "deer", "fish", "koi", "carp", "moai", "elk", "shrimp", "squid", "bison", "salmon", "trout"),
    *("aircraft", "samurai", "shiba inu", "ramen"),
)
_IRREGULAR_PLURALS = {
    "mouse": "mice", "goose": "geese", "ox": "oxen", "child": "children", "person": "people", "wolf": "wolves",
    "calf": "calves", "leaf": "leaves", "elf": "elves", "witch": "witches", "passer-by": "passers-by",
    "hippopotamus": "hippopotamuses", "octopus": "octopuses",
}  # fmt: skip
_NAMES = {"Godzilla", "Little Red Riding Hood", "Santa Claus", "Cinderella", "Saturn", "Tokyo Tower"}
_HISSES = ("s", "x", "z", "ch", "sh")
_DOUBLED = {"run", "sit", "swim", "hop", "jog", "nap", "skip", "bob", "strum", "flap"}
_IRREGULAR_PARTICIPLES = {"lie": "lying", "ski": "skiing"}
# The head of a phrase ends where its first attribute starts: a cup of coffee, a woman in hanfu.
_HEAD = re.compile(r"^(.*?)( (?:of|in|on|with|and) .*)?$", re.DOTALL)


class Noun(NamedTuple):
    """`text` is one of it, unless `plural` says that it stands for several by itself."""

    text: str
    plural: bool = False

    @property
    def proper(self) -> bool:
        return self.text in _NAMES or self.text.startswith("the ")


def with_article(text: str) -> str:
    return f"an {text}" if _starts_with_vowel(text.lower()) else f"a {text}"


def plural_of(text: str) -> str:
    """Put the noun that heads a phrase into the plural."""
    found = _HEAD.match(text)
    head, rest = (found[1], found[2] or "") if found else (text, "")
    if rest.startswith(" and "):
        return " and ".join(plural_of(part) for part in text.split(" and "))
    front, _, last = head.rpartition(" ")
    return f"{front} {_plural_word(last)}{rest}".strip()


def finite(verb: str, *, plural: bool) -> str:
    """Inflect the first word for the third person, present tense."""
    first, blank, rest = verb.partition(" ")
    if plural:
        return verb.replace(" its ", " their ")
    if first.endswith("y") and first[-2:-1] not in _VOWELS:
        first = first.removesuffix("y") + "ie"
    elif first.endswith((*_HISSES, "o")):
        first += "e"
    return f"{first}s{blank}{rest}"


def participle(verb: str, *, plural: bool = False) -> str:
    """Inflect the first word with -ing."""
    first, blank, rest = verb.partition(" ")
    if first in _IRREGULAR_PARTICIPLES:
        first = _IRREGULAR_PARTICIPLES[first]
    elif first in _DOUBLED:
        first = f"{first}{first[-1]}ing"
    elif first.endswith("e") and not first.endswith("ee"):
        first = first.removesuffix("e") + "ing"
    else:
        first += "ing"
    phrase = f"{first}{blank}{rest}"
    return phrase.replace(" its ", " their ") if plural else phrase


def listed(parts: list[str]) -> str:
    """Join to "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plural_word(word: str) -> str:
    if word.endswith(_SAME_IN_PLURAL):
        return word
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    if word.endswith("man") and word not in {"human", "shaman"}:
        return word.removesuffix("man") + "men"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word.removesuffix("y") + "ies"
    return word + ("es" if word.endswith(_HISSES) else "s")


def _starts_with_vowel(text: str) -> bool:
    return text.startswith(tuple(_VOWELS)) and not text.startswith(_SOUNDS_LIKE_YOU)
