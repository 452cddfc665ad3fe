"""Endpoints and their secrets, as their owners keep them."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import standardwebhooks
from aiohttp import web

from filmgate.domain.problems import Problem
from filmgate.domain.webhook import named
from filmgate.engine.subscribe import Keyring
from filmgate.seal import BrokenSealError, Seal
from filmgate.store.endpoints import Endpoint
from filmgate.web.mishaps import as_problem
from filmgate.world import SystemChance, SystemClock
from kit.houses import House
from kit.receivers import Received, Receiver


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/latest",
        "https://user@hooks.example.com/",
        "https://hooks.example.com:22/",
        "ftp://hooks.example.com/",
        "hooks.example.com",
    ],
)
async def test_an_address_that_may_not_be_dialled_is_refused_at_creation(house: House, url: str) -> None:
    with pytest.raises(Problem) as caught:
        await house.endpoint(url)
    assert (caught.value.code, caught.value.field) == ("webhook_denied", "url")


async def test_rotation_signs_with_both_secrets_for_a_day_and_with_one_afterwards(
    house: House, receiver: Receiver
) -> None:
    made, old = await house.endpoint(receiver.url())
    name = named("whe", made.id)
    _, new = await house.subscriptions.rotate(house.owner, name, keep_former=True)
    await house.end(house.film())
    house.start()
    [got] = await receiver.count(1)
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(got.body, dict(got.headers))
    await house.pool.execute("update endpoints set former_until = now() - interval '1 s'")
    await house.end(house.film())
    got = (await receiver.count(2))[1]
    standardwebhooks.Webhook(new).verify(got.body, dict(got.headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(old).verify(got.body, dict(got.headers))
    _, newest = await house.subscriptions.rotate(house.owner, name, keep_former=False)
    await house.end(house.film())
    got = (await receiver.count(3))[2]
    assert len(got.headers["webhook-signature"].split()) == 1
    standardwebhooks.Webhook(newest).verify(got.body, dict(got.headers))


async def test_a_deleted_endpoint_is_told_nothing_of_what_was_due(house: House, receiver: Receiver) -> None:
    made, _ = await house.endpoint(receiver.url())
    await house.end(house.film())
    await house.subscriptions.delete(house.owner, named("whe", made.id))
    house.start()
    [delivery] = await house.over()
    assert [one.error for one in delivery.tried] == ["the endpoint was deleted"]
    assert receiver.received == []


async def test_a_sealed_secret_opens_only_in_its_own_row_and_only_with_a_live_key(house: House) -> None:
    one, secret = await house.endpoint("https://hooks.example.com/")
    other, _ = await house.endpoint("https://hooks.example.com/")
    keyring, now = house.subscriptions.keyring, datetime.now(UTC)
    assert keyring.live(one, now) == [secret]
    assert secret.encode() not in one.secret
    await house.pool.execute("update endpoints set secret = $1 where id = $2", one.secret, other.id)
    swapped = await house.subscriptions.endpoints.find(house.owner.account_id, other.id)
    assert swapped is not None
    with pytest.raises(BrokenSealError):
        keyring.live(swapped, now)
    rotated = Keyring(
        keyring.endpoints, Seal([b"n" * 32, b"k" * 32], SystemChance()), SystemClock(), SystemChance()
    )
    assert rotated.live(one, now) == [secret]
    lost = Keyring(keyring.endpoints, Seal([b"n" * 32], SystemChance()), SystemClock(), SystemChance())
    with pytest.raises(BrokenSealError):
        lost.live(one, now)


async def test_a_test_event_says_which_status_was_answered(house: House, receiver: Receiver) -> None:
    made, secret = await house.endpoint(receiver.url())

    async def teapot(_: Received) -> web.StreamResponse:
        return web.Response(status=418)

    receiver.answer = teapot
    endpoint, event, answered = await house.subscriptions.test(
        house.owner, named("whe", made.id), "video.completed"
    )
    assert (endpoint.id, event, answered) == (made.id, "video.completed", 418)
    [got] = receiver.received
    told = standardwebhooks.Webhook(secret).verify(got.body, dict(got.headers))
    assert json.loads(got.body)["type"] == told["type"] == "video.completed"
    with pytest.raises(Problem) as caught:
        await house.subscriptions.test(house.owner, named("whe", made.id), "batch.completed")
    assert caught.value.field == "event_type"


async def test_at_most_four_tests_go_out_at_a_time_and_the_next_is_told_when(
    house: House, receiver: Receiver
) -> None:
    made = [(await house.endpoint(receiver.url(f"/{no}")))[0] for no in range(5)]
    still = asyncio.Event()

    async def hang(_: Received) -> web.StreamResponse:
        await still.wait()
        return web.Response()

    receiver.answer = hang

    async def tested(endpoint: Endpoint) -> Problem | int:
        try:
            found = await house.subscriptions.test(house.owner, named("whe", endpoint.id), "video.completed")
        except Problem as problem:
            return problem
        return found[2]

    four = [asyncio.create_task(tested(one)) for one in made[:4]]
    await receiver.count(4)
    [*more] = await asyncio.gather(*(tested(one) for one in (*made, *made)))
    assert {one.code for one in more if isinstance(one, Problem)} == {"too_many_tests"}
    assert all(isinstance(one, Problem) and 1 <= int(one.headers["retry-after"]) <= 30 for one in more)
    assert receiver.most_at_once == 4
    still.set()
    assert await asyncio.gather(*four) == [200] * 4
    await asyncio.sleep(1.1)
    assert await tested(made[4]) == 200


async def test_a_secret_of_another_key_is_called_unreadable_and_cured_by_rotation(house: House) -> None:
    subscriptions = house.subscriptions
    await subscriptions.callbacks(house.owner)
    other = replace(subscriptions.keyring, seal=Seal([b"n" * 32], SystemChance()))
    changed = replace(subscriptions, keyring=other)
    with pytest.raises(BrokenSealError) as caught:
        await changed.callbacks(house.owner)
    assert as_problem(caught.value, "1").code == "secret_unreadable"
    _, new = await changed.rotate_callbacks(house.owner, keep_former=True)
    endpoint, shown = await changed.callbacks(house.owner)
    assert shown == new
    assert other.live(endpoint, datetime.now(UTC)) == [new]
