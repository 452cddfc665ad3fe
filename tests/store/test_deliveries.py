"""Deliveries in the store: announced with the end, claimed by one at a time, settled under a fence."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from filmgate.domain import ids
from filmgate.domain.states import State
from filmgate.domain.task import Task
from filmgate.domain.webhook import delivery_id
from filmgate.store.announce import announce
from filmgate.store.deliveries import Deliveries, DeliveryClaim, Outcome
from filmgate.store.delivery_log import DeliveryLog, Wanted
from filmgate.store.endpoints import Endpoint, Endpoints, NewEndpoint
from filmgate.store.keys import Keys
from filmgate.store.pool import Pool
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Boot
from filmgate.world import SystemChance
from kit.films import film_request, task

LEASE = timedelta(seconds=30)
chance = SystemChance()


def boot(folder: int = 1) -> Boot:
    return Boot(UUID(bytes=chance.bytes(16)), UUID(int=folder), UUID(int=2))


@pytest.fixture
async def accounts(pool: Pool) -> tuple[int, int]:
    keys = Keys(pool, [b"pepper"])
    found = []
    for name in ("one", "two"):
        await keys.create(f"sk-{name}", name=name, account=name)
        owner = await keys.owner(f"sk-{name}")
        assert owner is not None
        found.append(owner.account_id)
    return found[0], found[1]


@pytest.fixture
async def account(accounts: tuple[int, int]) -> int:
    return accounts[0]


@pytest.fixture
def deliveries(pool: Pool) -> Deliveries:
    return Deliveries(pool, boot())


async def endpoint(pool: Pool, account: int, url: str = "https://a.example.com/", **said: Any) -> Endpoint:
    new = NewEndpoint(
        id=ids.uuid7(datetime.now(UTC), chance),
        account_id=account,
        name="n",
        url=url,
        events=said.get("events", ["video.completed", "video.failed"]),
        secret=b"sealed",
        hint="h",
    )
    made = await Endpoints(pool).create(new, most=said.get("most", 20))
    assert made is not None
    return made


def film(account: int, **asked: Any) -> Task:
    id_ = ids.uuid7(datetime.now(UTC), chance)
    request = film_request("a boat", **asked)
    return task(f"video_{id_.hex}", id=id_, account_id=account, request=request)


async def end(pool: Pool, *films: Task, state: State = State.SUCCEEDED) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await announce(connection, [(one, state) for one in films])


async def due(deliveries: Deliveries, limit: int = 50, **said: Any) -> list[DeliveryClaim]:
    return [*await deliveries.claim(limit, said.get("lease", LEASE), since=0.0)]


async def states(pool: Pool) -> Counter[str]:
    return Counter(row["state"] for row in await pool.fetch("select state from deliveries"))


async def test_an_end_is_announced_to_each_endpoint_that_wants_it_and_to_no_other_owner(
    pool: Pool, accounts: tuple[int, int], deliveries: Deliveries
) -> None:
    both = await endpoint(pool, accounts[0], "https://a.example.com/x")
    await endpoint(pool, accounts[0], "https://b.example.com/", events=["video.failed"])
    foreign = await endpoint(pool, accounts[1], "https://c.example.com/")
    made, other = film(accounts[0]), film(accounts[1])
    await end(pool, made, other)
    claims = {(one.endpoint_id, one.task_id, one.event, one.host) for one in await due(deliveries)}
    assert claims == {
        (both.id, made.id, "video.completed", "a.example.com"),
        (foreign.id, other.id, "video.completed", "c.example.com"),
    }


async def test_the_address_of_a_request_is_told_too_unless_an_endpoint_has_just_that(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    await endpoint(pool, account, "https://a.example.com/", events=["video.completed"])
    own = film(account, callback_url="https://own.example.com/")
    same = film(account, callback_url="https://a.example.com/")
    await end(pool, own, same)
    await end(pool, same, state=State.FAILED)
    told = Counter((one.url, one.event, one.endpoint_id is None) for one in await due(deliveries))
    assert told == {
        ("https://a.example.com/", "video.completed", False): 2,
        ("https://own.example.com/", "video.completed", True): 1,
        ("https://a.example.com/", "video.failed", True): 1,
    }


async def test_nothing_is_told_of_an_end_that_was_not_committed(pool: Pool, account: int) -> None:
    await endpoint(pool, account)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await announce(connection, [(film(account), State.FAILED)])
        await transaction.rollback()
    assert await states(pool) == {}


async def test_an_end_that_is_announced_twice_is_told_once(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    made = await endpoint(pool, account)
    one = film(account)
    await end(pool, one)
    await end(pool, one)
    assert [claim.id for claim in await due(deliveries)] == [delivery_id(one.id, made.id)]


async def test_deleted_and_disabled_endpoints_are_told_nothing(pool: Pool, accounts: tuple[int, int]) -> None:
    gone, off = await endpoint(pool, accounts[0]), await endpoint(pool, accounts[0])
    assert not await Endpoints(pool).delete(accounts[1], gone.id)
    assert await Endpoints(pool).delete(accounts[0], gone.id)
    await pool.execute(
        "update endpoints set disabled_at = now(), disabled_reason = 'x' where id = $1", off.id
    )
    await end(pool, film(accounts[0]))
    assert await states(pool) == {}
    assert await pool.fetchval("select secret from endpoints where id = $1", gone.id) == b""


async def test_a_delivery_is_in_one_hand_until_its_lease_runs_out(pool: Pool, account: int) -> None:
    await endpoint(pool, account)
    await end(pool, film(account))
    one, other = Deliveries(pool, boot()), Deliveries(pool, boot())
    [first] = await due(one, lease=timedelta(milliseconds=200))
    assert await due(other) == []
    await asyncio.sleep(0.25)
    [second] = await due(other)
    assert (second.id, second.fence, second.body) == (first.id, first.fence + 1, first.body)
    assert not await one.settle(Outcome(claim=first, delivered=True))
    assert await states(pool) == {"due": 1}
    assert await other.settle(Outcome(claim=second, delivered=True, status=200))
    assert await states(pool) == {"delivered": 1}


async def test_two_who_claim_at_once_never_get_the_same(pool: Pool, account: int) -> None:
    for no in range(10):
        await endpoint(pool, account, f"https://h{no}.example.com/")
    await end(pool, *(film(account) for _ in range(4)))
    hands = [Deliveries(pool, boot()) for _ in range(4)]
    got: list[DeliveryClaim] = []
    for _ in range(50):
        for claims in await asyncio.gather(*(due(hand, 3) for hand in hands)):
            got += claims
    assert Counter(claim.id for claim in got).most_common(1)[0][1] == 1
    assert len(got) == 40


async def test_at_most_four_of_one_host_are_in_hand_however_many_claim(pool: Pool, account: int) -> None:
    await endpoint(pool, account, "https://slow.example.com/a")
    await endpoint(pool, account, "https://slow.example.com/b")
    await endpoint(pool, account, "https://quick.example.com/")
    await end(pool, *(film(account) for _ in range(30)))
    one, other = Deliveries(pool, boot()), Deliveries(pool, boot())
    claims = await due(one) + await due(other) + await due(one)
    assert Counter(claim.host for claim in claims) == {"slow.example.com": 4, "quick.example.com": 4}
    slow = next(claim for claim in claims if claim.host == "slow.example.com")
    await other.settle(Outcome(claim=slow, delivered=True))
    assert [claim.host for claim in await due(other)] == ["slow.example.com"]


async def test_thousands_that_wait_for_a_dead_host_hide_nobody_else(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    await endpoint(pool, account, "https://dead.example.com/")
    await end(pool, *(film(account) for _ in range(3000)))
    assert len(await due(deliveries, 4)) == 4
    await endpoint(pool, account, "https://zzz.example.com/")
    await end(pool, film(account))
    assert [claim.host for claim in await due(deliveries, 4)] == ["zzz.example.com"]


async def test_a_failed_try_is_noted_and_another_follows(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    await endpoint(pool, account)
    await end(pool, film(account))
    [claim] = await due(deliveries)
    failed = Outcome(
        claim=claim,
        delivered=False,
        wait=timedelta(hours=1),
        status=500,
        answer="oh",
        error="the answer was 500",
        duration=timedelta(milliseconds=12),
    )
    await deliveries.settle(failed)
    assert await due(deliveries) == []
    [[shown], more] = await DeliveryLog(pool).page(Wanted(account_id=account), 10)
    assert (more, shown.state, shown.tries, shown.ended_at) == (False, "due", 1, None)
    assert shown.next_at is not None
    assert abs((shown.next_at - datetime.now(UTC)) - timedelta(hours=1)) < timedelta(seconds=10)
    [tried] = shown.tried
    assert (tried.status, tried.duration_ms, tried.answer, tried.error) == (
        500,
        12,
        "oh",
        "the answer was 500",
    )


async def test_an_endpoint_knows_since_when_it_fails_and_that_it_is_well_again(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    made = await endpoint(pool, account)
    await end(pool, film(account), film(account), film(account))
    first, second, third = await due(deliveries)
    await deliveries.settle(Outcome(claim=first, delivered=False, wait=timedelta(hours=1)))
    failing = await Endpoints(pool).find(account, made.id)
    assert failing is not None
    assert failing.failing_since is not None
    await deliveries.settle(Outcome(claim=replace(second, endpoint=failing), delivered=True))
    well = await Endpoints(pool).find(account, made.id)
    assert well is not None
    assert well.failing_since is None
    await deliveries.settle(Outcome(claim=third, delivered=False, status=410, gone=True))
    gone = await Endpoints(pool).find(account, made.id)
    assert gone is not None
    assert (gone.disabled_at is not None, gone.disabled_reason) == (True, "the address answered 410")
    assert await states(pool) == {"due": 1, "delivered": 1, "given_up": 1}
    again = await Endpoints(pool).update(account, made.id, name=None, url=made.url, events=None)
    assert again is not None
    assert (again.disabled_at, again.updated_at) == (None, made.updated_at)


async def test_a_replay_keeps_id_and_bytes_and_begins_the_schedule_anew(
    pool: Pool, accounts: tuple[int, int], deliveries: Deliveries
) -> None:
    await endpoint(pool, accounts[0])
    await end(pool, film(accounts[0]))
    [claim] = await due(deliveries)
    log = DeliveryLog(pool)
    # What is in hand is being told just now.
    await log.replay(accounts[0], claim.id)
    assert await due(deliveries) == []
    await deliveries.settle(Outcome(claim=claim, delivered=False))
    assert await states(pool) == {"given_up": 1}
    await log.replay(accounts[1], claim.id)
    assert await states(pool) == {"given_up": 1}
    await log.replay(accounts[0], claim.id)
    [again] = await due(deliveries)
    assert (again.id, again.body, again.tries) == (claim.id, claim.body, 0)
    await deliveries.settle(Outcome(claim=again, delivered=True, status=204))
    shown = await log.find(None, claim.id)
    assert shown is not None
    assert [tried.status for tried in shown.tried] == [None, 204]
    assert await log.find(accounts[1], claim.id) is None


async def test_what_was_told_ten_times_within_an_hour_waits_for_its_replay_and_the_latest_tries_are_shown(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    await endpoint(pool, account)
    await end(pool, film(account))
    [claim] = await due(deliveries)
    await deliveries.settle(Outcome(claim=claim, delivered=True))
    log = DeliveryLog(pool)
    insert = "insert into delivery_tries (delivery_id, status, duration_ms, at) select $1, g, 1, now() - $2::interval "
    await pool.execute(insert + "from generate_series(1, 30) g", claim.id, timedelta(hours=2))
    await pool.execute(insert + "from generate_series(101, 109) g", claim.id, timedelta(minutes=20))
    assert await log.too_often(claim.id) is None
    await pool.execute(insert + "from generate_series(110, 110) g", claim.id, timedelta(minutes=10))
    wait = await log.too_often(claim.id)
    assert wait is not None
    assert timedelta(minutes=39) < wait <= timedelta(minutes=40)
    shown = await log.find(account, claim.id)
    assert shown is not None
    assert [tried.status for tried in shown.tried] == [*range(21, 31), *range(101, 111)]


async def test_the_log_is_read_page_by_page_and_by_state(
    pool: Pool, accounts: tuple[int, int], deliveries: Deliveries
) -> None:
    await endpoint(pool, accounts[0])
    await endpoint(pool, accounts[1], "https://x.example.com/")
    films = [film(accounts[0]) for _ in range(5)]
    for one in films:
        await end(pool, one)
    await end(pool, film(accounts[1]))
    [claim, *_] = await due(deliveries, 1)
    await deliveries.settle(Outcome(claim=claim, delivered=True))
    log = DeliveryLog(pool)
    first, more = await log.page(Wanted(account_id=accounts[0]), 3)
    rest, end_ = await log.page(Wanted(account_id=accounts[0], after=first[-1].id), 3)
    assert (more, end_) == (True, False)
    assert [one.task_id for one in (*first, *rest)] == [one.id for one in reversed(films)]
    done, _ = await log.page(Wanted(account_id=None, state="delivered"), 10)
    assert [one.id for one in done] == [claim.id]
    of_task, _ = await log.page(Wanted(account_id=accounts[0], task_id=films[2].id), 10)
    assert [one.task_id for one in of_task] == [films[2].id]


async def test_a_new_start_on_the_same_folder_goes_on_at_once(pool: Pool, account: int) -> None:
    await endpoint(pool, account)
    await end(pool, film(account))
    dead, next_, elsewhere = boot(), boot(), boot(9)
    for one in (dead, next_, elsewhere):
        await pool.execute(
            "insert into boots (id, folder, supervisor) values ($1, $2, $3)",
            one.id,
            one.folder,
            one.supervisor,
        )
    await due(Deliveries(pool, dead))
    other = Deliveries(pool, elsewhere)
    await other.begin()
    assert await due(other) == []
    again = Deliveries(pool, next_)
    await again.begin()
    assert len(await due(again)) == 1


async def test_what_is_over_for_a_month_is_forgotten(
    pool: Pool, account: int, deliveries: Deliveries
) -> None:
    made = await endpoint(pool, account)
    await end(pool, *(film(account) for _ in range(3)))
    old, young, _ = await due(deliveries)
    for one in (old, young):
        await deliveries.settle(Outcome(claim=one, delivered=True))
    await pool.execute(
        "update deliveries set created_at = now() - interval '31 days' where id <> $1", young.id
    )
    await Endpoints(pool).delete(account, made.id)
    await Upkeep(pool).forget_deliveries()
    assert await states(pool) == {"due": 1, "delivered": 1}
    assert await pool.fetchval("select count(*) from delivery_tries") == 1
    assert await pool.fetchval("select count(*) from endpoints") == 1
    await pool.execute("update endpoints set deleted_at = now() - interval '61 days'")
    await Upkeep(pool).forget_deliveries()
    assert await pool.fetchval("select count(*) from endpoints") == 0


async def test_an_account_has_twenty_endpoints_and_no_more_however_fast_they_come(
    pool: Pool, accounts: tuple[int, int]
) -> None:
    store = Endpoints(pool)
    new = [
        NewEndpoint(
            id=ids.uuid7(datetime.now(UTC), chance),
            account_id=accounts[0],
            name=str(no),
            url="https://a.example.com/",
            events=["video.failed"],
            secret=b"",
            hint="",
        )
        for no in range(24)
    ]
    made = await asyncio.gather(*(store.create(one, most=20) for one in new))
    assert sum(one is None for one in made) == 4
    page, more = await store.page(accounts[0], after=None, limit=20)
    assert (len(page), more) == (20, False)
    assert [one.id for one in page] == sorted((one.id for one in page), reverse=True)
    assert await store.page(accounts[1], after=None, limit=20) == ([], False)
