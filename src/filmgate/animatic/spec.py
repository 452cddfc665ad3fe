"""What a film is asked to be: one JSON object, checked before anything is drawn."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FPS = 24
SIDE_RANGE = (128, 4096)
SECONDS_RANGE = (0.5, 25.0)
PROMPT_LIMIT = 32_000
ROLES = ("first", "last", "reference", "before")
REFERENCES_LIMIT = 3
_NUMBER_LIMIT = 10**9
_FIELDS = {
    "prompt", "extend", "keep", "seed", "width", "height", "seconds", "start", "fps", "sound", "caption", "mark",
    "out", "pictures",
}  # fmt: skip


class BadSpecError(ValueError):
    """The request cannot be drawn as it stands; the message says what would be right."""


class BadPictureError(ValueError):
    """A picture cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class SourcePicture:
    role: str
    path: Path


@dataclass(frozen=True, slots=True)
class Spec:
    """`start` says where in its scene the film begins, so that an extension goes on where a film stopped.

    `extend` is what it then goes on to show, None where the scene of `prompt` simply goes on. With `keep` the film is
    a remix: of the scene of `keep` it changes only what `prompt` names.
    """

    prompt: str
    extend: str | None
    keep: str | None
    seed: int | None
    width: int
    height: int
    frames: int
    start: float
    sound: bool
    caption: bool
    mark: bool
    out: Path
    pictures: tuple[SourcePicture, ...]

    @property
    def seconds(self) -> float:
        return self.frames / FPS

    def paths(self, role: str) -> tuple[Path, ...]:
        return tuple(picture.path for picture in self.pictures if picture.role == role)


def parse_spec(text: str) -> Spec:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise BadSpecError(f"The spec is not valid JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise BadSpecError("The spec must be one JSON object.")
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        raise BadSpecError(f"Unknown fields: {', '.join(unknown)}. Known are {', '.join(sorted(_FIELDS))}.")
    if _number(fields, "fps", FPS) != FPS:
        raise BadSpecError(f"fps must be {FPS}.")
    prompt, start = _text(fields, "prompt"), _start(fields)
    extend, keep = _told(fields, "extend"), _told(fields, "keep")
    if extend is not None and start == 0:
        raise BadSpecError("extend needs a start above 0: the seconds that the film before it lasted.")
    return Spec(
        prompt=prompt,
        extend=None if extend == prompt.strip() else extend,
        keep=keep,
        seed=_seed(fields),
        width=_side(fields, "width"),
        height=_side(fields, "height"),
        frames=_frames(fields),
        start=start,
        sound=_flag(fields, "sound"),
        caption=_flag(fields, "caption"),
        mark=_flag(fields, "mark"),
        out=_out(fields),
        pictures=_pictures(fields, start),
    )


def _number(fields: dict[str, object], name: str, default: float | None = None) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _NUMBER_LIMIT:
        raise BadSpecError(f"{name} must be a number.")
    return float(value)


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise BadSpecError(f"{name} must be a text.")
    if len(value) > PROMPT_LIMIT:
        raise BadSpecError(f"{name} has {len(value)} characters; at most {PROMPT_LIMIT} are read.")
    return value


def _told(fields: dict[str, object], name: str) -> str | None:
    """Give a text that may be left out; one of blanks alone says nothing either."""
    return None if fields.get(name) is None else _text(fields, name).strip() or None


def _seed(fields: dict[str, object]) -> int | None:
    value = fields.get("seed")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadSpecError("seed must be a whole number from 0 to 2^63 - 1, or null.")
    return value


def _side(fields: dict[str, object], name: str) -> int:
    value = _number(fields, name)
    low, high = SIDE_RANGE
    if value != int(value) or not low <= value <= high:
        raise BadSpecError(f"{name} must be a whole number from {low} to {high}.")
    # The encoder halves the colour planes, so an odd side would fail in it.
    return int(value) // 2 * 2


def _frames(fields: dict[str, object]) -> int:
    value = _number(fields, "seconds")
    low, high = SECONDS_RANGE
    if not low <= value <= high:
        raise BadSpecError(f"seconds must be from {low} to {high:g}.")
    return max(1, round(value * FPS))


def _start(fields: dict[str, object]) -> float:
    value = _number(fields, "start", 0.0)
    if value < 0:
        raise BadSpecError("start must not be negative.")
    # A start between two frames would shift sound against picture.
    return round(value * FPS) / FPS


def _flag(fields: dict[str, object], name: str) -> bool:
    value = fields.get(name, True)
    if not isinstance(value, bool):
        raise BadSpecError(f"{name} must be true or false.")
    return value


def _out(fields: dict[str, object]) -> Path:
    value = fields.get("out")
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadSpecError("out must be the path of the film to write.")
    path = Path(value)
    if not path.parent.is_dir():
        raise BadSpecError(f"out lies in a folder that does not exist: {path.parent}.")
    return path


def _pictures(fields: dict[str, object], start: float) -> tuple[SourcePicture, ...]:
    value = fields.get("pictures", [])
    if not isinstance(value, list):
        raise BadSpecError("pictures must be a list.")
    pictures = tuple(_picture(entry) for entry in value)
    wrong = _misfit(Counter(picture.role for picture in pictures), start)
    if wrong:
        raise BadSpecError(wrong)
    return pictures


def _misfit(roles: Counter[str], start: float) -> str | None:
    """Say what is wrong with these roles together."""
    twice = next((role for role in ("first", "last", "before") if roles[role] > 1), "")
    limit, number = REFERENCES_LIMIT, roles["reference"]
    rules = (
        (bool(twice), f"A film has at most one picture with the role {twice}, not {roles[twice]}."),
        (roles["before"] and roles.total() > 1, "A before picture comes alone: leave the others out."),
        (
            roles["before"] and start == 0,
            "A before picture needs a start above 0: the seconds that the film before it lasted.",
        ),
        (
            roles["last"] and not roles["first"],
            "A last picture needs a first one: give both, or the first alone.",
        ),
        (
            number and roles["first"],
            "Reference pictures come without first and last: give the ones or the others.",
        ),
        (number > limit, f"At most {limit} reference pictures are drawn, not {number}."),
    )
    return next((words for broken, words in rules if broken), None)


def _picture(entry: object) -> SourcePicture:
    if not isinstance(entry, dict):
        raise BadSpecError('Each picture must be an object such as {"role": "first", "path": "a.png"}.')
    role, path = entry.get("role"), entry.get("path")
    if role not in ROLES:
        raise BadSpecError(f"A picture's role must be one of {', '.join(ROLES)}.")
    if not isinstance(path, str) or not path:
        raise BadSpecError("A picture's path must be a text.")
    return SourcePicture(role=role, path=Path(path))
