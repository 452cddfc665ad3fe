"""Replies that are lost: a share of all submits, at a vendor that can be asked by key, replays a key, or neither."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp

from chaos.books import ends_of, receiver_log, store_log, vendor_log
from chaos.customers import Account, Crowd, register
from chaos.operator import refs_of, waiting
from chaos.site import KINDS, Plan, Site, opened
from kit.invariants import Violation, check
from kit.logs import Moment, VendorLog

AT_ONCE: Final = 40
WITHIN_S: Final = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """`resolved` of those that nobody can ask about are settled by an operator, in turn as found and as given up."""

    kind: str
    films: int
    share: float = 0.1
    resolved: int = 4
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    kind: str
    films: int
    lost: int
    jobs: int
    drawn_twice: int
    resolved: Mapping[str, int]
    ends: Mapping[str, int]
    right_ends: Mapping[str, int]
    seconds: float
    violations: Sequence[Violation]


def lose(folder: Path, wanted: Lost) -> Found:
    """Have films made while replies are lost; nobody is killed."""
    plan = Plan(
        workers=1,
        takes_s=0.3,
        lost=wanted.share,
        seed=wanted.seed,
        kinds=(wanted.kind,),
        deadline_minutes=30,
        armed=False,
        bucket=False,
    )
    with opened(folder, plan) as site:
        accounts = register(site, ("rich",))
        return asyncio.run(_lose(site, accounts, wanted))


async def _lose(site: Site, accounts: Sequence[Account], wanted: Lost) -> Found:
    began = time.monotonic()
    resolved: Counter[str] = Counter()
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
    async with session:
        crowd = Crowd(site, accounts, random.Random(wanted.seed), session, (wanted.kind,), plain=True)
        while crowd.made < wanted.films or crowd.running:
            while len(crowd.running) < AT_ONCE and crowd.made < wanted.films:
                crowd.wish()
            if wanted.kind == "blind" and resolved.total() < wanted.resolved:
                await asyncio.to_thread(_resolve, site, resolved)
            assert time.monotonic() - began < WITHIN_S
            await asyncio.sleep(0.2)
    calm_since = datetime.now(UTC)
    # What is told of the last ends is still under way.
    await asyncio.sleep(15)
    store = await store_log(site)
    log = vendor_log(wanted.kind, site.vendors[wanted.kind].log, replays=wanted.kind == "replayed")
    lost = _lost(site, wanted.kind)
    uncertain = len(lost) - resolved["found"] if wanted.kind == "blind" else 0
    right = {"succeeded": wanted.films - uncertain, "failed outcome_uncertain": uncertain}
    return Found(
        kind=wanted.kind,
        films=wanted.films,
        lost=len(lost),
        jobs=len(log.jobs),
        drawn_twice=_twice(log),
        resolved=dict(resolved),
        ends=dict(ends_of(store)),
        right_ends={end: count for end, count in right.items() if count},
        seconds=round(time.monotonic() - began, 1),
        violations=check(
            [log], store, receiver_log(site, accounts), crowd.told, Moment(calm_since=calm_since)
        ),
    )


def _resolve(site: Site, resolved: Counter[str]) -> None:
    """Settle one, as an operator who looked into the vendor's list."""
    for task in waiting(site)[:1]:
        detail = site.ask("GET", f"/admin/v1/tasks/{task['id']}")
        outcome = "found" if resolved.total() % 2 == 0 else "give_up"
        said = {"outcome": outcome, "note": "chaos"}
        if outcome == "found":
            said["ref"] = refs_of(site)[detail["attempts"][-1]["key"]]
        site.ask("POST", f"/admin/v1/tasks/{task['id']}/resolve", said)
        resolved[outcome] += 1


def _lost(site: Site, kind: str) -> set[str]:
    """Give the keys whose replies the vendor did not send."""
    lines = map(json.loads, site.vendors[kind].log.read_text().splitlines())
    return {line["key"] for line in lines if line["event"] == "lied" and line["lie"] == "lost-reply"}


def _twice(log: VendorLog) -> int:
    return sum(count > 1 for count in Counter(str(job.key).partition(".")[0] for job in log.jobs).values())


def main() -> int:
    """Run all three kinds of vendors; give 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(prog="chaos.lost", description=__doc__)
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--kind", choices=KINDS, action="append", help="this kind of vendor alone")
    given = parser.parse_args()
    bad = 0
    for kind in given.kind or KINDS:
        found = lose(Path(tempfile.mkdtemp(prefix="lost-")) / "site", Lost(kind=kind, films=given.films))
        print(found, flush=True)
        bad += bool(found.violations or found.drawn_twice or found.ends != found.right_ends)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
