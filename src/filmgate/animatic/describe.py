"""A prompt in the words of a film director, in English: what it says, and nothing that it does not."""

import re
from collections.abc import Sequence

from filmgate.animatic.clauses import Clause, clauses, place_noun
from filmgate.animatic.inflection import capitalised, listed, with_article
from filmgate.animatic.vocabulary import Hit, hits
from filmgate.animatic.wording import phrase

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# Letters of scripts that the vocabulary does not read.
_FOREIGN = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN_RUN = re.compile(r"[A-Za-z][A-Za-z0-9'’&/+.\- ]*|[0-9]+[A-Za-z][A-Za-z0-9]*")
_ENDED = re.compile(r"[.!?。！？…]['\"”’)]*$")
_WORDS_OF_A_PHRASE = 3
_MOST_CIRCUMSTANCES = 2
_PLAIN_CRAFT = "Cinematic shot, sharp detail, smooth natural motion."
_LIGHT = {
    "dawn": "soft first light with long shadows",
    "day": "bright natural daylight",
    "sunset": "warm low light with long shadows",
    "dusk": "fading soft blue light",
    "night": "deep night tones with soft highlights",
}
_DULL_DAY = "soft, even daylight"
_SKY_ALONE = {
    "rain": "Rain falls", "storm": "A storm rages", "snow": "Snow falls", "fog": "Mist drifts by",
    "clear": "A clear sky", "cloudy": "A cloudy sky",
}  # fmt: skip
_GENTLE_WEATHER = {"storm": "in a gentle rain"}
_HARSH_MOODS = {"noir", "cold"}
# To ski is no place, a campfire is one thing and not two.
_SAID_BEFORE = {"place": {"action", "subject"}, "fx": {"action", "subject", "time"}}
_FLYING = {"fly", "soar", "circle", "glide", "hover", "rise", "flutter"}
_SWIMMING = {"swim", "dive"}
_PEACEFUL = "A peaceful, sunlit landscape"
_ENDINGS = (
    "The mood is calm and friendly, suitable for all ages.",
    "Everything is calm, gentle and suitable for all ages.",
    "A quiet, friendly mood for viewers of all ages.",
)


def describe(prompt: str) -> str:
    """Say in one to three English sentences what a Chinese prompt shows; extend an English one by how it is filmed.

    A Chinese prompt of which nothing is known comes back as it is, as does one in any other script.
    """
    if _FOREIGN.search(prompt) or not re.search(r"\w", prompt):
        return prompt
    if not _HAN.search(prompt):
        return _extended(prompt, list(hits(prompt)))
    kept: list[str] = []
    said = list(hits(_LATIN_RUN.sub(lambda run: _set_apart(run[0], kept), prompt)))
    if said:
        return _composed(said, kept)
    return _extended(prompt, list(hits(prompt))) if kept else prompt


def soften(prompt: str) -> str:
    """Say what the vocabulary knows of a refused prompt as a scene for all ages.

    It never equals the prompt or its description.
    """
    said = [hit for hit in hits(prompt) if not _harsh(hit)]
    told = _composed(said, [], gentle=True) if said else f"{_PEACEFUL}."
    taken = {prompt.strip(), describe(prompt).strip()}
    return next(text for ending in _ENDINGS if (text := f"{told} {ending}") not in taken)


def _extended(prompt: str, said: Sequence[Hit]) -> str:
    text = prompt.strip()
    if text[:1].islower() and text.split()[0].islower():
        text = capitalised(text)
    if not _ENDED.search(text):
        text = text.rstrip(",，、;；:：") + "."
    look = _look([hit for hit in said if not _of(hit, "fx")], gentle=False)
    return f"{text} {_sentence(look) if look else _PLAIN_CRAFT}"


def _composed(said: Sequence[Hit], kept: Sequence[str], *, gentle: bool = False) -> str:
    shown = _shown(said, gentle=gentle)
    look = [part for part in _look(said, gentle=gentle) if part not in shown]
    sentences = [", ".join([shown, *kept])] if shown else []
    if look or (kept and not shown):
        sentences.append(", ".join(look if shown else [*look, *kept]))
    camera = _phrases(said, "camera")
    sentences += camera[:_MOST_CIRCUMSTANCES]
    if len(sentences) == 1 and not gentle:
        sentences.append(_PLAIN_CRAFT.removesuffix("."))
    return " ".join(_sentence([sentence]) for sentence in sentences)


def _shown(said: Sequence[Hit], *, gentle: bool) -> str:
    """Say who does what, where and when."""
    told = clauses(said, gentle=gentle)
    places = _places(said, told)
    around = [*_weathers(said, gentle=gentle), *_phrases(said, "time")[:_MOST_CIRCUMSTANCES]]
    around = list(dict.fromkeys(around))
    if told:
        where = [_reached(place.partition("|")[0], told[0]) for place in places]
        first = _clause(told[0], " ".join([*where, *around]))
        return ", and ".join([first, *(_clause(clause, "") for clause in told[1:])])
    if places:
        where = [place_noun(places[0]), *(place.partition("|")[0] for place in places[1:])]
        return " ".join([*where, *around])
    effects = _phrases(said, "fx")
    if effects:
        return " ".join([listed(effects), *around])
    return _alone(said)


def _clause(clause: Clause, around: str) -> str:
    deeds = clause.deeds or clause.attributes
    attributes = clause.attributes if clause.deeds else []
    if not clause.agents:
        parts = [deed.participle(plural=False) for deed in deeds]
    elif deeds:
        who = " ".join(
            [listed(clause.agents), *(deed.participle(plural=clause.plural) for deed in attributes)]
        )
        parts = [f"{who} {deeds[0].finite(plural=clause.plural)}"]
        parts += [deed.participle(plural=clause.plural) for deed in deeds[1:]]
    else:
        parts = [listed(clause.agents)]
    parts[0] = f"{parts[0]} {around}".strip()
    return ", ".join(dict.fromkeys(parts))


def _reached(place: str, clause: Clause) -> str:
    """Let what flies be over a place, and what swims be in it."""
    verb = clause.deeds[0].verb.partition(" ")[0] if clause.deeds else ""
    if verb in _FLYING:
        return "over the sea" if place == "at sea" else re.sub("^on ", "over ", place)
    return re.sub("^on (?=a (?:lake|river|canal))", "in ", place) if verb in _SWIMMING else place


def _alone(said: Sequence[Hit]) -> str:
    """Say the hour or the weather where the prompt shows nothing else."""
    times, weathers = _phrases(said, "time"), _values(said, "weather")
    if times:
        noun = times[0].partition(" ")[2].replace("night", "night scene", 1)
        noun = noun if noun.startswith(("a ", "an ", "the ")) else with_article(noun)
        return " ".join([noun, *_weathers(said, gentle=False)])
    return _SKY_ALONE[weathers[0]] if weathers else ""


def _look(said: Sequence[Hit], *, gentle: bool) -> list[str]:
    """Say what is in the air, how it is lit, and in which mood."""
    parts = _phrases(said, "fx")
    weathers, times = _values(said, "weather"), _values(said, "time")
    parts += [] if gentle else _textures(said)[:1]
    if times:
        dull = times[0] == "day" and weathers and weathers[0] != "clear"
        parts.append(_DULL_DAY if dull else _LIGHT[times[0]])
    moods = {value: hit for hit in reversed(said) for value in _of(hit, "mood")}
    return parts + [phrase("mood", hit.term, value) for value, hit in reversed(moods.items())]


def _places(said: Sequence[Hit], told: Sequence[Clause]) -> list[str]:
    """Give where it happens, without what a deed already leads to."""
    led_to = {text for clause in told for deed in clause.deeds + clause.attributes for text in deed.objects}
    places = [place for place in _phrases(said, "place") if place_noun(place) not in led_to]
    return places[:_MOST_CIRCUMSTANCES]


def _weathers(said: Sequence[Hit], *, gentle: bool) -> list[str]:
    if gentle and "storm" in _values(said, "weather"):
        return [_GENTLE_WEATHER["storm"]]
    return _phrases(said, "weather")[:1]


def _phrases(said: Sequence[Hit], slot: str) -> list[str]:
    found = []
    for hit in said:
        slots = {meaning.slot: meaning.value for meaning in hit.meanings}
        if slot not in slots or slots.keys() & _SAID_BEFORE.get(slot, set()):
            continue
        found.append(phrase(slot, hit.term, slots[slot]))
    return [text for text in dict.fromkeys(found) if text]


def _values(said: Sequence[Hit], slot: str) -> list[str]:
    return [value for hit in said for value in _of(hit, slot)]


def _textures(said: Sequence[Hit]) -> list[str]:
    return [
        text for hit in said for value in _of(hit, "weather") if (text := phrase("texture", hit.term, value))
    ]


def _of(hit: Hit, slot: str) -> list[str]:
    return [meaning.value for meaning in hit.meanings if meaning.slot == slot]


def _harsh(hit: Hit) -> bool:
    return bool(_HARSH_MOODS.intersection(_of(hit, "mood")))


def _set_apart(run: str, kept: list[str]) -> str:
    """Keep English that is a phrase or unknown as it is written; leave single known words to the reading."""
    text = run.strip(" .-/+&")
    words = text.split()
    known = len(list(hits(text)))
    if words and (len(words) >= _WORDS_OF_A_PHRASE or not known):
        kept.append(text)
        return ","
    return run


def _sentence(parts: Sequence[str]) -> str:
    text = capitalised(", ".join(parts))
    return text if _ENDED.search(text) else f"{text}."
