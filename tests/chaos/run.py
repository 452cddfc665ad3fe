"""One run: a load, blows, a calm phase, and the comparison of what everybody wrote down."""

import asyncio
import json
import random
import time
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg

from chaos.blows import ACTS, Blows
from chaos.books import ends_of, receiver_log, shipped, store_log, vendor_log
from chaos.customers import Account, Crowd, keep_testing, register
from chaos.operator import settle
from chaos.site import ADMIN, SOURCE, Plan, Site, opened
from filmgate.domain.failpoint import POINTS
from kit.invariants import Violation, check
from kit.logs import Moment
from objects.servers import SECRET

AT_ONCE: Final = 16
# What is wished for all at once comes on top, so that it need not wait for others to end.
MORE: Final = 8
CALM_S: Final = 180.0
_LEFT: Final = """
select (select count(*) from film.work) as work, (select count(*) from film.deliveries where state = 'due') as due,
    (select count(*) from film.shipments where state = 'due') as on_their_way
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`every_s` is the mean time between two blows at random, 0 for none; `films` at least are asked for."""

    kills: int
    seed: int = 0
    films: int = 0
    at_once: int = AT_ONCE
    every_s: float = 5.0
    points: Sequence[str] = POINTS
    acts: Sequence[str] = ACTS
    plan: Plan = field(default_factory=Plan)
    at_most_s: float = 3600.0
    source: Path = SOURCE
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    seed: int
    kills: int
    by_point: Mapping[str, Mapping[str, int]]
    at_random: Mapping[str, int]
    restarts: Mapping[str, int]
    missed: Sequence[str]
    led: Mapping[str, int]
    tasks: int
    ends: Mapping[str, int]
    jobs: Mapping[str, int]
    webhooks: int
    seconds: float
    calm_seconds: float
    violations: Sequence[Violation]

    def as_json(self) -> Mapping[str, Any]:
        said = {name: getattr(self, name) for name in self.__slots__}
        return said | {"violations": [{"rule": one.rule, "text": one.text} for one in self.violations]}


def run(folder: Path, wanted: Wanted) -> Outcome:
    """Start a site, do all of it, give what came of it."""
    with opened(folder, wanted.plan, wanted.source) as site:
        accounts = register(site)
        return asyncio.run(_run(site, accounts, wanted))


async def _run(site: Site, accounts: Sequence[Account], wanted: Wanted) -> Outcome:
    began = time.monotonic()
    dice = random.Random(f"chaos {wanted.seed}")
    blows = Blows(
        site, random.Random(dice.random()), wanted.points, wanted.kills, wanted.every_s, wanted.acts
    )
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=20, connect=3)
    ) as session:
        crowd = Crowd(site, accounts, dice, session, wanted.plan.kinds, plain=wanted.plain)

        def over() -> bool:
            done = blows.kills >= wanted.kills and crowd.made >= wanted.films
            return done or time.monotonic() - began > wanted.at_most_s

        asking = asyncio.create_task(_keep_asking(crowd, wanted.at_once))
        deciding = asyncio.create_task(settle(site, random.Random(f"operator {wanted.seed}")))
        testing = asyncio.create_task(keep_testing(crowd))
        await blows.go(over)
        asking.cancel()
        testing.cancel()
        calm_since = datetime.now(UTC)
        calm_began = time.monotonic()
        await _calm(site, blows, crowd)
        deciding.cancel()
    return await _compared(site, accounts, wanted, blows, crowd, began, (calm_since, calm_began))


async def _compared(
    site: Site,
    accounts: Sequence[Account],
    wanted: Wanted,
    blows: Blows,
    crowd: Crowd,
    began: float,
    calm: tuple[datetime, float],
) -> Outcome:
    store = await store_log(site)
    vendors = [
        vendor_log(name, vendor.log, replays=name == "replayed") for name, vendor in site.vendors.items()
    ]
    receiver = receiver_log(site, accounts)
    moment = Moment(
        calm_since=calm[0],
        texts=[*crowd.texts, *(program.log.read_text(errors="replace") for program in site.programs)],
        secrets=[
            *(ADMIN, "sk-vendor-secret", "a secret that all of them share"),
            *(account.key for account in accounts),
            *(secret for account in accounts for secret in account.secrets.values()),
            SECRET,
        ],
    )
    found = [
        *check(vendors, store, receiver, crowd.told, moment),
        *await shipped(site),
        *await _audit(site),
    ]
    return Outcome(
        seed=wanted.seed,
        kills=blows.kills,
        by_point=_by_point(blows),
        at_random=dict(blows.at_random),
        restarts=dict(blows.restarts),
        missed=blows.missed,
        led=dict(blows.led),
        tasks=len(store.rows("tasks")),
        ends=ends_of(store),
        jobs={name: len(log.jobs) for name, log in zip(site.vendors, vendors, strict=True)},
        webhooks=len(receiver.received),
        seconds=round(time.monotonic() - began, 1),
        calm_seconds=round(time.monotonic() - calm[1], 1),
        violations=found,
    )


async def _keep_asking(crowd: Crowd, at_once: int) -> None:
    while True:
        while len(crowd.running) < at_once + (MORE if crowd.site.wished else 0):
            crowd.wish()
        await asyncio.sleep(0.1)


async def _calm(site: Site, blows: Blows, crowd: Crowd) -> None:
    """Let everything end by itself."""
    blows.calm()
    give_up = time.monotonic() + CALM_S
    while time.monotonic() < give_up:
        await blows.tick()
        blows.calm()
        if not crowd.running and await _at_rest(site):
            break
        await asyncio.sleep(0.5)
    for task in list(crowd.running):
        task.cancel()
    await asyncio.to_thread(site.wait_ready)


async def _at_rest(site: Site) -> bool:
    try:
        connection = await asyncpg.connect(**site.database, timeout=5)
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        return not any(dict(await connection.fetchrow(_LEFT)).values())
    finally:
        await connection.close()


async def _audit(site: Site) -> list[Violation]:
    """Ask the gate itself what it thinks of its books."""
    try:
        said = await asyncio.to_thread(site.ask, "GET", "/admin/v1/ledger/check")
    except (OSError, urllib.error.URLError) as error:
        return [Violation("audit", str(error))]
    return [] if said["clean"] else [Violation("audit", json.dumps(said["findings"])[:2000])]


def _by_point(blows: Blows) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {point: {} for point in blows.points}
    for (point, act), count in sorted(blows.struck.items()):
        found.setdefault(point, {})[act] = count
    return found
