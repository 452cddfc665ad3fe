"""What a scene sounds like as notes: key, chords, steps and a tune, all functions of the seed and the step."""

from dataclasses import dataclass

from filmgate.animatic.scene import Scene

_SPLITMIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_CHORD_S = 4.2
_ROOTS = (48, 50, 51, 53, 55, 45, 46)
# Chords as semitones above the key's root, the bass first.
_MAJOR = {
    "I": (-12, 7, 12, 16, 23),
    "ii": (-10, 5, 14, 17, 21),
    "iii": (-8, 7, 11, 16, 19),
    "IV": (-7, 9, 12, 17, 19),
    "V": (-5, 7, 14, 17, 19),
    "vi": (-3, 9, 12, 16, 19),
}
_MINOR = {
    "i": (-12, 7, 12, 15, 22),
    "iv": (-7, 8, 12, 17, 19),
    "v": (-5, 7, 14, 17, 22),
    "VI": (-4, 8, 12, 15, 19),
    "VII": (-2, 10, 14, 17, 22),
    "III": (-9, 7, 10, 15, 19),
}
# Open fifths and seconds, as on strings tuned to five notes.
_OPEN = {
    "I": (-12, 7, 12, 14, 19),
    "V": (-5, 7, 14, 19, 21),
    "vi": (-3, 9, 16, 19, 21),
    "ii": (-10, 9, 14, 19, 21),
}
_MAJOR_WAYS: tuple[str, ...] = ("I vi IV V", "I IV vi IV", "I iii IV V", "IV I ii V", "I V vi IV")
_MINOR_WAYS: tuple[str, ...] = ("i VI III VII", "i iv VI v", "i VII VI VII", "VI VII i i", "i III iv VI")
_OPEN_WAYS: tuple[str, ...] = ("I vi V I", "I ii V vi", "vi V I ii")


@dataclass(frozen=True, slots=True)
class Score:
    """`chords` are MIDI notes, the bass first; chord n lasts `steps` steps of `step_s` seconds."""

    seed: int
    chords: tuple[tuple[int, ...], ...]
    step_s: float
    steps: int
    voice: str
    density: float

    def chord_s(self) -> float:
        return self.step_s * self.steps

    def chord(self, number: int) -> tuple[int, ...]:
        return self.chords[number % len(self.chords)]

    def note(self, step: int) -> int | None:
        """Find the tune's note at a step, None for a rest."""
        chance = shuffled(self.seed, step, "rest")
        likely = self.density * (1.3 if step % 2 == 0 else 0.75) * (1.25 if step % self.steps == 0 else 1.0)
        if chance >= likely:
            return None
        tones = self.chord(step // self.steps)[1:]
        tone = tones[int(shuffled(self.seed, step, "tone") * len(tones))]
        return tone + (12 if shuffled(self.seed, step, "octave") < 0.45 or tone < 62 else 0)  # noqa: PLR2004  # The tune lies above the chords.


def score_of(scene: Scene) -> Score:
    root = _ROOTS[int(shuffled(scene.seed, 0, "root") * len(_ROOTS))]
    if scene.mood == "ink":
        table, ways = _OPEN, _OPEN_WAYS
    elif _is_minor(scene):
        table, ways = _MINOR, _MINOR_WAYS
    else:
        table, ways = _MAJOR, _MAJOR_WAYS
    way = ways[int(shuffled(scene.seed, 0, "way") * len(ways))]
    step_s, voice, density = _manner(scene)
    steps = max(4, round(_CHORD_S / step_s / 4) * 4)
    chords = tuple(tuple(root + interval for interval in table[name]) for name in way.split())
    return Score(scene.seed, chords, step_s, steps, voice, density)


def shuffled(seed: int, number: int, purpose: str) -> float:
    """Draw an even share in [0, 1) that depends on nothing but its arguments."""
    value = (seed * 0x100000001B3 + number * _SPLITMIX + int.from_bytes(purpose.encode()[:7], "big")) & _MASK
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = ((value ^ (value >> shift)) * factor) & _MASK
    return (value ^ (value >> 31)) / (1 << 64)


def _is_minor(scene: Scene) -> bool:
    if scene.mood in {"warm", "pastel"}:
        return False
    return (
        scene.time in {"night", "dusk"}
        or scene.weather in {"storm", "rain"}
        or scene.mood in {"noir", "cold", "neon"}
    )


def _manner(scene: Scene) -> tuple[float, str, float]:
    """Seconds a step, the instrument, and how many steps are played."""
    played = {subject.name for subject in scene.subjects}
    manners = (
        (scene.mood == "neon", (0.26, "synth", 0.62)),
        (scene.mood == "ink", (0.42, "strings", 0.5)),
        (scene.place in {"space", "underwater"}, (0.58, "glass", 0.45)),
        (scene.mood in {"noir", "cold"} or scene.weather in {"storm", "snow", "fog"}, (0.5, "glass", 0.42)),
        (bool({"run", "hunt", "drive", "dance"} & set(scene.actions)), (0.3, "kalimba", 0.5)),
        (bool({"piano", "guitar", "violin", "flute"} & played), (0.36, "piano", 0.66)),
    )
    return next((manner for fits, manner in manners if fits), (0.4, "kalimba", 0.48))
