"""The kinds of providers, a row each."""

from collections.abc import Callable, Mapping
from typing import Final

from filmgate.domain.contracts_provider import ANIMATIC, Provider, ProviderConfig, Tools
from filmgate.providers import animatic, openai

KINDS: Final[Mapping[str, Callable[[ProviderConfig, Tools], Provider]]] = {
    ANIMATIC: animatic.build,
    "openai": openai.build,
}


def build(config: ProviderConfig, tools: Tools) -> Provider:
    """Make a provider by its kind; raise ValueError, which says what would be right."""
    make = KINDS.get(config.kind)
    if make is None:
        known = ", ".join(sorted(KINDS))
        raise ValueError(f"the provider {config.name} is of the kind {config.kind!r}; there are: {known}")
    return make(config, tools)
