"""The model catalogue: which public models there are, and how each dialect offers them.

It is data (`catalogue.toml`, and tables of the same form that an operator adds); adding a model is adding rows.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from filmgate.domain.limits import MIB, PICTURE_BYTES, PROMPT_CHARACTERS, TASK_DEADLINE
from filmgate.domain.lines import line_of
from filmgate.domain.price import PriceList, PriceRow
from filmgate.domain.problems import Problem
from filmgate.domain.request import PictureRole
from filmgate.domain.size import Size
from filmgate.domain.tariff import read_price, repeated

GATE: Final = "gate"


@dataclass(frozen=True, slots=True)
class Seconds:
    """Which whole lengths may be asked for: every one of a span, or those of a list."""

    allowed: tuple[int, ...]
    default: int

    def __str__(self) -> str:
        span = tuple(range(self.allowed[0], self.allowed[-1] + 1))
        if self.allowed == span and len(span) > 1:
            return f"{span[0]}-{span[-1]}"
        return ", ".join(map(str, self.allowed))


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which pictures may come with a request: what those without a role of their own mean, and how many.

    `first`       the first frame
    `frames`      the first frame, then the last
    `references`  what the film shows
    `mixed`       one is the first frame, several are references
    `any`         as `frames`; those that are said to be references are
    """

    rule: str = "first"
    least: int = 0
    most: int = 0
    mib: int = PICTURE_BYTES // MIB
    """How large each may be."""
    used: int = 0
    """How many are used; what comes beyond is noted in the record, up to `most`."""

    @property
    def counts(self) -> Mapping[PictureRole, int]:
        """How many of each role are used at most."""
        by_rule = {
            "first": {PictureRole.FIRST: 1},
            "frames": {PictureRole.FIRST: 1, PictureRole.LAST: 1},
            "references": {PictureRole.REFERENCE: 3},
            "mixed": {PictureRole.FIRST: 1, PictureRole.REFERENCE: 3},
            "any": {PictureRole.FIRST: 1, PictureRole.LAST: 1, PictureRole.REFERENCE: 3},
        }
        return by_rule[self.rule] if self.most else {}


@dataclass(frozen=True, slots=True)
class Extension:
    """A second clip that goes on from the first; `required` where the model makes no film without it."""

    seconds: int
    required: bool = False
    of_another: bool = False
    """Whether the first clip is that of another film, which the request must name."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a dialect lets its clients ask of a model; `seconds` are those of the first clip."""

    seconds: Seconds
    sizes: tuple[Size, ...]
    prompt_characters: int
    pictures: Pictures
    extension: Extension | None
    upsample_side: int | None
    """The shorter side, in pixels, of a film that was scaled up; None where the model has no such thing."""
    upsample_always: bool
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    owner: str
    about: str
    created: int
    sound: bool
    offers: Mapping[str, Offer]


class BadCatalogueError(ValueError):
    """The catalogue's text says something that cannot be meant."""


class Catalogue:
    """All public models, in the order in which they are listed."""

    def __init__(self, models: Iterable[Model], prices: PriceList) -> None:
        self._models = {model.name: model for model in models}
        self.prices = prices

    @property
    def models(self) -> Sequence[Model]:
        return tuple(self._models.values())

    def find(self, name: str, dialect: str, *, any_model: bool = False) -> tuple[Model, Offer]:
        """Find a model as a dialect offers it, or, for `any_model`, as the gate itself does.

        Raise Problem `model_not_found` where there is none.
        """
        model = self._models.get(name)
        offer = None if model is None else model.offers.get(dialect)
        if any_model and model is not None:
            offer = offer or model.offers.get(GATE)
        if model is None or offer is None:
            raise Problem("model_not_found", field="model", model=name[:80])
        return model, offer

    def dialects_of(self, name: str) -> frozenset[str]:
        """Name the dialects whose clients know this model; the gate's own API is none of them."""
        model = self._models.get(name)
        return frozenset() if model is None else frozenset(model.offers) - {GATE}


def read_catalogue(texts: Iterable[str], prices: Sequence[PriceRow] = ()) -> Catalogue:
    """Read catalogue tables; a later text adds to and replaces what an earlier one says, and `prices` all of them."""
    offers: dict[str, Offer] = {}
    models: dict[str, Model] = {}
    listed: list[PriceRow] = []
    for text in texts:
        table = tomllib.loads(text)
        offers |= {name: _offer(name, row) for name, row in table.get("offers", {}).items()}
        for row in table.get("models", []):
            models[row["name"]] = _model(row, offers)
        listed += _prices(text, table.get("prices", []))
    return Catalogue(models.values(), PriceList([*listed, *prices]))


def _prices(text: str, said: Sequence[Mapping[str, Any]]) -> Sequence[PriceRow]:
    read: list[PriceRow] = []
    for no, row in enumerate(said):
        try:
            read.append(read_price(row))
        except ValueError as error:
            raise _bad_price(text, no, str(error)) from None
    twice = repeated(read)
    if twice is not None:
        raise _bad_price(text, *twice)
    return read


def _bad_price(text: str, no: int, says: str) -> BadCatalogueError:
    return BadCatalogueError(f"line {line_of(text, 'prices', no)}: prices: {says}")


def _offer(name: str, row: Mapping[str, Any]) -> Offer:
    seconds = row["seconds"]
    allowed = tuple(seconds.get("one_of") or range(seconds["from"], seconds["to"] + 1))
    if seconds["default"] not in allowed:
        raise BadCatalogueError(f"offer {name}: {seconds['default']} s is not one of {allowed}")
    pictures, extension, minutes = row.get("pictures", {}), row.get("extension"), row.get("deadline_minutes")
    return Offer(
        seconds=Seconds(allowed=allowed, default=seconds["default"]),
        sizes=tuple(Size.parse(size) for size in row["sizes"]),
        prompt_characters=row.get("prompt_characters", PROMPT_CHARACTERS),
        pictures=Pictures(**{"used": pictures.get("most", 0), **pictures}),
        extension=None if extension is None else Extension(**extension),
        upsample_side=row.get("upsample_side"),
        upsample_always=row.get("upsample_always", False),
        deadline=TASK_DEADLINE if minutes is None else timedelta(minutes=minutes),
    )


def _model(row: Mapping[str, Any], offers: Mapping[str, Offer]) -> Model:
    missing = set(row["offers"].values()) - set(offers)
    if missing:
        raise BadCatalogueError(f"model {row['name']}: there is no offer {', '.join(sorted(missing))}")
    return Model(
        name=row["name"],
        owner=row["owner"],
        about=row["about"],
        created=row.get("created", 0),
        sound=row.get("sound", True),
        offers={dialect: offers[offer] for dialect, offer in row["offers"].items()},
    )
