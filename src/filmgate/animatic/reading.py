"""From a prompt to a scene: what it says, and for what it leaves open a choice that fits what it says."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from filmgate.animatic.scene import Scene, Subject
from filmgate.animatic.traits import TRAITS
from filmgate.animatic.vocabulary import Hit, hits

_MOST_SUBJECTS = 4
_MOST_OF_ONE = 6
_SINGLE_SLOTS = ("time", "weather", "place", "mood", "camera")
_PLACE_OF_SUBJECT = {
    "lake": "paper-boat sailboat canoe rowing-boat swan duck lotus frog speedboat goose flamingo",
    "sea": "ship galleon cruise-ship ferry motor-boat whale spouting-whale dolphin gull lighthouse mermaid surfer"
    " crab spiral-shell seal lobster",
    "underwater": "fish koi tropical-fish blowfish shark sea-turtle octopus squid jellyfish coral shrimp",
    "city": "automobile racing-car taxi bus ambulance fire-engine police-car motorcycle motor-scooter tram truck lorry"
    " cyclist bicycle tower factory statue-of-liberty ninja robot laptop",
    "space": "rocket astronaut flying-saucer satellite alien alien-monster ringed-planet globe-showing-asia-australia",
    "desert": "camel two-hump-camel cactus suv",
    "snow_mountain": "penguin polar-bear skier snowman santa mammoth",
    "forest": "bear panda tiger fox wolf deer owl monkey gorilla orangutan sloth squirrel koala raccoon mushroom pixie"
    " hedgehog campfire t-rex sauropod leopard wizard otter beaver",
    "mountain": "eagle goat dragon phoenix-bird temple pavilion swordsman train locomotive bullet-train llama volcano"
    " hot-air-balloon meditator parachute",
}
_PLACE_OF_FX = {
    "lanterns": "lake",
    "fireworks": "city",
    "aurora": "snow_mountain",
    "bubbles": "underwater",
    "leaves": "forest",
    "embers": "forest",
    "petals": "meadow",
    "fireflies": "meadow",
}
_PLACE_OF_MOOD = {"neon": "city", "ink": "mountain", "noir": "city"}
_OPEN_PLACES = ("snow_mountain", "mountain", "lake", "sea", "meadow", "forest", "city")
_NIGHTLY_FX = {"stars", "lanterns", "fireworks", "aurora"}
_NIGHTLY_SUBJECTS = {"jack-o-lantern", "owl", "bat", "ghost", "sky-lantern"}
_CAMERAS = ("pan_right", "dolly_in", "pan_left")
_GOING_CAMERAS = ("pan_right", "dolly_in", "pan_right")
_OPEN_TIMES = ("day", "sunset", "dawn", "dusk", "day", "night")


def read_scene(prompt: str, seed: int | None = None, keep: Scene | None = None) -> Scene:
    """Make a scene that is complete also where no word is known, the same for the same prompt and seed.

    With `keep` the scene is a remix: it stays as it is but for the slots that the prompt names.
    """
    said = list(hits(prompt))
    if keep is not None:
        return _remixed(prompt, seed, keep, said)
    own_seed = seed if seed is not None else _seed(prompt)
    choose = _chooser(own_seed)
    subjects, fx, actions = _subjects(said), _collected(said, "fx"), _collected(said, "action")
    named = _named(said)
    place = named.get("place") or _place(named, subjects, fx, choose)
    return Scene(
        prompt=prompt.strip(),
        seed=own_seed,
        place=place,
        time=named.get("time") or _time(named, subjects, fx, choose),
        weather=named.get("weather", "clear"),
        mood=named.get("mood", ""),
        camera=named.get("camera") or choose("camera", _GOING_CAMERAS if actions else _CAMERAS),
        fx=fx,
        subjects=subjects,
        actions=actions,
    )


def _remixed(prompt: str, seed: int | None, keep: Scene, said: Sequence[Hit]) -> Scene:
    named = _named(said)
    return replace(
        keep,
        prompt=prompt.strip(),
        seed=keep.seed if seed is None else seed,
        place=named.get("place", keep.place),
        time=named.get("time", keep.time),
        weather=named.get("weather", keep.weather),
        mood=named.get("mood", keep.mood),
        camera=named.get("camera", keep.camera),
        fx=_collected(said, "fx") or keep.fx,
        subjects=_subjects(said) or keep.subjects,
        actions=_collected(said, "action") or keep.actions,
    )


def _named(said: Iterable[Hit]) -> dict[str, str]:
    """Slots that hold one value keep the first that is said."""
    named: dict[str, str] = {}
    for hit in said:
        for slot, value in hit.meanings:
            if slot in _SINGLE_SLOTS:
                named.setdefault(slot, value)
    return named


def _collected(said: Iterable[Hit], slot: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(meaning.value for hit in said for meaning in hit.meanings if meaning.slot == slot)
    )


def _subjects(said: Sequence[Hit]) -> tuple[Subject, ...]:
    counts: dict[str, int] = {}
    for hit in said:
        names = [meaning.value for meaning in hit.meanings if meaning.slot == "subject"]
        for name in names:
            # A pair of lovers is one man and one woman.
            count = min(hit.number, _MOST_OF_ONE) if len(names) == 1 else 1
            counts[name] = max(counts.get(name, 1), count)
    if not counts:
        counts = dict.fromkeys(_collected(said, "pronoun")[:1], 1)
    return tuple(Subject(name, count) for name, count in list(counts.items())[:_MOST_SUBJECTS])


def _place(
    named: dict[str, str],
    subjects: tuple[Subject, ...],
    fx: tuple[str, ...],
    choose: Callable[[str, tuple[str, ...]], str],
) -> str:
    if named.get("mood") == "neon":
        return "city"
    # What flies is at home everywhere, so what stands below it says more.
    for subject in sorted(subjects, key=lambda subject: TRAITS[subject.name].habitat == "air"):
        for place, names in _PLACE_OF_SUBJECT.items():
            if subject.name in names.split():
                return place
    if named.get("time") == "night" and named.get("weather") in {"rain", "storm"}:
        return "city"
    for effect in fx:
        if effect in _PLACE_OF_FX:
            return _PLACE_OF_FX[effect]
    if named.get("mood") in _PLACE_OF_MOOD:
        return _PLACE_OF_MOOD[named["mood"]]
    return "meadow" if subjects else choose("place", _OPEN_PLACES)


def _time(
    named: dict[str, str],
    subjects: tuple[Subject, ...],
    fx: tuple[str, ...],
    choose: Callable[[str, tuple[str, ...]], str],
) -> str:
    if _NIGHTLY_FX & set(fx) or named.get("mood") in {"neon", "noir"}:
        return "night"
    if any(subject.name in _NIGHTLY_SUBJECTS for subject in subjects):
        return "night"
    if {"fireflies", "embers"} & set(fx):
        return "dusk"
    return "day" if subjects else choose("time", _OPEN_TIMES)


def _seed(prompt: str) -> int:
    return int.from_bytes(sha256(prompt.strip().encode()).digest()[:4], "big")


def _chooser(seed: int) -> Callable[[str, tuple[str, ...]], str]:
    """Choose by seed, independently from slot to slot."""

    def choose(slot: str, values: tuple[str, ...]) -> str:
        digest = sha256(f"{slot} {seed}".encode()).digest()
        return values[int.from_bytes(digest[:4], "big") % len(values)]

    return choose
