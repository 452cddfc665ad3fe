"""An operator of a run, who settles submits whose replies were lost by looking into the vendor's own log."""

import asyncio
import random
import time
import urllib.error
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from chaos.books import vendor_log
from chaos.site import Site

# Longer than the lease of a submit, as it is in a run.
ARRIVES_S: Final = 8.0
GIVEN_UP: Final = 0.3


async def settle(site: Site, dice: random.Random, share: float = 0.5) -> None:
    """Look every second; decide some, leave others to time."""
    plans: dict[str, str] = {}
    missed: dict[str, float] = {}
    while True:
        with suppress(OSError, ValueError):
            for task in await asyncio.to_thread(waiting, site):
                rather = "give up" if dice.random() < GIVEN_UP else "look"
                plan = plans.setdefault(task["id"], "leave" if dice.random() > share else rather)
                if plan != "leave":
                    await asyncio.to_thread(decide, site, task["id"], missed, give_up=plan == "give up")
        await asyncio.sleep(1)


def waiting(site: Site) -> list[dict[str, Any]]:
    """Give the tasks whose vendor nobody heard."""
    return list(site.ask("GET", "/admin/v1/tasks?uncertain=true&limit=100")["data"])


def decide(site: Site, id_: str, missed: dict[str, float], *, give_up: bool) -> None:
    """Say under which ref the vendor has the film, or that it has none; some are given up.

    `missed` keeps when a film was first looked for in vain: by a later look what was sent then has arrived.
    """
    task = site.ask("GET", f"/admin/v1/tasks/{id_}")
    key = task["attempts"][-1]["key"] if task.get("attempts") else ""
    ref = None if give_up else refs_of(site).get(key)
    if give_up:
        said = {"outcome": "give_up"}
    elif ref is not None:
        said = {"outcome": "found", "ref": ref}
    elif time.monotonic() - missed.setdefault(key, time.monotonic()) > ARRIVES_S:
        said = {"outcome": "absent"}
    else:
        return
    with suppress(urllib.error.HTTPError):
        # It may have been settled meanwhile.
        site.ask("POST", f"/admin/v1/tasks/{id_}/resolve", {**said, "note": "by the vendor's log"})


def refs_of(site: Site) -> Mapping[str, str]:
    """Give what each vendor's log calls the film of a key."""
    return {
        str(job.key): job.ref
        for name, vendor in site.vendors.items()
        for job in vendor_log(name, vendor.log, replays=False).jobs
    }
