"""The composition root: the only file that knows every part."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from starlette.types import ASGIApp

from filmgate import providers as kinds
from filmgate.console.pages import pages
from filmgate.dialects import DIALECTS
from filmgate.domain import ids
from filmgate.domain.catalogue import Catalogue
from filmgate.domain.contracts_http import Http
from filmgate.domain.contracts_provider import ANIMATIC, ProviderConfig, Tools
from filmgate.domain.cost import FREE, CostList
from filmgate.engine.accept import Acceptance
from filmgate.engine.parts import Parts
from filmgate.engine.route import Access, Router, RouteRule, Via
from filmgate.engine.ship import Shipping
from filmgate.engine.sources import Sources
from filmgate.engine.subscribe import Subscriptions
from filmgate.engine.whereabouts import Whereabouts
from filmgate.engine.worker import Worker
from filmgate.engine.wrong_clock import watched
from filmgate.health import Health, Measures
from filmgate.media.renderers import Renderers
from filmgate.media.workshop import Workshop
from filmgate.net.dial import GuardedDial
from filmgate.net.fetch import GuardedFetch
from filmgate.net.guard import Guard, GuardRules, allowed_pairs, trusted_pair
from filmgate.net.http import open_http
from filmgate.net.resolver import SystemResolver
from filmgate.net.results import GuardedResults
from filmgate.node import Node
from filmgate.prompts.chat import Chat
from filmgate.prompts.enhancer import Enhancer
from filmgate.secrets import derive, make_secret
from filmgate.settings import Settings, load_catalogue, name_of, secret_of
from filmgate.store.accept import Acceptor
from filmgate.store.accounts import Accounts
from filmgate.store.cancel import Wishes
from filmgate.store.changes import Changes
from filmgate.store.counts import KeptCounts
from filmgate.store.credentials import CredentialRow, Credentials
from filmgate.store.decisions import Decisions
from filmgate.store.delivery_log import DeliveryLog
from filmgate.store.ends import Ends
from filmgate.store.estimates import Estimates
from filmgate.store.files import Files
from filmgate.store.gauges import Standings
from filmgate.store.keys import Keys
from filmgate.store.ledger import Ledger
from filmgate.store.listen import Listener
from filmgate.store.moves import Moves
from filmgate.store.notices import Notices
from filmgate.store.oversight import Oversight
from filmgate.store.places import Places
from filmgate.store.pool import ENGINE_STATEMENT_MS, WEB_STATEMENT_MS, Pool, open_pool
from filmgate.store.quotes import Quotes
from filmgate.store.read import Reader
from filmgate.store.starts import Starts
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot, Claims
from filmgate.storing import Storing
from filmgate.telemetry import Telemetry
from filmgate.telling import Telling
from filmgate.web.app import build_app
from filmgate.web.body import Bodies
from filmgate.web.keys import Doorman
from filmgate.web.links import LinkSigner
from filmgate.web.session import Sessions
from filmgate.web.surroundings import Surroundings
from filmgate.world import SystemChance, SystemClock

_WEB_CONNECTIONS: Final = 8
_ENGINE_CONNECTIONS: Final = 8
_REMOTE_IN_FLIGHT: Final = 100
_WAITING_RENDERS: Final = 4


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that is open: what its processes serve and run."""

    app: ASGIApp
    worker: Worker
    own_engine: bool
    """Whether this process runs the engine, or another one of the gate does."""
    telemetry: Telemetry


@dataclass(frozen=True, slots=True)
class _Ground:
    """What both halves of a gate stand on."""

    node: Node
    settings: Settings
    catalogue: Catalogue
    telemetry: Telemetry
    storing: Storing
    guard: Guard
    callback_guard: Guard
    enhancer: Enhancer
    router: Router
    renderer: Renderers
    clock: SystemClock
    chance: SystemChance


def secrets_of(settings: Settings, chance: SystemChance) -> list[bytes]:
    """Give the live secrets: those of the setting, comma-separated with the signing one first, or the folder's."""
    if settings.secret is None:
        return [make_secret(settings.data, chance)]
    return [part.strip().encode() for part in settings.secret.get_secret_value().split(",") if part.strip()]


def sessions_of(settings: Settings, clock: SystemClock, chance: SystemChance) -> Sessions:
    keys = [derive(secret, "sessions") for secret in secrets_of(settings, chance)]
    return Sessions(keys, clock, chance, settings.public_url)


@asynccontextmanager
async def open_gate(node: Node, draining: asyncio.Event) -> AsyncIterator[Gate]:
    """Open everything that a process of the gate needs, and close it in reverse order."""
    settings = node.settings()
    async with AsyncExitStack() as stack:
        web = await _pool(stack, node, _WEB_CONNECTIONS, WEB_STATEMENT_MS, "filmgate web")
        engine = await _pool(stack, node, _ENGINE_CONNECTIONS, ENGINE_STATEMENT_MS, "filmgate engine")
        ground = await _ground(stack, node, settings, engine)
        parts = _parts(ground, engine)
        told = Telling(ground.clock, ground.chance, ground.telemetry, engine)
        subscriptions = told.subscriptions(ground.callback_guard, secrets_of(settings, ground.chance))
        beside = [told.deliverer(parts, subscriptions), *ground.storing.beside(parts.claims.boot)]
        upkeep = Upkeep(engine, timedelta(days=settings.record_days))
        await stack.enter_async_context(watched(parts, upkeep.now))
        worker = Worker(parts, upkeep, beside)
        keys = Keys(web, [derive(secret, "pepper") for secret in secrets_of(settings, ground.chance)])
        listener = await stack.enter_async_context(told.listening(node.direct or node.database, draining))
        around = _around(ground, parts, web, keys, draining, listener, subscriptions)
        own_engine = settings.worker and settings.web_workers == 1
        measures = _measures(ground, web)
        await stack.enter_async_context(measures.keeping())
        health = Health(web, worker if own_engine else None, ground.clock, measures)
        app = build_app(
            around,
            DIALECTS,
            health,
            pages(around.doorman.sessions, around.doorman.known),
            ground.telemetry,
            lambda: ground.chance.bytes(12).hex(),
        )
        yield Gate(app, worker, own_engine, ground.telemetry)


async def _pool(stack: AsyncExitStack, node: Node, size: int, statement_ms: int, name: str) -> Pool:
    pool = await open_pool(
        node.database, size=size, statement_ms=statement_ms, name=name, pooled=node.direct is not None
    )
    stack.push_async_callback(pool.close)
    return pool


async def _ground(stack: AsyncExitStack, node: Node, settings: Settings, pool: Pool) -> _Ground:
    clock, chance = SystemClock(), SystemChance()
    catalogue = load_catalogue(settings)
    configs = provider_configs(settings)
    resolver = SystemResolver()
    stack.callback(resolver.close)
    http = await stack.enter_async_context(open_http())
    renderer = Renderers(settings.data / "renders", settings.renders_at_once)
    stack.push_async_callback(renderer.close)
    rules = _guard_rules(settings)
    made = []
    for config in configs:
        # What a provider sends goes to its configured address; where it says that a film lies is another matter.
        own = rules.allow | ({trusted_pair(config.base_url)} if config.base_url else set())
        results = GuardedFetch(GuardedDial(Guard(replace(rules, allow=own), resolver)))
        tools = Tools(http=GuardedResults(http, results), renderer=renderer, clock=clock)
        made.append(kinds.build(config, tools))
    ids_of = await Credentials(pool).sync([_credential(config, settings) for config in configs])
    accesses = [
        Access(config.name, ids_of[config.name, config.credential_name], provider, _costs(config, settings))
        for config, provider in zip(configs, made, strict=True)
    ]
    telemetry = Telemetry([model.name for model in catalogue.models], [config.name for config in configs])
    storing = Storing.opened(settings, clock, chance, telemetry, pool)
    stack.push_async_callback(storing.close)
    await storing.watched.begin()
    return _Ground(
        node=node,
        settings=settings,
        catalogue=catalogue,
        telemetry=telemetry,
        storing=storing,
        guard=Guard(rules, resolver),
        callback_guard=Guard(replace(rules, https_only=True), resolver),
        enhancer=Enhancer(
            _chat(settings, http), lambda reason: telemetry.event("enhancer.failed", reason=reason)
        ),
        router=_router(settings, accesses),
        renderer=renderer,
        clock=clock,
        chance=chance,
    )


def _costs(config: ProviderConfig, settings: Settings) -> CostList:
    """Give what a provider takes; what this machine draws by itself is free."""
    rows = next((table.costs for table in settings.providers if table.name == config.name), ())
    return FREE if config.kind == ANIMATIC and not rows else CostList(rows)


def _guard_rules(settings: Settings) -> GuardRules:
    table = settings.guard
    return GuardRules(
        allow=allowed_pairs(",".join(sorted(settings.guard_allow | table.allow))),
        allow_cidrs=table.allow_cidrs,
        deny_cidrs=table.deny_cidrs,
        ports=table.ports,
        nat64=table.nat64,
    )


def _chat(settings: Settings, http: Http) -> Chat | None:
    table = settings.enhancer
    if table is None:
        return None
    return Chat(http, table.base_url.rstrip("/"), table.model, secret_of(table.credentials))


def provider_configs(settings: Settings) -> Sequence[ProviderConfig]:
    """Give the configured providers, once for each of their secrets; the animatic engine is always there."""
    tables = [
        ProviderConfig(
            name=table.name,
            kind=table.kind,
            base_url=table.base_url.rstrip("/"),
            credential_name=name_of(reference),
            credential=secret_of(reference),
            submits_per_minute=table.limits.submits_per_minute,
            in_flight=table.limits.in_flight,
            options=table.options,
        )
        for table in settings.providers
        for reference in table.credentials or ("",)
    ]
    if any(table.name == ANIMATIC for table in tables):
        return tables
    return [*tables, ProviderConfig(name=ANIMATIC, kind=ANIMATIC)]


def _credential(config: ProviderConfig, settings: Settings) -> CredentialRow:
    # A few clips may wait inside the renderer, so that one that rehearses a slow vendor does not stop all others.
    usual = settings.renders_at_once + _WAITING_RENDERS if config.kind == ANIMATIC else _REMOTE_IN_FLIGHT
    rate = None if config.submits_per_minute is None else config.submits_per_minute / 60
    # What a minute allows may come in bursts of a second.
    burst = max(1.0, rate or 0.0)
    return CredentialRow(config.name, config.credential_name, config.in_flight or usual, rate, burst)


def _router(settings: Settings, accesses: Sequence[Access]) -> Router:
    rules = [
        RouteRule(
            route.model,
            tuple(Via(via.provider, via.model or "", via.weight, via.order) for via in route.via),
        )
        for route in settings.routes
    ]
    return Router(rules, accesses)


def _parts(ground: _Ground, pool: Pool) -> Parts:
    workspace = ground.settings.data / "workspace"
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    boot = Boot(ids.uuid7(ground.clock.now(), ground.chance), ground.node.folder, ground.node.supervisor)

    def unreadable(task_id: UUID, error: Exception) -> None:
        ground.telemetry.event("task.unreadable", task=str(task_id), error=error)

    return Parts(
        clock=ground.clock,
        chance=ground.chance,
        router=ground.router,
        claims=Claims(pool, boot, unreadable),
        starts=Starts(pool, boot, unreadable),
        moves=Moves(pool, ground.telemetry.attempted),
        ends=Ends(pool, ground.telemetry.attempted),
        reader=Reader(pool),
        files=Files(pool),
        credentials=Credentials(pool),
        wishes=Wishes(pool),
        decisions=Decisions(pool),
        notices=Notices(pool),
        objects=ground.storing.watched,
        workshop=Workshop(),
        enhancer=ground.enhancer,
        pictures=GuardedFetch(GuardedDial(ground.guard)),
        telemetry=ground.telemetry,
        workspace=workspace,
        scratch=(ground.renderer,),
        retention=timedelta(days=ground.settings.retention_days),
        storage=ground.storing.watched,
        shipping=ground.storing.shipping(pool, boot),
        experience=Estimates(pool, ground.clock),
    )


def _around(
    ground: _Ground,
    parts: Parts,
    pool: Pool,
    keys: Keys,
    draining: asyncio.Event,
    listener: Listener,
    subscriptions: Subscriptions,
) -> Surroundings:
    secrets = secrets_of(ground.settings, ground.chance)
    shipping = ground.storing.shipping(pool, parts.claims.boot)
    everywhere = ground.settings.host in {"0.0.0.0", "::"}  # noqa: S104  # compared with, not bound to
    return Surroundings(
        acceptance=_acceptance(ground, pool, subscriptions, shipping),
        engine=parts,
        whereabouts=_whereabouts(ground, pool),
        catalogue=ground.catalogue,
        reader=Reader(pool),
        oversight=Oversight(pool),
        files=Files(pool),
        keys=keys,
        accounts=Accounts(pool),
        ledger=Ledger(pool),
        listener=listener,
        changes=Changes(pool),
        subscriptions=subscriptions,
        deliveries=DeliveryLog(pool),
        doorman=Doorman(
            keys, ground.clock, secrets, sessions_of(ground.settings, ground.clock, ground.chance)
        ),
        objects=ground.storing.watched,
        depot=ground.storing.depot(),
        shipping=shipping,
        bucket_links=ground.settings.bucket_links,
        signer=LinkSigner([derive(secret, "links") for secret in secrets], ground.clock),
        clock=ground.clock,
        chance=ground.chance,
        bodies=Bodies(),
        bell=parts.wake,
        draining=draining,
        telemetry=ground.telemetry,
        public_url=ground.settings.public_url or (None if everywhere else ground.node.base_url),
    )


def _acceptance(ground: _Ground, pool: Pool, subscriptions: Subscriptions, shipping: Shipping) -> Acceptance:
    return Acceptance(
        catalogue=ground.catalogue,
        router=ground.router,
        acceptor=Acceptor(pool),
        quotes=Quotes(pool),
        sources=Sources(Reader(pool), ground.clock),
        objects=ground.storing.watched,
        guard=ground.guard,
        callback_guard=subscriptions.guard,
        clock=ground.clock,
        chance=ground.chance,
        storage=ground.storing.watched,
        destinations=shipping.admitted_for,
    )


def _measures(ground: _Ground, pool: Pool) -> Measures:
    process = ids.uuid7(ground.clock.now(), ground.chance)
    kept = KeptCounts(pool, process)
    standings = Standings(pool, ground.router.first)
    return Measures(ground.telemetry, kept, standings, ground.storing.watched, ground.clock, ground.chance)


def _whereabouts(ground: _Ground, pool: Pool) -> Whereabouts:
    return Whereabouts(
        places=Places(pool),
        credentials=Credentials(pool),
        reader=Reader(pool),
        router=ground.router,
        experience=Estimates(pool, ground.clock),
        clock=ground.clock,
        models=[model.name for model in ground.catalogue.models],
    )
