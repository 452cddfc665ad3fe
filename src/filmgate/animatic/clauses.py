"""Who does what in a prompt: its terms, in their order, put together to clauses."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from filmgate.animatic.inflection import finite, listed, participle
from filmgate.animatic.vocabulary import Hit
from filmgate.animatic.wording import phrase, subject_phrase, tie_in

_BREAK = re.compile(r"[,，。;；.!！?？\n]")
_EAGER = ("准备", "正要", "即将", "打算", "想要", "想", "试图", "要去")
_TRANSITIVE = {"hunt", "play", "drive"}
_LEADING = {"over", "past", "through", "toward", "into", "on"}
_GENTLE_VERB = "follow"


@dataclass(slots=True)
class Deed:
    """`wants` says that a subject right behind it is what it is done to."""

    verb: str
    wants: bool
    eager: bool = False
    playfully: bool = False
    objects: list[str] = field(default_factory=list)

    def said(self, form: str) -> str:
        direction = self.verb.rpartition(" ")[2]
        words = form if self.objects or direction not in _LEADING else form.removesuffix(f" {direction}")
        return " ".join([words, *([listed(self.objects)] if self.objects else [])])

    def finite(self, *, plural: bool) -> str:
        if self.eager:
            return self.said(f"{'get' if plural else 'gets'} ready to {self._adverb}{self.verb}")
        return self.said(f"{self._adverb}{finite(self.verb, plural=plural)}")

    def participle(self, *, plural: bool) -> str:
        if self.eager:
            return self.said(f"getting ready to {self._adverb}{self.verb}")
        return self.said(f"{self._adverb}{participle(self.verb, plural=plural)}")

    @property
    def _adverb(self) -> str:
        return "playfully " if self.playfully else ""


_GENTLE_ALONE = Deed("play", wants=False)


@dataclass(slots=True)
class Clause:
    """`attributes` are deeds that tell which agent is meant: the girl holding an umbrella."""

    agents: list[str] = field(default_factory=list)
    plural: bool = False
    attributes: list[Deed] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


def clauses(said: Iterable[Hit], *, gentle: bool) -> list[Clause]:
    found = [Clause()]
    pronoun = ""
    last: Hit | None = None
    for hit in said:
        slots = {meaning.slot for meaning in hit.meanings}
        if "action" in slots:
            found[-1].deeds.append(_deed(hit, gentle=gentle))
        elif "subject" in slots:
            _enter(found, hit, gentle=gentle)
        elif "pronoun" in slots:
            pronoun = pronoun or f"a {hit.meanings[0].value}"
        elif "place" in slots and last is not None and not _BREAK.search(hit.before):
            _lead_to(found[-1], hit)
        last = hit
    if pronoun and not any(clause.agents for clause in found):
        found[0].agents.append(pronoun)
    for clause in found:
        clause.deeds = [
            _GENTLE_ALONE if deed.playfully and not deed.objects else deed for deed in clause.deeds
        ]
    return [clause for clause in found if clause.agents or clause.deeds]


def _deed(hit: Hit, *, gentle: bool) -> Deed:
    value = next(meaning.value for meaning in hit.meanings if meaning.slot == "action")
    if gentle and value == "hunt":
        return Deed(_GENTLE_VERB, wants=True, playfully=True)
    verb = phrase("verb", hit.term, value) if not gentle else _gentle_verb(hit, value)
    wants = verb.rpartition(" ")[2] in _LEADING or (value in _TRANSITIVE and " " not in verb)
    return Deed(verb, wants=wants, eager=hit.before.rstrip(" 去").endswith(_EAGER))


def _gentle_verb(hit: Hit, value: str) -> str:
    return phrase("gentle", hit.term, "") or phrase("verb", hit.term, value)


def _enter(found: list[Clause], hit: Hit, *, gentle: bool) -> None:
    """Let a subject act, or be what the deed in front of it is done to."""
    sprites = [meaning.value for meaning in hit.meanings if meaning.slot == "subject"]
    text, plural = subject_phrase(hit, sprites, gentle=gentle)
    clause = found[-1]
    tie = tie_in(hit.before)
    if tie:
        clause.deeds.append(Deed(tie, wants=True))
    deed = clause.deeds[-1] if clause.deeds else None
    broken = not tie and _BREAK.search(hit.before) is not None
    described = not tie and not clause.agents and hit.before.lstrip("着了过").startswith("的")
    if deed and deed.wants and not broken and not described:
        if deed.verb == "play":
            text = _definite(text)
        if text not in deed.objects:
            deed.objects.append(text)
        return
    if deed and clause.agents and (broken or deed.objects):
        clause = Clause()
        found.append(clause)
    if described:
        clause.attributes, clause.deeds = clause.deeds, []
    if text not in clause.agents:
        clause.agents.append(text)
        clause.plural = plural or len(clause.agents) > 1


def _lead_to(clause: Clause, hit: Hit) -> None:
    """Make the place behind "fly over" what is flown over."""
    deed = clause.deeds[-1] if clause.deeds else None
    if deed is None or deed.objects or deed.verb.rpartition(" ")[2] not in _LEADING - {"on"}:
        return
    value = next(meaning.value for meaning in hit.meanings if meaning.slot == "place")
    deed.objects.append(place_noun(phrase("place", hit.term, value)))


def place_noun(place: str) -> str:
    """Name a place by itself: "a garden" of "in a garden"."""
    where, _, named = place.partition("|")
    return named or where.partition(" ")[2] or where


def _definite(text: str) -> str:
    article, _, noun = text.partition(" ")
    return f"the {noun}" if article in {"a", "an"} else text
