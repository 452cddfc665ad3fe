"""The lies of a vendor that runs as a process, as the provider tells them to the engine."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from filmgate.domain.contracts_provider import ClipRequest, Done, Frame, Pending, ProviderConfig
from filmgate.domain.faults import Busy, Refused, Uncertain, Vanished
from filmgate.domain.request import PictureRole
from filmgate.domain.size import Size
from filmgate.providers import build

CLIP = ClipRequest(model="sora-2", prompt="a boat", size=Size(128, 96), seconds=1, sound=True, seed=None)
_numbers = count(1)


def lying(lie):
    """Give a request that no other test makes, since some lies are told once for a prompt."""
    return replace(CLIP, prompt=f"boat {next(_numbers)} --mirage={lie}")


def new_key():
    return f"0a.1.{next(_numbers)}"


def provider_of(vendor, tools, **options):
    config = ProviderConfig(
        name="v", kind="openai", base_url=vendor.base_url, credential="sk-vendor", options=options
    )
    return build(config, tools)


@pytest.fixture
def provider(mirage, tools):
    return provider_of(mirage, tools)


@pytest.fixture
def replaying(replaying_mirage, tools):
    return provider_of(replaying_mirage, tools, idempotent=True)


async def done(provider, ticket, pause):
    while isinstance(answer := await provider.poll(ticket), Pending):
        await pause(0.05)
    assert isinstance(answer, Done), answer
    return answer.result


async def film(provider, result):
    return b"".join([chunk async for chunk in provider.fetch(result)])


@pytest.mark.parametrize("lie", ["lost-reply", "error-after-accept"])
async def test_a_job_whose_reply_was_lost_is_found_by_a_replay_and_drawn_once(
    lie, replaying, replaying_mirage, pause
):
    key, request = new_key(), lying(lie)
    with pytest.raises(Uncertain):
        await replaying.submit(request, key)
    ticket = await replaying.submit(request, key)
    assert len(await film(replaying, await done(replaying, ticket, pause))) > 1000
    events = replaying_mirage.events("accepted", "lied", "replayed", "drawn", "fetched")
    told = [(row["event"], row["job"], row["lie"]) for row in events if row["key"] == key]
    accepted, lied, *between, fetched = told
    assert (accepted, lied, fetched) == (
        ("accepted", ticket.ref, None), ("lied", ticket.ref, lie), ("fetched", ticket.ref, None),
    )  # fmt: skip
    # It may be drawn before or after it is asked for again.
    assert sorted(between) == [("drawn", ticket.ref, None), ("replayed", ticket.ref, None)]


async def test_a_vendor_without_replays_makes_a_second_job_of_a_second_submit(provider, mirage):
    key, request = new_key(), lying("lost-reply")
    for _ in range(2):
        with pytest.raises(Uncertain):
            await provider.submit(request, key)
    assert sum(row["key"] == key for row in mirage.events("accepted")) == 2


async def test_a_busy_vendor_has_made_nothing_and_takes_the_same_key_later(provider, mirage):
    key, request = new_key(), lying("busy")
    with pytest.raises(Busy) as caught:
        await provider.submit(request, key)
    assert caught.value.retry_after == timedelta(seconds=1)
    assert [row for row in mirage.events("accepted") if row["key"] == key] == []
    ticket = await provider.submit(request, key)
    assert [row["job"] for row in mirage.events("accepted") if row["key"] == key] == [ticket.ref]


async def test_a_refused_prompt_is_refused(provider, mirage):
    key = new_key()
    with pytest.raises(Refused, match="blocked by our moderation system"):
        await provider.submit(lying("refuse"), key)
    assert [row for row in mirage.events("accepted") if row["key"] == key] == []


async def test_a_status_that_goes_backwards_is_pending_all_the_way(provider, pause):
    ticket = await provider.submit(lying("backwards"), new_key())
    first, second = await provider.poll(ticket), await provider.poll(ticket)
    assert (first.progress, second.progress) == (80, 10)
    await done(provider, ticket, pause)


async def test_an_unknown_word_is_pending(provider, pause):
    ticket = await provider.submit(lying("odd-word"), new_key())
    assert isinstance(await provider.poll(ticket), Pending)
    await done(provider, ticket, pause)


async def test_a_job_that_never_ends_is_pending(provider, pause):
    ticket = await provider.submit(lying("never"), new_key())
    await pause(0.2)
    assert (await provider.poll(ticket)).progress == 50


async def test_a_job_that_vanishes_has_vanished(provider):
    ticket = await provider.submit(lying("vanish"), new_key())
    with pytest.raises(Vanished):
        await provider.poll(ticket)


async def test_an_html_page_and_half_a_film_come_once_and_then_the_film(provider, mirage, pause):
    ticket = await provider.submit(lying("html --mirage=truncated"), new_key())
    result = await done(provider, ticket, pause)
    page, half, whole = [await film(provider, result) for _ in range(3)]
    assert (page[:9], half, whole[4:8]) == (b"<!doctype", whole[: len(whole) // 2], b"ftyp")
    events = [row for row in mirage.events("lied", "fetched") if row["job"] == ticket.ref]
    assert [(row["event"], row["lie"]) for row in events] == [
        ("lied", "html"),
        ("lied", "truncated"),
        ("fetched", None),
    ]


async def test_a_first_frame_reaches_the_vendor(provider, mirage):
    request = replace(CLIP, frames=(Frame(PictureRole.FIRST, "image/png", b"picture"),))
    key = new_key()
    await provider.submit(request, key)
    [row] = [row for row in mirage.events("accepted") if row["key"] == key]
    assert row["order"]["picture"] is True
