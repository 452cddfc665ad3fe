"""Reading what a provider's table of the settings says, so that a slip of the pen fails at the start."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from filmgate.domain.contracts_provider import ProviderConfig


def demand_known(config: ProviderConfig, known: Mapping[str, type]) -> None:
    """Raise ValueError for an option that a kind does not have, or of another type."""
    for name, value in config.options.items():
        if name not in known:
            have = ", ".join(sorted(known)) or "none"
            raise ValueError(f"the provider {config.name} has no option {name!r}; there are: {have}")
        if type(value) is not known[name]:
            raise ValueError(
                f"the option {name} of the provider {config.name} must be a {known[name].__name__}"
            )


def versioned_root(config: ProviderConfig, version: str) -> str:
    """Give `base_url` with its version at the end, whether it was written with or without; raise ValueError."""
    parts = urlsplit(config.base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            f"the provider {config.name} needs a base_url such as https://api.example.com/{version}, "
            f"not {config.base_url!r}"
        )
    root = config.base_url.rstrip("/")
    return root if root.endswith(f"/{version}") else f"{root}/{version}"
