"""Which dialect speaks on a shared path: mount, key, sole model, mark of the client, and last the plainest."""

from collections.abc import Sequence

from filmgate.domain.catalogue import Catalogue
from filmgate.domain.contracts import Call, Dialect
from filmgate.domain.task import Owner


def select(
    candidates: Sequence[Dialect], call: Call, owner: Owner | None, catalogue: Catalogue, mount: str | None
) -> Dialect:
    """Choose among the dialects that have the path; the first rule that applies decides."""
    named = {dialect.NAME: dialect for dialect in candidates}
    if mount is not None:
        return named[mount]
    if owner is not None and owner.dialect in named:
        return named[owner.dialect]
    model = call.fields.get("model")
    knowing = catalogue.dialects_of(model) & set(named) if isinstance(model, str) else frozenset()
    if len(knowing) == 1:
        return named[next(iter(knowing))]
    return next((dialect for dialect in candidates if dialect.claims(call)), candidates[-1])
