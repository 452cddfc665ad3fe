"""Receivers that are down for days: told by the schedule, then no more, and told again once their owner says so."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from filmgate.domain.limits import ENDPOINT_PATIENCE, WEBHOOK_SCHEDULE, WEBHOOKS_IN_HAND
from filmgate.domain.webhook import named
from filmgate.net.dial import GuardedDial
from filmgate.net.guard import Guard, GuardRules, allowed_pairs
from filmgate.net.post import GuardedPost
from filmgate.store.delivery_log import Delivery, DeliveryLog, Wanted
from filmgate.store.endpoints import Endpoint
from filmgate.store.keys import Keys
from filmgate.store.notices import Notices
from kit.houses import House, nobody
from kit.receivers import Received, Receiver, receiving, thanks


async def broken(_: Received) -> web.StreamResponse:
    return web.Response(status=500)


async def hang(_: Received) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def deliveries(house: House) -> list[Delivery]:
    found, _ = await DeliveryLog(house.pool).page(Wanted(account_id=None), 100)
    return list(found)


async def shown(house: House, made: Endpoint) -> Endpoint:
    return await house.subscriptions.find(house.owner, named("whe", made.id))


async def notices(house: House) -> list[tuple[str, str]]:
    return [
        (row["kind"], row["text"])
        for row in await house.pool.fetch("select kind, text from notices order by id")
    ]


async def pass_time(house: House, span: timedelta) -> None:
    """Let everything have happened that much earlier."""
    moved = "update deliveries set created_at = created_at - $1::interval, due_at = due_at - $1::interval"
    await house.pool.execute(moved, span)
    await house.pool.execute("update endpoints set failing_since = failing_since - $1::interval", span)
    await house.pool.execute("update notices set at = at - $1::interval", span)


async def tried(house: House, tries: int) -> list[Delivery]:
    """Wait until each delivery has been tried that often since it was made or replayed."""
    return await until(house, lambda one: one.tries >= tries or one.state != "due")


async def until(house: House, well: Callable[[Delivery], bool]) -> list[Delivery]:
    async with asyncio.timeout(20):
        while True:
            found = await deliveries(house)
            if all(map(well, found)):
                return found
            await asyncio.sleep(0.02)


async def down_for_days(house: House, receiver: Receiver) -> timedelta:
    """Let every try of the schedule fail, one after the other; give how long that took."""
    receiver.answer = broken
    gone = timedelta()
    for no in range(len(WEBHOOK_SCHEDULE)):
        found = await tried(house, no + 1)
        waits = [one.next_at - datetime.now(UTC) for one in found if one.next_at]
        assert len(waits) == len(found), no
        assert max(waits) <= WEBHOOK_SCHEDULE[no] * 1.11
        await pass_time(house, max(waits))
        gone += max(waits)
    await tried(house, len(WEBHOOK_SCHEDULE) + 1)
    return gone


async def test_after_eighty_hours_of_silence_all_is_kept_and_told_again_when_its_owner_says_so(
    house: House, receiver: Receiver
) -> None:
    made, _ = await house.endpoint(receiver.url())
    films = [house.film() for _ in range(3)]
    await house.end(*films)
    house.start(schedule=WEBHOOK_SCHEDULE)
    gone = await down_for_days(house, receiver)
    assert timedelta(hours=67) < gone < timedelta(hours=85)
    assert {(one.state, one.tries) for one in await deliveries(house)} == {("given_up", 10)}
    assert len(receiver.received) == 30
    assert len({(one.id, one.body) for one in receiver.received}) == 3
    # It is told no more, and says since when and why; what ends meanwhile waits for nobody.
    dead = await shown(house, made)
    assert dead.disabled_at is not None
    assert dead.failing_since is not None
    since = f"{dead.failing_since:%Y-%m-%d %H:%M} UTC"
    assert dead.disabled_reason == f"nothing was delivered to it since {since}"
    await house.end(house.film())
    assert len(await deliveries(house)) == 3
    said = await notices(house)
    assert [kind for kind, _ in said] == ["webhook_disabled", "webhook_dead_letter"]
    assert f"account x, endpoint n is told no more: nothing was delivered to it since {since}" in said[0][1]
    # Each notice is told by one engine, once.
    assert [one.kind for one in await Notices(house.pool).take()] == [
        "webhook_disabled",
        "webhook_dead_letter",
    ]
    assert await Notices(house.pool).take() == []
    # It is back.
    receiver.answer = thanks
    back = await house.subscriptions.update(
        house.owner, named("whe", made.id), name=None, url=None, events=None, enabled=True
    )
    assert (back.disabled_at, back.disabled_reason, back.failing_since) == (None, None, None)
    for one in await deliveries(house):
        await DeliveryLog(house.pool).replay(house.owner.account_id, one.id)
    await house.end(house.film())
    await until(house, lambda one: one.state == "delivered")
    assert len({(one.id, one.body) for one in receiver.received}) == 4


async def test_an_endpoint_that_took_something_lately_is_not_given_up_with_one_delivery(
    house: House, receiver: Receiver
) -> None:
    made, _ = await house.endpoint(receiver.url())
    receiver.answer = broken
    await house.end(house.film())
    house.start()
    await house.over(1)
    assert (await shown(house, made)).disabled_at is None
    assert [kind for kind, _ in await notices(house)] == ["webhook_dead_letter"]
    # More of the same is no news, until it was well in between.
    await house.end(house.film())
    await house.over(2)
    assert len(await notices(house)) == 1
    receiver.answer = thanks
    await house.end(house.film())
    await house.over(3)
    assert (await shown(house, made)).failing_since is None
    receiver.answer = broken
    await house.end(house.film())
    await house.over(4)
    assert [kind for kind, _ in await notices(house)] == ["webhook_dead_letter"] * 2


async def test_callbacks_that_requests_name_are_never_disabled_and_are_told_of_once_a_day(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = broken
    await house.end(*(house.film(callback_url=receiver.url(f"/{no}")) for no in range(3)))
    house.start()
    await house.over(3)
    [(kind, text)] = await notices(house)
    assert (kind, text.split(";")[0]) == (
        "webhook_dead_letter",
        "account x, a callback that a request named was given up",
    )
    await pass_time(house, ENDPOINT_PATIENCE)
    await house.end(house.film(callback_url=receiver.url("/more")))
    await house.over(4)
    assert [kind for kind, _ in await notices(house)] == ["webhook_dead_letter"] * 2
    row = await house.pool.fetchrow("select disabled_at, failing_since from endpoints where callback")
    assert dict(row or {}) == {"disabled_at": None, "failing_since": None}


async def test_its_owner_switches_an_endpoint_off_and_on(house: House, receiver: Receiver) -> None:
    made, _ = await house.endpoint(receiver.url())
    change: dict[str, Any] = {"name": None, "url": None, "events": None}
    off = await house.subscriptions.update(house.owner, named("whe", made.id), **change, enabled=False)
    assert off.disabled_reason == "its owner switched it off"
    await house.end(house.film())
    assert await deliveries(house) == []
    on = await house.subscriptions.update(house.owner, named("whe", made.id), **change, enabled=True)
    assert on.disabled_at is None
    await house.end(house.film())
    assert len(await deliveries(house)) == 1


async def test_beside_a_receiver_that_hangs_a_good_one_is_told_within_a_moment_a_hundred_times(
    house: House, receiver: Receiver
) -> None:
    async with receiving() as quick:
        receiver.answer = hang
        rules = GuardRules(allow=allowed_pairs(f"{receiver.origin},hooks.example.org:{quick.port}"))
        wake = asyncio.Event()
        house.start(post=GuardedPost(GuardedDial(Guard(rules, nobody))), wake=wake, timeout_s=2.0)
        loop, took = asyncio.get_running_loop(), []
        for no in range(100):
            slow = house.film(callback_url=receiver.url(f"/{no}"))
            good = house.film(callback_url=f"http://hooks.example.org:{quick.port}/{no}")
            began = loop.time()
            await house.end(slow, good)
            wake.set()
            await quick.count(no + 1)
            took.append(loop.time() - began)
        assert receiver.most_at_once == 4
        took.sort()
        assert took[50] < 0.5, took
        assert took[98] < 1.5, took  # Who waits for one that hangs takes 2 s.


async def test_one_customer_with_a_hundred_hosts_that_hang_delays_nobody_elses_webhook(
    house: House, receiver: Receiver
) -> None:
    async def everybody(host: str) -> Sequence[str]:
        del host
        return ["127.0.0.1"]

    still = asyncio.Event()

    async def wait(_: Received) -> web.StreamResponse:
        await still.wait()
        return web.Response()

    async with receiving() as quick:
        receiver.answer = wait
        hosts = [f"h{no}.example.org:{receiver.port}" for no in range(100)]
        rules = GuardRules(allow=allowed_pairs(",".join([*hosts, quick.origin])))
        wake = asyncio.Event()
        house.start(post=GuardedPost(GuardedDial(Guard(rules, everybody))), wake=wake, timeout_s=8.0)
        await house.end(
            *(house.film(callback_url=f"http://{host}/{no}") for no in range(3) for host in hosts)
        )
        wake.set()
        await receiver.count(WEBHOOKS_IN_HAND // 2)
        keys = Keys(house.pool, [b"pepper"])
        await keys.create("sk-y", name="y", account="y")
        other = await keys.owner("sk-y")
        assert other is not None
        await house.end(replace(house.film(callback_url=quick.url("/quick")), account_id=other.account_id))
        wake.set()
        await quick.count(1, within_s=5.0)
        assert receiver.most_at_once == WEBHOOKS_IN_HAND // 2
        still.set()
