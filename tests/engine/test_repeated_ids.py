"""A vendor that gives the id of one job for another: nobody is hurt but the film of which nothing is known."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.contracts_provider import ClipRequest, Ticket
from filmgate.domain.states import Step
from filmgate.engine.route import RouteRule, Via
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from kit.engines import Engine, Vendor, make_engine
from kit.worlds import World, make_world

SAME = "job-1"


@dataclass(slots=True)
class Parrot(Vendor):
    """A vendor that says the same id whatever it is sent."""

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        self.keys.append(key)
        return Ticket(SAME, ask_in=timedelta(hours=1))


@dataclass(slots=True)
class Clerk(Parrot):
    """One that can be asked by key, and may know better then."""

    visible_after: timedelta | None = timedelta(seconds=10)
    right: bool = True

    async def find(self, key: str) -> Ticket | None:
        return Ticket(f"job-{key}" if self.right else SAME)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def two_sent(world: World, folder: Path, vendor: Vendor) -> Engine:
    """Send two films one after the other."""
    engine = await make_engine(
        world.pool, folder / "e", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    for _ in range(2):
        new = world.new(hold_micros=7)
        await world.acceptor.accept(
            replace(new, credential_id=None, request=replace(new.request, model="veo3"))
        )
        await engine.started()
    return engine


async def shown(world: World) -> list[tuple[object, ...]]:
    found = await world.rows(
        "select t.state, t.error_code, a.state as attempt, a.vendor_ref, w.deaths from tasks t "
        "join attempts a on a.task_id = t.id left join work w on w.task_id = t.id order by t.id"
    )
    return [tuple(row.values()) for row in found]


async def told(world: World) -> list[object]:
    return [row["kind"] for row in await world.rows("select kind from notices order by id")]


FIRST = ("generating", None, "accepted", SAME, 0)
LOST = ("failed", "outcome_uncertain", "abandoned", None, None)


async def test_the_second_film_of_one_id_ends_free_and_the_first_goes_on(
    world: World, tmp_path: Path
) -> None:
    vendor = Parrot()
    await two_sent(world, tmp_path, vendor)
    assert await shown(world) == [FIRST, LOST]
    assert (len(vendor.keys), await told(world)) == (2, ["repeated_id"])
    [text] = await world.rows("select text, provider from notices")
    wanted = f"the vendor gave {SAME} for attempt {vendor.keys[1]}, which is the job of another attempt: a possible orphan"
    assert text == {"text": wanted, "provider": "a"}
    assert await world.rows("select in_flight, failures_in_row from credentials where provider = 'a'") == [
        {"in_flight": 1, "failures_in_row": 1}
    ]
    assert await Ledger(world.pool).check() == []


@pytest.mark.parametrize("right", [True, False])
async def test_a_vendor_that_can_be_asked_by_key_is_asked_once_more(
    world: World, tmp_path: Path, *, right: bool
) -> None:
    vendor = Clerk(right=right)
    engine = await two_sent(world, tmp_path, vendor)
    assert (await shown(world))[1] == ("queued", None, "uncertain", None, 0)
    await engine.did(Step.RECONCILE, timedelta(seconds=90))
    second = ("generating", None, "accepted", f"job-{vendor.keys[1]}", 0) if right else LOST
    assert await shown(world) == [FIRST, second]
    assert (len(vendor.keys), await told(world)) == (2, ["repeated_id"] * (1 if right else 2))
    assert await Ledger(world.pool).check() == []


async def test_a_replay_that_says_it_again_ends_it(world: World, tmp_path: Path) -> None:
    vendor = Parrot(replays=timedelta(hours=23))
    engine = await two_sent(world, tmp_path, vendor)
    assert await shown(world) == [FIRST, LOST]
    assert await engine.did(Step.RECONCILE) == 0
