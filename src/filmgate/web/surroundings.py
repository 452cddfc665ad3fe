"""What the web is handed: the gate's verbs and readers, once for all routes."""

from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from filmgate.domain.catalogue import Catalogue
from filmgate.domain.clock import Chance, Clock
from filmgate.domain.contracts import Dialect, Links
from filmgate.domain.task import Task
from filmgate.engine.accept import Acceptance
from filmgate.engine.parts import Parts
from filmgate.engine.ship import Shipping
from filmgate.engine.subscribe import Subscriptions
from filmgate.engine.whereabouts import Whereabouts
from filmgate.objects.depot import Depot
from filmgate.store.accounts import Accounts
from filmgate.store.changes import Changes
from filmgate.store.delivery_log import DeliveryLog
from filmgate.store.files import Files
from filmgate.store.keys import Keys
from filmgate.store.ledger import Ledger
from filmgate.store.listen import Listener
from filmgate.store.oversight import Oversight
from filmgate.store.read import Reader
from filmgate.web.body import Bodies
from filmgate.web.content import OpenObjects
from filmgate.web.keys import Doorman
from filmgate.web.links import LinkSigner
from filmgate.web.streams import Streams


class Bell(Protocol):
    """Wakes the engine of this process, where it has one."""

    def set(self) -> None: ...


class Flag(Protocol):
    """Tells that this process is about to stop: whoever only waits is answered at once."""

    def is_set(self) -> bool: ...


class WebTelemetry(Protocol):
    def event(self, event: str, **fields: object) -> None: ...
    def accepted(self, dialect: str, model: str, provider: str, held_micros: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    acceptance: Acceptance
    engine: Parts
    """What the engine's verbs need, for those of them that a request may call for."""
    whereabouts: Whereabouts
    catalogue: Catalogue
    reader: Reader
    oversight: Oversight
    files: Files
    keys: Keys
    accounts: Accounts
    ledger: Ledger
    listener: Listener
    changes: Changes
    subscriptions: Subscriptions
    deliveries: DeliveryLog
    doorman: Doorman
    objects: OpenObjects
    signer: LinkSigner
    clock: Clock
    chance: Chance
    bodies: Bodies
    streams: Streams = field(default_factory=Streams)
    bell: Bell
    draining: Flag
    telemetry: WebTelemetry
    depot: Depot
    shipping: Shipping
    bucket_links: bool = False
    """Whether readers of films are led straight to the bucket."""
    public_url: str | None = None
    """What links in answers start with; None takes the request's Host."""

    def links(self, task: Task, request: Request, dialect: Dialect | None = None) -> Links:
        return self.signer.links(task, self.origin(request), dialect.OPEN if dialect else {})

    def origin(self, request: Request) -> str:
        return self.public_url or f"{request.url.scheme}://{request.url.netloc}"
