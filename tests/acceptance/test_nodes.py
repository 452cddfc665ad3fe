"""Two gates and two workers on one PostgreSQL and one folder of objects are one gate, whichever of them dies."""

import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.books import vendor_log
from chaos.customers import Account, register
from chaos.site import Plan, Site, opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with opened(tmp_path / "site", Plan(servers=2, kinds=("replayed",), lost=0.0, armed=False)) as site:
        yield site


def submitted(site: Site, account: Account, no: int, server: int) -> str:
    body = {"prompt": f"boat {no}", "model": "replayed", "seconds": 4, "size": "1280x720"}
    return str(
        site.ask("POST", "/gate/v1/tasks", body, key=account.key, server=server, once=f"boat-{no}")["id"]
    )


def shown(site: Site, account: Account, id_: str, server: int) -> Any:
    return site.ask("GET", f"/gate/v1/tasks/{id_}", key=account.key, server=server)


def ended(site: Site, account: Account, id_: str, server: int) -> Any:
    give_up = time.monotonic() + 120
    while (task := shown(site, account, id_, server))["ended_at"] is None:
        assert time.monotonic() < give_up, site.workers[1].tail()
        time.sleep(0.1)
    return task


def test_what_one_gate_accepts_the_other_shows_and_a_death_of_either_gate_or_worker_loses_nothing(
    site: Site,
) -> None:
    [account] = register(site, ("rich",))
    ids = [submitted(site, account, no, no % 2) for no in range(6)]
    # Each is at once known where it was not asked for.
    assert [shown(site, account, id_, 1 - no % 2)["id"] for no, id_ in enumerate(ids)] == ids
    site.workers[0].kill()
    site.servers[0].kill()
    # A client that heard nothing from the dead one asks the other under its key, and gets the film that it has.
    assert [submitted(site, account, no, 1) for no in range(6)] == ids
    ids += [submitted(site, account, no, 1) for no in range(6, 8)]
    tasks = [ended(site, account, id_, 1) for id_ in ids]
    assert Counter(task["state"] for task in tasks) == {"succeeded": 8}
    with urllib.request.urlopen(tasks[0]["urls"]["video"], timeout=30) as film:
        assert film.status == 200

    site.servers[0].start()
    site.workers[0].start()
    site.wait_ready()
    site.servers[1].kill()
    site.workers[1].kill()
    assert [shown(site, account, id_, 0)["state"] for id_ in ids] == ["succeeded"] * 8
    assert ended(site, account, submitted(site, account, 8, 0), 0)["state"] == "succeeded"
    jobs = vendor_log("replayed", site.vendors["replayed"].log, replays=True).jobs
    assert len(jobs) == len({job.key for job in jobs}) == 9
    assert site.ask("GET", "/admin/v1/ledger/check") == {"clean": True, "findings": []}
