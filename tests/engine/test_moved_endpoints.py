"""Endpoints that move while something is to be told to them."""

import pytest
from aiohttp import web

from filmgate.domain.webhook import named
from filmgate.store.delivery_log import DeliveryLog
from kit.houses import House
from kit.receivers import Received, Receiver


async def test_what_is_replayed_goes_where_the_endpoint_is_now(house: House, receiver: Receiver) -> None:
    async def answer(got: Received) -> web.StreamResponse:
        return web.Response(status=200 if got.path == "/new" else 410)

    receiver.answer = answer
    made, _ = await house.endpoint(receiver.url("/old"))
    await house.end(house.film())
    house.start()
    [dead] = await house.over()
    name = named("whe", made.id)
    await house.subscriptions.update(house.owner, name, name=None, url=receiver.url("/new"), events=None)
    await DeliveryLog(house.pool).replay(house.owner.account_id, dead.id)
    [again] = await house.over()
    assert ([one.path for one in receiver.received], again.state) == (["/old", "/new"], "delivered")
    assert again.url == receiver.url("/new")
    assert (await house.subscriptions.find(house.owner, name)).disabled_at is None


async def test_what_was_not_told_yet_goes_where_the_endpoint_is_now(house: House, receiver: Receiver) -> None:
    made, _ = await house.endpoint(receiver.url("/old"))
    await house.end(house.film())
    to, name = receiver.url("/new"), named("whe", made.id)
    await house.subscriptions.update(house.owner, name, name=None, url=to, events=None)
    house.start()
    [told] = await house.over()
    assert ([one.path for one in receiver.received], told.url) == (["/new"], to)


@pytest.mark.parametrize("code", [410, 500])
async def test_what_an_address_answers_that_its_endpoint_has_left_gives_nothing_up(
    house: House, receiver: Receiver, code: int
) -> None:
    made, _ = await house.endpoint(receiver.url("/old"))
    name = named("whe", made.id)

    async def move(got: Received) -> web.StreamResponse:
        if got.path == "/new":
            return web.Response(status=200)
        await house.subscriptions.update(house.owner, name, name=None, url=receiver.url("/new"), events=None)
        return web.Response(status=code)

    receiver.answer = move
    await house.end(house.film())
    house.start(schedule=[])
    [told] = await house.over()
    assert ([one.path for one in receiver.received], told.state) == (["/old", "/new"], "delivered")
    assert house.telemetry.outcomes == ["retried", "delivered"]
    assert (await house.subscriptions.find(house.owner, name)).disabled_at is None


async def test_410_of_the_new_address_too_disables_the_endpoint(house: House, receiver: Receiver) -> None:
    made, _ = await house.endpoint(receiver.url("/old"))
    name = named("whe", made.id)

    async def move(got: Received) -> web.StreamResponse:
        if got.path == "/old":
            to = receiver.url("/new")
            await house.subscriptions.update(house.owner, name, name=None, url=to, events=None)
        return web.Response(status=410)

    receiver.answer = move
    await house.end(house.film())
    house.start()
    [dead] = await house.over()
    assert ([one.path for one in receiver.received], dead.state) == (["/old", "/new"], "given_up")
    gone = await house.subscriptions.find(house.owner, name)
    assert gone.disabled_reason == "the address answered 410"
