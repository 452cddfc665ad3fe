"""What a film shows: the values that reading a prompt yields and that drawing and sound share."""

from dataclasses import dataclass

TIMES = ("dawn", "day", "sunset", "dusk", "night")
WEATHERS = ("clear", "cloudy", "rain", "storm", "snow", "fog")
PLACES = (
    "snow_mountain",
    "mountain",
    "lake",
    "sea",
    "meadow",
    "forest",
    "city",
    "desert",
    "space",
    "underwater",
)
MOODS = ("", "neon", "warm", "cold", "pastel", "ink", "noir")
CAMERAS = ("aerial", "dolly_in", "dolly_out", "pan_left", "pan_right", "tilt_up", "tilt_down", "static")
FX = (
    "fireflies",
    "stars",
    "petals",
    "leaves",
    "embers",
    "bubbles",
    "lanterns",
    "fireworks",
    "aurora",
)
ACTIONS = ("walk", "run", "hunt", "fly", "swim", "play", "dance", "float", "sit", "drive", "jump")


@dataclass(frozen=True, slots=True)
class Subject:
    """`name` is a sprite's name."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Every slot holds one of the words above; the first subject is the one the film is about."""

    prompt: str
    seed: int
    place: str
    time: str
    weather: str
    mood: str
    camera: str
    fx: tuple[str, ...]
    subjects: tuple[Subject, ...]
    actions: tuple[str, ...]
