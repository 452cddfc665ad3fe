"""Which provider may serve a model, under which name that provider knows it, and through which credential."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final, TypeVar

from filmgate.domain.clock import Chance
from filmgate.domain.contracts_provider import ANIMATIC, Power, Provider
from filmgate.domain.cost import NO_COSTS, CostList
from filmgate.domain.counted import NOBODY
from filmgate.domain.limits import ATTEMPTS_OF_CREDENTIAL, ROUTE_PATIENCE
from filmgate.domain.request import FilmRequest, PictureRole
from filmgate.store.credentials import Room

Choice = TypeVar("Choice")

_WILD: Final = "*?["
_POWERS: Final = {PictureRole.LAST: Power.LAST_FRAME, PictureRole.REFERENCE: Power.REFERENCES}
_FULL: Final = Room(0, shut=True)


@dataclass(frozen=True, slots=True)
class Via:
    """One way of a route: a provider, its own name of the model, its share of the traffic, and its turn.

    Without a name of its own, the provider is asked for the model by the name that the client used.
    Ways of a higher order are for when those of a lower one cannot be had.
    """

    provider: str
    model: str = ""
    weight: int = 1
    order: int = 0


@dataclass(frozen=True, slots=True)
class RouteRule:
    pattern: str
    via: tuple[Via, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A provider as one of its credentials opens it."""

    provider_name: str
    credential_id: int
    provider: Provider
    costs: CostList = NO_COSTS


@dataclass(frozen=True, slots=True)
class Line:
    """A provider as it serves one model, through one credential."""

    provider_name: str
    provider: Provider
    model: str
    credential_id: int
    weight: int
    order: int = 0
    costs: CostList = NO_COSTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a clip asks of its line: `preferred` made what it goes on from, `failed` counts what did not work."""

    request: FilmRequest
    preferred: int | None = None
    failed: Mapping[int, int]
    waited: timedelta = timedelta(0)


class Router:
    """Chooses lines; with no real provider configured, the animatic engine serves every model."""

    def __init__(self, rules: Sequence[RouteRule], accesses: Sequence[Access]) -> None:
        self._rules = sorted(rules, key=_specific, reverse=True)
        self._accesses = accesses
        self._by_credential = {access.credential_id: access for access in accesses}
        self._sharing: dict[str, Sequence[str]] = {}
        self.sandbox = {access.provider_name for access in accesses} <= {ANIMATIC}

    def lines(self, model: str) -> Sequence[Line]:
        """Give the lines that may serve a public model; the most specific pattern wins, whole."""
        return [line for via in self._ways(model) for line in self._lines(via, model)]

    def first(self, model: str) -> str:
        """Name who would be asked first to make films of a model."""
        lines = self.lines(model)
        return min(lines, key=lambda line: (line.order, -line.weight)).provider_name if lines else NOBODY

    def serves(self, request: FilmRequest) -> bool:
        """Tell whether some line can do what is asked."""
        return bool(self._able(request))

    def choose(self, wish: Wish, rooms: Mapping[int, Room], chance: Chance) -> Line | None:
        """Choose who makes a clip now; None where it should wait.

        The first tier that has room is taken. A tier is left for the next one where all of it is shut, or where it
        has been full for longer than one should wait.
        """
        for tier in self._tiers(wish):
            free = [line for line in tier if _room(rooms, line).free > 0]
            if free:
                return _drawn(free, rooms, chance)
            if wish.waited <= ROUTE_PATIENCE and not all(_room(rooms, line).shut for line in tier):
                return None
        return None

    def remains(self, wish: Wish) -> bool:
        """Tell whether any line is left that may still be tried."""
        return bool(self._tiers(wish))

    def line(self, model: str, credential_id: int | None) -> Line | None:
        """Give the line of a model through one credential; None where the settings no longer have it."""
        return next((line for line in self.lines(model) if line.credential_id == credential_id), None)

    def provider(self, credential_id: int) -> tuple[str, Provider] | None:
        """Give the provider behind a credential, also for models that it no longer serves."""
        access = self._by_credential.get(credential_id)
        return None if access is None else (access.provider_name, access.provider)

    def accesses(self, provider_name: str) -> Sequence[Access]:
        """Give a provider as each of its credentials opens it; nothing where the settings have none of that name."""
        return [access for access in self._accesses if access.provider_name == provider_name]

    def sharing(self, model: str, models: Iterable[str]) -> Sequence[str]:
        """Name the models, this one among them, whose films wait for the same credentials."""
        if model not in self._sharing:
            own = self._credentials(model)
            others = [other for other in models if other != model and own & self._credentials(other)]
            self._sharing[model] = [model, *others]
        return self._sharing[model]

    def _credentials(self, model: str) -> set[int]:
        return {line.credential_id for line in self.lines(model)}

    def _ways(self, model: str) -> Sequence[Via]:
        if self.sandbox or model == ANIMATIC:
            return [Via(ANIMATIC, model)]
        return next((rule.via for rule in self._rules if fnmatchcase(model, rule.pattern)), ())

    def _lines(self, via: Via, model: str) -> Sequence[Line]:
        return [
            Line(
                via.provider,
                access.provider,
                via.model or model,
                access.credential_id,
                via.weight,
                via.order,
                access.costs,
            )
            for access in self._accesses
            if access.provider_name == via.provider
        ]

    def _able(self, request: FilmRequest) -> Sequence[Line]:
        needed = powers_for(request)
        return [line for line in self.lines(request.model) if needed <= line.provider.powers]

    def _tiers(self, wish: Wish) -> Sequence[Sequence[Line]]:
        """Give the lines in the order in which they are to be tried.

        First who made the film before, then those that did not fail, by their order, then those that may be tried
        once more.
        """
        able = [line for line in self._able(wish.request) if _tried(wish, line) < ATTEMPTS_OF_CREDENTIAL]
        orders = sorted({line.order for line in able})
        tiers = [
            [line for line in able if line.credential_id == wish.preferred and not _tried(wish, line)]
        ] + [
            [line for line in able if line.order == order and _tried(wish, line) == tried]
            for tried in range(ATTEMPTS_OF_CREDENTIAL)
            for order in orders
        ]
        return [tier for tier in tiers if tier]


def powers_for(request: FilmRequest) -> frozenset[Power]:
    """Say what a provider must be able to do; extending and scaling up the gate can do by itself."""
    roles = {picture.role for picture in request.pictures}
    return frozenset(power for role, power in _POWERS.items() if role in roles)


def _drawn(lines: Sequence[Line], rooms: Mapping[int, Room], chance: Chance) -> Line:
    """Draw a way by its weight, and of its credentials one by its room."""
    ways: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        ways.setdefault((line.provider_name, line.model), []).append(line)
    way = _weighted(list(ways.values()), [lines[0].weight for lines in ways.values()], chance)
    return _weighted(way, [_room(rooms, line).free for line in way], chance)


def _weighted(choices: Sequence[Choice], weights: Sequence[int], chance: Chance) -> Choice:
    point = chance.share() * sum(weights)
    for choice, weight in zip(choices, weights, strict=True):
        point -= weight
        if point < 0:
            return choice
    return choices[-1]


def _tried(wish: Wish, line: Line) -> int:
    return wish.failed.get(line.credential_id, 0)


def _room(rooms: Mapping[int, Room], line: Line) -> Room:
    return rooms.get(line.credential_id, _FULL)


def _specific(rule: RouteRule) -> tuple[bool, int]:
    wild = next((place for place, letter in enumerate(rule.pattern) if letter in _WILD), len(rule.pattern))
    return wild == len(rule.pattern), wild
