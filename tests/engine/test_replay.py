"""A submit whose reply was lost is repeated under its key only as long as the vendor surely knows that key."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from filmgate.domain.contracts_provider import ClipRequest, Ticket
from filmgate.domain.faults import Busy, Invalid, Refused, Uncertain
from filmgate.domain.limits import POLL_SECONDS
from filmgate.domain.states import Step
from filmgate.domain.task import Task
from filmgate.engine.parts import Parts
from filmgate.engine.reconcile import reconcile
from filmgate.engine.resolve import absent
from filmgate.engine.route import Access, Router, RouteRule, Via
from filmgate.store import transitions
from filmgate.store.moves import StaleLease
from filmgate.store.pool import Pool
from filmgate.world import SystemClock
from kit.clocks import long_steady
from kit.engines import Engine, Vendor, make_engine
from kit.worlds import World, make_world

LEASE = timedelta(seconds=90)


@dataclass(slots=True)
class Library(Vendor):
    """A vendor that can also be asked for a key."""

    visible_after: timedelta | None = timedelta(seconds=10)
    empty: bool = False
    hangs_s: float = 0.0

    async def submit(self, request: ClipRequest, key: str) -> Ticket:
        await asyncio.sleep(self.hangs_s)
        return await Vendor.submit(self, request, key)

    async def find(self, key: str) -> Ticket | None:
        return None if self.empty else Ticket(f"found-{key}")


@dataclass
class Stoppable(SystemClock):
    stood_s: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.stood_s)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def lost(
    world: World, folder: Path, vendor: Vendor, *, sent: str, deadline: str = "1 h", soften: bool = False
) -> Engine:
    """Let the reply to a submit be lost: `sent` so long ago, with a deadline so long from now."""
    engine = await make_engine(
        world.pool, folder / "e", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    new = world.new()
    request = replace(new.request, model="veo3", soften=soften, prompt="two men fight with swords")
    await world.acceptor.accept(replace(new, credential_id=None, request=request))
    vendor.submits.append(Uncertain("a reset"))
    await engine.started()
    await world.pool.execute("update attempts set sent_at = now() - $1::text::interval", sent)
    await world.pool.execute("update tasks set deadline_at = now() + $1::text::interval", deadline)
    return engine


async def ended(world: World) -> Sequence[dict[str, object]]:
    return await world.rows(
        "select a.state, t.error_code from attempts a join tasks t on t.id = a.task_id order by a.no"
    )


async def test_a_key_that_is_still_known_is_submitted_again(world: World, tmp_path: Path) -> None:
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="22 h")
    await engine.did(Step.RECONCILE, LEASE)
    assert (len(vendor.keys), len(set(vendor.keys))) == (2, 1)
    assert await ended(world) == [{"state": "accepted", "error_code": None}]


@pytest.mark.parametrize(
    ("answer", "code"), [(Refused("no fights"), "content_refused"), (Invalid("too wide"), "request_refused")]
)
async def test_a_refusal_means_the_same_when_it_is_given_again(
    world: World, tmp_path: Path, answer: Exception, code: str
) -> None:
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="1 min")
    vendor.submits.append(answer)
    await engine.did(Step.RECONCILE, LEASE)
    assert await ended(world) == [{"state": "failed", "error_code": code}]


async def test_a_refusal_that_was_lost_is_softened_as_one_that_was_heard(
    world: World, tmp_path: Path
) -> None:
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="1 min", soften=True)
    vendor.submits.append(Refused("no fights"))
    await engine.did(Step.RECONCILE, LEASE)
    assert await engine.started() == 1
    assert (len(vendor.keys), len(set(vendor.keys))) == (3, 2)
    assert [row["state"] for row in await ended(world)] == ["failed", "accepted"]


@pytest.mark.parametrize("sent", ["23 h", "3 days", "-2 days"])
async def test_a_key_that_the_vendor_may_have_forgotten_is_never_submitted_again(
    world: World, tmp_path: Path, sent: str
) -> None:
    """A time that lies ahead is that of a clock which was set back, and says nothing."""
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent=sent)
    await engine.did(Step.RECONCILE, LEASE)
    assert len(vendor.keys) == 1
    over = {"state": "abandoned", "error_code": "outcome_uncertain"}
    waits = {"state": "uncertain", "error_code": None}
    assert await ended(world) == [waits if sent == "-2 days" else over]


async def test_a_vendor_that_can_be_asked_is_asked_for_a_key_that_is_too_old(
    world: World, tmp_path: Path
) -> None:
    vendor = Library(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="3 days")
    await engine.did(Step.RECONCILE, LEASE)
    [row] = await world.rows("select state, vendor_ref from attempts")
    assert (len(vendor.keys), row) == (1, {"state": "accepted", "vendor_ref": f"found-{vendor.keys[0]}"})


async def test_nothing_is_submitted_for_a_film_that_nobody_waits_for_any_more(
    world: World, tmp_path: Path
) -> None:
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="10 min", deadline="-1 s")
    await engine.did(Step.RECONCILE, LEASE)
    assert len(vendor.keys) == 1
    assert await ended(world) == [{"state": "abandoned", "error_code": "outcome_uncertain"}]


async def test_who_was_stopped_while_it_looked_submits_nothing(world: World, tmp_path: Path) -> None:
    vendor, clock = Vendor(replays=timedelta(hours=23)), Stoppable()
    engine = await lost(world, tmp_path, vendor, sent="10 min")
    engine.parts = replace(engine.parts, clock=clock)
    [claim] = await engine.parts.claims.due(Step.RECONCILE, limit=1, lease=LEASE, since=clock.monotonic())
    clock.stood_s.append(26.0)
    await reconcile(engine.parts, claim)
    assert len(vendor.keys) == 1
    assert await ended(world) == [{"state": "uncertain", "error_code": None}]


async def test_what_would_be_another_request_by_now_is_not_sent_under_the_key(
    world: World, tmp_path: Path
) -> None:
    """A vendor refuses a key that it knows for something else, and makes the film all the same."""
    vendor = Vendor(replays=timedelta(hours=23))
    await lost(world, tmp_path, vendor, sent="1 min")
    renamed = await make_engine(
        world.pool, tmp_path / "r", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m-2"),))]
    )
    vendor.submits.append(Invalid("the key is known for another request"))
    await renamed.did(Step.RECONCILE, LEASE)
    assert len(vendor.keys) == 1
    assert await ended(world) == [{"state": "uncertain", "error_code": None}]


async def said(world: World, engine: Engine, way: Callable[[Parts, Task], Awaitable[None]]) -> None:
    """Let an operator say what became of the one task that there is."""
    [row] = await world.rows("select id from tasks")
    await way(engine.parts, await world.task(cast("UUID", row["id"])))


async def test_a_vendor_that_knows_the_key_is_sent_it_again_under_that_and_no_other(
    world: World, tmp_path: Path
) -> None:
    """A repeat may be on its way there just when an operator looks at the vendor's list."""
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="10 min")
    await world.pool.execute("update work set due_at = now()")
    [looking] = await engine.parts.claims.due(Step.RECONCILE, limit=1, lease=LEASE, since=0.0)
    await said(world, engine, absent)
    assert await ended(world) == [{"state": "uncertain", "error_code": None}]
    assert await world.rows("select text from notices where kind = 'resolved'") == [
        {"text": f"attempt {vendor.keys[0]}: absent, and left to be repeated under its key, an operator says"}
    ]
    with pytest.raises(StaleLease):
        await world.moves.make(transitions.unresolved(looking, timedelta(0)))
    await engine.did(Step.RECONCILE, LEASE)
    assert vendor.keys == 2 * vendor.keys[:1]
    assert await ended(world) == [{"state": "accepted", "error_code": None}]


async def test_what_can_not_be_repeated_as_it_was_is_sent_anew_once_an_operator_knows_of_none(
    world: World, tmp_path: Path
) -> None:
    """The model has another name there since: under the old key that would be another request."""
    vendor = Vendor(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="10 min")
    rules = [RouteRule("veo3", (Via("a", "renamed"),))]
    accesses = [Access("a", engine.ids["a", "A"], vendor)]
    engine.parts = replace(
        engine.parts, router=Router(rules, accesses), steady=long_steady(engine.parts.clock)
    )
    await said(world, engine, absent)
    assert await ended(world) == [{"state": "lost", "error_code": None}]
    assert await engine.started() == 1
    assert [key.rpartition(".")[2] for key in vendor.keys] == ["1", "2"]


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_film_is_looked_for_also_where_it_can_not_be_asked_for_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    """A vendor may fail to take submits for as long as anybody would wait, and list its films all the while."""
    vendor = Library(replays=timedelta(hours=23))
    engine = await lost(world, tmp_path, vendor, sent="10 min")
    if hangs:
        monkeypatch.setattr("filmgate.engine.reconcile.SUBMIT_SECONDS", POLL_SECONDS + 0.2)
        vendor.hangs_s = POLL_SECONDS + 1
    else:
        vendor.submits.append(Busy("500", retry_after=timedelta(seconds=5)))
    await engine.did(Step.RECONCILE, LEASE)
    [row] = await world.rows("select state, vendor_ref from attempts")
    assert row == {"state": "accepted", "vendor_ref": f"found-{vendor.keys[0]}"}


async def test_a_vendor_that_shows_none_just_after_a_repeat_failed_proves_nothing(
    world: World, tmp_path: Path
) -> None:
    vendor = Library(replays=timedelta(hours=23), empty=True)
    engine = await lost(world, tmp_path, vendor, sent="10 min")
    vendor.submits.append(Uncertain("a reset"))
    engine.parts = replace(engine.parts, steady=long_steady(engine.parts.clock))
    await engine.did(Step.RECONCILE, LEASE)
    assert (len(vendor.keys), await ended(world)) == (2, [{"state": "uncertain", "error_code": None}])
