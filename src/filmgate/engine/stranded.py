"""Tasks that wait for a provider or a route which the settings no longer have."""

from collections.abc import Sequence
from dataclasses import dataclass

from filmgate.engine.parts import Parts


@dataclass(frozen=True, slots=True)
class Strand:
    """What is missing, and what waits for it until its deadline."""

    kind: str
    name: str
    text: str


async def stranded(parts: Parts) -> Sequence[Strand]:
    found = []
    for one in await parts.starts.stranded():
        if one.waits and not parts.router.lines(one.model):
            text = f"no route serves {one.model}: {one.count} tasks wait for one, until their deadline"
            found.append(Strand("no_route", one.model, text))
        elif not (one.waits or one.credential_id is None or parts.router.provider(one.credential_id)):
            provider = one.provider or "unknown"
            text = f"{provider} makes {one.count} films of {one.model}, and is not in the settings any more"
            found.append(Strand("provider_missing", provider, text))
    return found
