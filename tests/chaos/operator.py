"""An operator of a run, who settles submits whose replies were lost by looking into the vendor's own log."""

import asyncio
import random
import urllib.error
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chaos.books import vendor_log
from chaos.site import Site


async def settle(site: Site, dice: random.Random, share: float = 0.5) -> None:
    """Look every second; decide some, leave others to time."""
    passed: set[str] = set()
    while True:
        with suppress(OSError, ValueError):
            for task in await asyncio.to_thread(waiting, site):
                if task["id"] not in passed and dice.random() > share:
                    passed.add(task["id"])
                elif task["id"] not in passed:
                    await asyncio.to_thread(decide, site, task["id"], give_up=dice.random() < 0.3)
        await asyncio.sleep(1)


def waiting(site: Site) -> list[dict[str, Any]]:
    """Give the tasks whose vendor nobody heard."""
    return list(site.ask("GET", "/admin/v1/tasks?uncertain=true&limit=100")["data"])


def decide(site: Site, id_: str, *, give_up: bool) -> None:
    """Say under which ref the vendor has the film, else give it up: nobody can know that it will never come."""
    refs = {} if give_up else refs_of(site)
    task = site.ask("GET", f"/admin/v1/tasks/{id_}")
    key = task["attempts"][-1]["key"] if task.get("attempts") else ""
    said = {"outcome": "found", "ref": refs[key]} if key in refs else {"outcome": "give_up"}
    if said["outcome"] == "found" or give_up:
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
