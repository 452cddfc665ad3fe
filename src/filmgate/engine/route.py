"""Which provider may serve a model, and under which name that provider knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from filmgate.domain.clock import Chance
from filmgate.domain.contracts_provider import ANIMATIC, Power, Provider
from filmgate.domain.request import FilmRequest, PictureRole

_WILD: Final = "*?["
_POWERS: Final = {PictureRole.LAST: Power.LAST_FRAME, PictureRole.REFERENCE: Power.REFERENCES}


@dataclass(frozen=True, slots=True)
class Via:
    """One way of a route: a provider, its own name of the model, and its share of the traffic."""

    provider: str
    model: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class RouteRule:
    pattern: str
    via: tuple[Via, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A provider as it serves one model, through one credential."""

    provider_name: str
    provider: Provider
    model: str
    credential_id: int
    weight: int


class Router:
    """Chooses lines; with no real provider configured, the animatic engine serves every model."""

    def __init__(
        self, rules: Sequence[RouteRule], providers: Mapping[str, Provider], credentials: Mapping[str, int]
    ) -> None:
        self._rules = sorted(rules, key=_specific, reverse=True)
        self._providers = providers
        self._credentials = credentials
        self.sandbox = set(providers) <= {ANIMATIC}

    def lines(self, model: str) -> Sequence[Line]:
        """Give the lines that may serve a public model; the most specific pattern wins, whole."""
        if self.sandbox or model == ANIMATIC:
            return [self._line(Via(ANIMATIC, model))]
        for rule in self._rules:
            if fnmatchcase(model, rule.pattern):
                return [self._line(via) for via in rule.via]
        return []

    def choose(
        self, request: FilmRequest, chance: Chance, *, without: frozenset[int] = frozenset()
    ) -> Line | None:
        """Choose a line by weight that can do what is asked; None where there is none.

        `without` are credentials that failed already.
        """
        needed = powers_for(request)
        lines = [
            line
            for line in self.lines(request.model)
            if line.credential_id not in without and needed <= line.provider.powers
        ]
        point = chance.share() * sum(line.weight for line in lines)
        for line in lines:
            point -= line.weight
            if point < 0:
                return line
        return None

    def line(self, model: str, credential_id: int | None) -> Line | None:
        """Give the line of a model through one credential; None where the settings no longer have it."""
        return next((line for line in self.lines(model) if line.credential_id == credential_id), None)

    def provider(self, credential_id: int) -> tuple[str, Provider] | None:
        """Give the provider behind a credential, also for models that it no longer serves."""
        for name, id_ in self._credentials.items():
            if id_ == credential_id and name in self._providers:
                return name, self._providers[name]
        return None

    def _line(self, via: Via) -> Line:
        provider = self._providers[via.provider]
        return Line(via.provider, provider, via.model, self._credentials[via.provider], via.weight)


def powers_for(request: FilmRequest) -> frozenset[Power]:
    """Say what a provider must be able to do; extending and scaling up the gate can do by itself."""
    roles = {picture.role for picture in request.pictures}
    return frozenset(power for role, power in _POWERS.items() if role in roles)


def _specific(rule: RouteRule) -> tuple[bool, int]:
    wild = next((place for place, letter in enumerate(rule.pattern) if letter in _WILD), len(rule.pattern))
    return wild == len(rule.pattern), wild
