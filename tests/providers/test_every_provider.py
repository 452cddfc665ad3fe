"""What every provider must keep of the contract, whatever its wire format."""

import asyncio
import json
from dataclasses import dataclass, replace
from itertools import count
from uuid import UUID

import av
import pytest

from filmgate.domain.contracts_provider import (
    ClipRequest,
    Done,
    Failed,
    Pending,
    Provider,
    ProviderConfig,
    Ticket,
)
from filmgate.domain.faults import Broken
from filmgate.domain.rehearsal import Rehearsal
from filmgate.domain.size import Size
from filmgate.providers import KINDS, build

_numbers = count(1)


def new_key():
    return f"{UUID(int=next(_numbers))}.1.1"


@dataclass
class Stage:
    """A provider, how to ask it for each end, and how many films were begun for it since the test started."""

    provider: Provider
    ends: dict[str, ClipRequest]
    unknown: dict[str, object]
    begun: object

    def request(self, end="film"):
        return self.ends[end]


CLIP = ClipRequest(model="sora-2", prompt="a boat", size=Size(128, 96), seconds=1, sound=True, seed=None)


@pytest.fixture
def animatic_stage(tools, tmp_path):
    ends = {
        "film": CLIP,
        "fail": replace(CLIP, rehearsal=Rehearsal(fail=True)),
        "filtered": replace(CLIP, rehearsal=Rehearsal(filtered=True)),
    }
    unknown = {"key": new_key(), "spec": {"prompt": "a", "width": 128, "height": 96, "seconds": 1}}
    provider = build(ProviderConfig(name="animatic", kind="animatic"), tools)
    # While a film is put in its place, the folder that it was drawn in may still be there.
    return Stage(provider, ends, unknown, lambda: len({one.stem for one in (tmp_path / "films").iterdir()}))


def openai_stage(tools, vendor, **config):
    ends = {end: replace(CLIP, prompt=f"a boat --mirage={end}") for end in ("fail", "filtered")} | {
        "film": CLIP
    }
    begun = len(vendor.events("accepted"))
    provider = build(
        ProviderConfig(
            name="vendor", kind="openai", base_url=vendor.base_url, credential="sk-vendor", **config
        ),
        tools,
    )
    return Stage(provider, ends, {"id": "video_0"}, lambda: len(vendor.events("accepted")) - begun)


@pytest.fixture(params=[*KINDS, "openai-idempotent"])
def stage(request, tools):
    match request.param:
        case "animatic":
            return request.getfixturevalue("animatic_stage")
        case "openai":
            return openai_stage(tools, request.getfixturevalue("mirage"))
        case "openai-idempotent":
            vendor = request.getfixturevalue("replaying_mirage")
            return openai_stage(tools, vendor, options={"idempotent": True})
    pytest.fail(f"the suite does not know how to stage {request.param}")


def kept(ticket):
    """Give a ticket as it comes back from the store."""
    return Ticket(ticket.ref, json.loads(json.dumps(ticket.memory)), key=ticket.key)


async def end_of(provider, ticket):
    async with asyncio.timeout(15):
        while isinstance(answer := await provider.poll(kept(ticket)), Pending):
            assert answer.progress is None or 0 <= answer.progress <= 99
            await asyncio.sleep(0.05)
    return answer


async def fetched(provider, result):
    return b"".join([chunk async for chunk in provider.fetch(json.loads(json.dumps(result)))])


async def test_a_clip_goes_from_its_request_to_a_film_that_plays(stage, tmp_path):
    ticket = await stage.provider.submit(stage.request(), new_key())
    done = await end_of(stage.provider, ticket)
    assert isinstance(done, Done)
    path = tmp_path / "film.mp4"
    path.write_bytes(await fetched(stage.provider, done.result))
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, sum(1 for _ in film.decode(stream))) == (128, 96, 24)


async def test_done_is_said_again_and_the_film_is_given_again(stage):
    ticket = await stage.provider.submit(stage.request(), new_key())
    done = await end_of(stage.provider, ticket)
    assert await stage.provider.poll(kept(ticket)) == done
    assert await fetched(stage.provider, done.result) == await fetched(stage.provider, done.result)


async def test_a_key_that_was_seen_begins_no_second_film_where_a_provider_says_that_it_replays(stage):
    key = new_key()
    first = await stage.provider.submit(stage.request(), key)
    second = await stage.provider.submit(stage.request(), key)
    await end_of(stage.provider, first)
    assert (first.ref == second.ref, stage.begun()) == ((True, 1) if stage.provider.replays else (False, 2))


async def test_another_key_is_another_film(stage):
    first = await stage.provider.submit(stage.request(), new_key())
    second = await stage.provider.submit(stage.request(), new_key())
    assert first.ref != second.ref


async def test_a_filtered_film_is_the_customers_matter_and_is_not_tried_again(stage):
    ticket = await stage.provider.submit(stage.request("filtered"), new_key())
    answer = await end_of(stage.provider, ticket)
    assert (type(answer), answer.code, answer.again) == (Failed, "content_refused", False)
    assert answer.text


async def test_a_failed_film_is_the_providers_matter(stage):
    ticket = await stage.provider.submit(stage.request("fail"), new_key())
    answer = await end_of(stage.provider, ticket)
    assert (type(answer), answer.code) == (Failed, "provider_failed")
    assert answer.text


async def test_a_film_that_is_not_there_is_broken_and_not_empty(stage):
    with pytest.raises(Broken):
        await fetched(stage.provider, stage.unknown)


@pytest.mark.parametrize("kind", KINDS)
def test_an_option_that_a_kind_does_not_have_fails_at_the_start(kind, tools):
    config = ProviderConfig(name="p", kind=kind, base_url="http://localhost", options={"idempotnt": True})
    known = "cancel, find, idempotent, idempotent_for_s, visible_after_s"
    with pytest.raises(
        ValueError, match=f"the provider p has no option 'idempotnt'; there are: (none|{known})"
    ):
        build(config, tools)


def test_an_unknown_kind_is_refused_with_those_that_there_are(tools):
    with pytest.raises(ValueError, match="the provider p is of the kind 'sora'; there are: animatic, openai"):
        build(ProviderConfig(name="p", kind="sora"), tools)
