"""What not every server of the OpenAI Videos API can do: be asked for a key, and stop what it makes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from filmgate.domain.contracts_provider import (
    Cancelled,
    Cancels,
    ClipRequest,
    Finds,
    NotStopped,
    Pending,
    ProviderConfig,
    Ticket,
)
from filmgate.domain.faults import Broken, Vanished
from filmgate.domain.size import Size
from filmgate.providers import build
from filmgate.providers.openai import OpenAIVideos
from providers.conftest import running_mirage

CLIP = ClipRequest(model="sora-2", prompt="a boat", size=Size(128, 96), seconds=1, sound=True, seed=None)


@pytest.fixture(scope="module")
async def asked_vendor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirage")
    async with running_mirage("--data", str(folder), "--takes", "0.1", "--lookup", "--fast") as vendor:
        yield vendor


def provider(tools, vendor, key="", **options) -> OpenAIVideos:
    config = ProviderConfig(
        name="v", kind="openai", base_url=vendor.base_url, credential=key, options=options
    )
    made = build(config, tools)
    assert isinstance(made, OpenAIVideos)
    return made


async def begun(one, lie, key):
    request = ClipRequest(
        model="sora-2", prompt=f"a boat --mirage={lie}", size=Size(128, 96), seconds=1, sound=True, seed=None
    )
    return await one.submit(request, key)


async def test_a_vendor_that_can_be_asked_knows_a_job_by_its_key(tools, asked_vendor):
    one = provider(tools, asked_vendor, find=True)
    assert isinstance(one, Finds)
    assert one.visible_after == timedelta(seconds=10)
    ticket = await begun(one, "slow:5", "key-1")
    found = await one.find("key-1")
    assert found is not None
    assert found.ref == ticket.ref
    assert await one.find("key-2") is None


async def test_a_vendor_whose_list_knows_no_keys_proves_nothing(tools, mirage):
    one = provider(tools, mirage, key="sk-vendor", find=True)
    await begun(one, "slow:5", "key-3")
    with pytest.raises(Broken, match="cannot be asked for a key"):
        await one.find("key-4")


def test_without_the_options_a_vendor_can_do_neither(tools, asked_vendor):
    one = provider(tools, asked_vendor)
    assert isinstance(one, Cancels)
    assert isinstance(one, Finds)
    assert (one.cancels, one.visible_after) == (False, None)


def test_a_negative_delay_fails_at_the_start(tools, asked_vendor):
    with pytest.raises(ValueError, match="visible_after_s of the provider v must be 0 or more"):
        provider(tools, asked_vendor, find=True, visible_after_s=-1)


@pytest.mark.parametrize(
    ("options", "known_for"),
    [
        ({}, None),
        ({"idempotent_for_s": 60}, None),
        ({"idempotent": True}, timedelta(hours=23)),
        ({"idempotent": True, "idempotent_for_s": 60}, timedelta(minutes=1)),
    ],
)
def test_a_vendor_knows_keys_for_less_than_a_day_unless_more_is_declared(
    tools, asked_vendor, options, known_for
):
    assert provider(tools, asked_vendor, **options).replays == known_for


def test_a_vendor_that_forgets_keys_at_once_fails_at_the_start(tools, asked_vendor):
    with pytest.raises(ValueError, match="idempotent_for_s of the provider v must be 1 or more"):
        provider(tools, asked_vendor, idempotent=True, idempotent_for_s=0)


async def test_a_running_job_is_stopped_and_says_so_again(tools, asked_vendor):
    one = provider(tools, asked_vendor, cancel=True)
    ticket = await begun(one, "slow:60", "key-5")
    assert await one.cancel(ticket) == Cancelled()
    assert await one.poll(ticket) == Cancelled()
    assert await one.cancel(ticket) == Cancelled()


async def test_a_job_that_is_stopped_later_is_pending_until_then(tools, asked_vendor):
    one = provider(tools, asked_vendor, cancel=True)
    ticket = await begun(one, "slow:60,slow-cancel:1", "key-6")
    assert isinstance(await one.cancel(ticket), Pending)
    answers = [await one.poll(ticket)]
    for _ in range(100):
        if answers[-1] == Cancelled():
            break
        await asyncio.sleep(0.1)
        answers.append(await one.poll(ticket))
    assert {type(answer) for answer in answers} == {Pending, Cancelled}


async def test_a_job_that_is_done_or_goes_on_all_the_same_is_not_stopped(tools, asked_vendor):
    one = provider(tools, asked_vendor, cancel=True)
    refused = await one.cancel(await begun(one, "slow:60,no-cancel", "key-7"))
    assert isinstance(refused, NotStopped)
    assert refused.text.startswith("400: ")
    done = await begun(one, "slow:0", "key-8")
    await asyncio.sleep(0.2)
    assert isinstance(await one.cancel(done), NotStopped)


@pytest.mark.parametrize(("lie", "fault"), [("error-cancel", Broken), ("lost-cancel", Broken)])
async def test_an_answer_that_is_none_is_a_failed_question(tools, asked_vendor, lie, fault):
    one = provider(tools, asked_vendor, cancel=True)
    ticket = await begun(one, f"slow:60,{lie}", f"key-{lie}")
    with pytest.raises(fault):
        await one.cancel(ticket)
    assert await one.cancel(ticket) == Cancelled()


async def test_a_job_that_nobody_knows_has_vanished(tools, asked_vendor):
    with pytest.raises(Vanished):
        await provider(tools, asked_vendor, cancel=True).cancel(Ticket("video_0"))


async def test_a_job_that_was_made_for_another_is_not_stopped(tools, asked_vendor):
    """Two attempts may be told of one job, through credentials of one account."""
    one = provider(tools, asked_vendor, cancel=True, find=True)
    another = await begun(one, "slow:60", "0a.1.1")
    with pytest.raises(Vanished):
        await one.cancel(replace(another, key="0b.1.1"))
    assert isinstance(await one.poll(another), Pending)


async def test_the_animatic_stops_at_once_and_leaves_nothing(tools, tmp_path):
    one = build(ProviderConfig(name="animatic", kind="animatic"), tools)
    assert isinstance(one, Cancels)
    ticket = await one.submit(CLIP, "0a.1.1")
    assert await one.cancel(ticket) == Cancelled()
    assert list((tmp_path / "films").iterdir()) == []
    assert await one.cancel(ticket) == Cancelled()
