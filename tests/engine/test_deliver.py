"""Delivering to receivers that answer, refuse, hang and vanish."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from aiohttp import web

from filmgate.domain import failpoint
from filmgate.domain.contracts_http import HttpReply
from filmgate.domain.limits import WEBHOOK_SCHEDULE
from filmgate.domain.states import State
from filmgate.domain.webhook import named
from filmgate.net.dial import GuardedDial
from filmgate.net.guard import Guard, GuardRules, allowed_pairs
from filmgate.net.post import GuardedPost
from filmgate.store.delivery_log import DeliveryLog, Wanted
from filmgate.world import SystemClock
from kit.houses import House, nobody
from kit.receivers import Received, Receiver, receiving


def status(*codes: int, **headers: str) -> Callable[[Received], Awaitable[web.StreamResponse]]:
    """Answer with one status after the other, with the last for ever."""
    left = list(codes)

    async def answer(_: Received) -> web.StreamResponse:
        code = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(
            status=code, text="said", headers={name.replace("_", "-"): v for name, v in headers.items()}
        )

    return answer


async def test_an_end_is_told_at_once_and_verifies(house: House, receiver: Receiver) -> None:
    _, secret = await house.endpoint(receiver.url("/hook?a=1"))
    made = house.film()
    await house.end(made)
    house.start()
    [got] = await receiver.count(1)
    told = standardwebhooks.Webhook(secret).verify(got.body, dict(got.headers))
    assert (told["type"], told["data"], got.path) == ("video.completed", {"id": made.name}, "/hook?a=1")
    [delivery] = await house.over()
    assert (got.id, delivery.state) == (named("wh", delivery.id), "delivered")
    assert [(one.status, one.answer, one.error) for one in delivery.tried] == [(200, "thanks", None)]
    assert house.telemetry.outcomes == ["delivered"]


async def test_what_is_announced_while_it_runs_comes_within_a_moment(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint(receiver.url())
    wake = asyncio.Event()
    house.start(wake=wake)
    await asyncio.sleep(0.3)
    took = []
    for no in range(5):
        began = asyncio.get_running_loop().time()
        await house.end(house.film())
        wake.set()
        await receiver.count(no + 1)
        took.append(asyncio.get_running_loop().time() - began)
    assert sorted(took)[2] < 0.5, took


async def test_a_failing_receiver_gets_the_same_id_and_bytes_until_it_answers(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = status(500, 302, 204, location="http://127.0.0.1:1/elsewhere")
    _, secret = await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start()
    [delivery] = await house.over()
    assert len({(one.id, one.body) for one in receiver.received}) == 1
    for one in receiver.received:
        standardwebhooks.Webhook(secret).verify(one.body, dict(one.headers))
    assert [(one.status, one.error) for one in delivery.tried] == [
        (500, "the answer was 500"),
        (302, "the answer was 302, and no redirect is followed"),
        (204, None),
    ]
    assert [one.path for one in receiver.received] == ["/hook"] * 3


async def test_after_the_last_try_it_is_a_dead_letter_that_can_be_replayed(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = status(503)
    made, _ = await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start()
    [dead] = await house.over()
    assert (dead.state, dead.tries, len(dead.tried)) == ("given_up", 4, 4)
    failing = await house.subscriptions.find(house.owner, named("whe", made.id))
    assert (failing.failing_since is not None, failing.disabled_at) == (True, None)
    assert house.telemetry.outcomes == ["retried", "retried", "retried", "given_up"]
    receiver.answer = status(200)
    await DeliveryLog(house.pool).replay(house.owner.account_id, dead.id)
    await receiver.count(5)
    [done] = await house.over()
    assert (done.state, done.tries, len(done.tried)) == ("delivered", 1, 5)
    assert len({(one.id, one.body) for one in receiver.received}) == 1


async def test_410_disables_the_endpoint_and_nothing_more_is_sent(house: House, receiver: Receiver) -> None:
    receiver.answer = status(410)
    made, _ = await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start()
    await house.over()
    await house.end(house.film())
    gone = await house.subscriptions.find(house.owner, named("whe", made.id))
    assert gone.disabled_reason == "the address answered 410"
    assert len(await house.over()) == 1
    assert len(receiver.received) == 1
    assert "endpoint.disabled" in [event for event, _ in house.telemetry.events]


async def test_410_of_a_callback_ends_that_callback_alone(house: House, receiver: Receiver) -> None:
    receiver.answer = status(410)
    await house.end(house.film(callback_url=receiver.url()), house.film(callback_url=receiver.url()))
    house.start()
    assert [one.state for one in await house.over(2)] == ["given_up"] * 2
    assert len(receiver.received) == 2


async def test_a_callback_is_signed_with_the_secret_of_the_account(house: House, receiver: Receiver) -> None:
    await house.end(house.film(callback_url=receiver.url("/c")), state=State.EXPIRED)
    house.start()
    [got] = await receiver.count(1)
    _, secret = await house.subscriptions.callbacks(house.owner)
    told = standardwebhooks.Webhook(secret).verify(got.body, dict(got.headers))
    assert told["type"] == "video.failed"


async def test_retry_after_puts_the_next_try_off(house: House, receiver: Receiver) -> None:
    receiver.answer = status(429, retry_after="200")
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start(schedule=WEBHOOK_SCHEDULE)
    await receiver.count(1)
    await asyncio.sleep(0.3)
    [[delivery], _] = await DeliveryLog(house.pool).page(Wanted(account_id=None), 10)
    assert delivery.next_at is not None
    assert timedelta(seconds=195) < delivery.next_at - datetime.now(UTC) < timedelta(seconds=205)


async def hang(_: Received) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def test_a_receiver_that_hangs_delays_nobody_else_and_gets_four_at_a_time(
    house: House, receiver: Receiver
) -> None:
    async with receiving() as quick:
        receiver.answer = hang
        rules = GuardRules(allow=allowed_pairs(f"{receiver.origin},hooks.example.org:{quick.port}"))
        post = GuardedPost(GuardedDial(Guard(rules, nobody)))
        slow_ones = [house.film(callback_url=receiver.url(f"/{no}")) for no in range(12)]
        quick_one = house.film(callback_url=f"http://hooks.example.org:{quick.port}/")
        await house.end(*slow_ones, quick_one)
        house.start(post=post, timeout_s=1.0)
        house.start(post=post, timeout_s=1.0)
        await quick.count(1, within_s=1.5)
        await receiver.count(9)
        assert receiver.most_at_once <= 4
    tried = [one for delivery in await house.over(1) for one in delivery.tried if one.status is None]
    assert {one.error for one in tried} == {"no answer came in time"}


async def test_of_a_huge_answer_only_the_beginning_is_kept(house: House, receiver: Receiver) -> None:
    async def huge(_: Received) -> web.StreamResponse:
        return web.Response(text="x" * 5_000_000)

    receiver.answer = huge
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start()
    [delivery] = await house.over()
    assert [(one.status, one.answer) for one in delivery.tried] == [(200, "x" * 1024)]


async def test_an_answer_that_drips_for_ever_counts_by_its_status(house: House, receiver: Receiver) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=202)
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    receiver.pour = drip
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start(timeout_s=1.0)
    [delivery] = await house.over()
    [tried] = delivery.tried
    assert (delivery.state, tried.status, tried.duration_ms < 3000) == ("delivered", 202, True)
    assert set(tried.answer or "") == {"."}


async def test_an_answer_of_any_bytes_can_be_kept(house: House, receiver: Receiver) -> None:
    async def odd(_: Received) -> web.StreamResponse:
        return web.Response(body=b"\x00\xff\xfe{}", status=500)

    receiver.answer = odd
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start(schedule=())
    [delivery] = await house.over()
    assert delivery.tried[0].answer == "���{}"


async def test_a_name_that_leads_inside_is_denied_when_it_is_dialled(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint("https://hooks.example.org/")
    await house.end(house.film())
    house.start(schedule=())
    [delivery] = await house.over()
    assert [(one.status, one.error) for one in delivery.tried] == [(None, "the address is not allowed")]
    assert receiver.received == []
    reasons = [fields["reason"] for event, fields in house.telemetry.events if event == "delivery.unanswered"]
    assert "127.0.0.1" in str(reasons)


async def test_a_redirect_to_a_private_address_is_not_followed(house: House, receiver: Receiver) -> None:
    async with receiving() as inside:
        receiver.answer = status(307, location=inside.url())
        await house.endpoint(receiver.url())
        await house.end(house.film())
        house.start(schedule=())
        [delivery] = await house.over()
        assert (delivery.state, inside.received) == ("given_up", [])


async def test_two_deliverers_never_send_one_delivery_twice(house: House, receiver: Receiver) -> None:
    await house.endpoint(receiver.url())
    await house.end(*(house.film() for _ in range(60)))
    house.start()
    house.start()
    await house.over(60)
    ids_ = [one.id for one in receiver.received]
    assert (len(ids_), len(set(ids_))) == (60, 60)
    assert receiver.most_at_once <= 4


async def test_a_deliverer_that_woke_too_late_sends_nothing(house: House, receiver: Receiver) -> None:
    class Late(SystemClock):
        def __init__(self) -> None:
            self.asked = 0

        def monotonic(self) -> float:
            self.asked += 1
            return super().monotonic() + (self.asked > 1) * 20

    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start(clock=Late())
    await asyncio.wait_for(house.telemetry.late.wait(), 5)
    assert receiver.received == []


async def test_a_death_after_the_post_delivers_again_with_the_same_id_and_bytes(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint(receiver.url())
    await house.end(house.film())
    died = asyncio.Event()

    async def die(name: str) -> None:
        if name == "deliver.after_post" and not died.is_set():
            died.set()
            raise RuntimeError(name)

    failpoint.arm(die)
    try:
        house.start()
        await asyncio.wait_for(died.wait(), 10)
        # As its lease does by itself, half a minute later.
        await house.pool.execute("update deliveries set due_at = now()")
        [delivery] = await house.over()
    finally:
        failpoint.disarm()
    assert [one.status for one in delivery.tried] == [200]
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)


async def test_a_database_that_goes_away_for_a_moment_loses_nothing(house: House, receiver: Receiver) -> None:
    await house.endpoint(receiver.url())
    house.start()
    await house.end(*(house.film() for _ in range(20)))
    await receiver.count(3)
    await house.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await house.pool.execute(
        "update deliveries set due_at = now() where state = 'due' and tries = 0 and lease_by is not null"
    )
    found = await house.over(20)
    assert {one.state for one in found} == {"delivered"}
    assert len({one.id for one in receiver.received}) == 20


class Breaking(GuardedPost):
    """A way out that meets a bug with each address."""

    async def post(self, url: str, **_: object) -> HttpReply:
        raise OverflowError(url)


@pytest.mark.parametrize("absurd", ["1 Jan 2000 00:00:00 +99999999999999", "9" * 40])
async def test_a_receiver_that_asks_for_an_absurd_wait_has_failed_like_any_other(
    house: House, receiver: Receiver, absurd: str
) -> None:
    receiver.answer = status(503, retry_after=absurd)
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start()
    [dead] = await house.over()
    assert (dead.state, dead.tries) == ("given_up", 4)


async def test_a_delivery_that_meets_a_bug_is_tried_as_often_as_any_other_and_operators_see_it(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint(receiver.url())
    await house.end(house.film())
    house.start(post=Breaking(GuardedDial(house.subscriptions.guard)))
    [dead] = await house.over()
    assert (dead.state, dead.tries) == ("given_up", 4)
    assert {one.error for one in dead.tried} == {"it could not be sent"}
    assert [event for event, _ in house.telemetry.events].count("delivery.broken") == 4
