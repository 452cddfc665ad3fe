import asyncio
import json
import shutil
from dataclasses import replace
from datetime import timedelta

import av
import pytest

from filmgate.domain.contracts_provider import (
    ClipRequest,
    Done,
    Earlier,
    Failed,
    Frame,
    Pending,
    ProviderConfig,
    Ticket,
    Tools,
)
from filmgate.domain.faults import Broken
from filmgate.domain.rehearsal import Rehearsal
from filmgate.domain.request import PictureRole
from filmgate.domain.size import Size
from filmgate.media.renderers import Renderers
from filmgate.providers import build

KEY = "0190b0c4-1111-7000-8000-00000000000a.1.1"
CLIP = ClipRequest(model="animatic", prompt="a boat", size=Size(128, 96), seconds=1, sound=True, seed=3)
SOON = timedelta(seconds=0.25)


@pytest.fixture
def animatic(tools):
    return build(ProviderConfig(name="animatic", kind="animatic"), tools)


def kept(ticket):
    return Ticket(ticket.ref, json.loads(json.dumps(ticket.memory)))


async def end_of(provider, ticket):
    async with asyncio.timeout(30):
        while isinstance(answer := await provider.poll(kept(ticket)), Pending):  # noqa: ASYNC110  # as the engine does
            await asyncio.sleep(0.05)
    return answer


async def whole(chunks):
    return b"".join([chunk async for chunk in chunks])


async def test_a_submit_answers_at_once_and_remembers_all_that_a_redrawing_needs(animatic):
    assert await animatic.submit(CLIP, KEY) == Ticket(
        KEY,
        {
            "spec": {
                "prompt": "a boat",
                "seed": 3,
                "width": 128,
                "height": 96,
                "seconds": 1,
                "sound": True,
                "pictures": [],
            },
            "end": None,
            "not_before": None,
        },
        SOON,
    )


async def test_the_true_animatic_draws_what_was_asked(http, clock, tmp_path):
    renderers = Renderers(tmp_path / "films", 1)
    animatic = build(ProviderConfig(name="animatic", kind="animatic"), Tools(http, renderers, clock))
    ticket = await animatic.submit(replace(CLIP, size=Size(160, 128)), KEY)
    done = await end_of(animatic, ticket)
    assert isinstance(done, Done), done
    path = tmp_path / "film.mp4"
    path.write_bytes(await whole(animatic.fetch(done.result)))
    with av.open(str(path)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.width, picture.height, picture.frames, sound.codec.canonical_name) == (
            160,
            128,
            24,
            "aac",
        )


@pytest.mark.parametrize(
    ("rehearsal", "answer"),
    [
        (Rehearsal(fail=True), Failed("provider_failed", "rehearsed by --sandbox=fail")),
        (Rehearsal(filtered=True), Failed("content_refused", "rehearsed by --sandbox=filtered")),
        (Rehearsal(retry=True), Failed("provider_failed", "rehearsed by --sandbox=retry", again=True)),
    ],
)
async def test_a_rehearsed_end_comes_without_drawing(animatic, renderers, rehearsal, answer):
    ticket = await animatic.submit(replace(CLIP, rehearsal=rehearsal), KEY)
    assert await animatic.poll(kept(ticket)) == answer
    assert renderers.look(KEY) is None


async def test_a_rehearsed_retry_succeeds_at_the_second_attempt(animatic):
    ticket = await animatic.submit(replace(CLIP, rehearsal=Rehearsal(retry=True), attempt=2), KEY)
    assert isinstance(await end_of(animatic, ticket), Done)


async def test_a_slow_film_is_pending_until_its_time_has_come(animatic, clock):
    ticket = await animatic.submit(replace(CLIP, rehearsal=Rehearsal(slow_s=30)), KEY)
    clock.time += timedelta(seconds=29.9)
    assert await animatic.poll(kept(ticket)) == Pending(None, SOON)
    clock.time += timedelta(seconds=0.1)
    assert isinstance(await end_of(animatic, ticket), Done)


async def test_a_slow_film_may_fail_in_the_end(animatic, clock):
    ticket = await animatic.submit(replace(CLIP, rehearsal=Rehearsal(slow_s=30, fail=True)), KEY)
    assert await animatic.poll(kept(ticket)) == Pending(None, SOON)
    clock.time += timedelta(seconds=30)
    assert isinstance(await animatic.poll(kept(ticket)), Failed)


async def test_a_film_whose_process_died_is_drawn_by_the_next_with_the_picture_that_was_kept(
    animatic, tools, renderers, tmp_path
):
    request = replace(CLIP, frames=(Frame(PictureRole.FIRST, "image/png", b"picture"),))
    ticket = await animatic.submit(request, KEY)
    await renderers.close()
    assert renderers.look(KEY) is None
    assert await animatic.poll(kept(ticket)) == Pending(0, SOON, measured=True)
    assert isinstance(await end_of(animatic, ticket), Done)


async def test_a_film_whose_picture_is_gone_is_tried_again_by_another_attempt(animatic, renderers, tmp_path):
    request = replace(CLIP, frames=(Frame(PictureRole.FIRST, "image/png", b"picture"),))
    ticket = await animatic.submit(request, KEY)
    await renderers.close()
    shutil.rmtree(tmp_path / "films" / f"{KEY}.work")
    answer = await end_of(animatic, ticket)
    assert (type(answer), answer.code, answer.again) == (Failed, "provider_failed", True)


async def test_pictures_are_drawn_in_their_roles(animatic):
    roles = (PictureRole.FIRST, PictureRole.LAST)
    frames = tuple(Frame(role, "image/png", b"picture") for role in roles)
    ticket = await animatic.submit(replace(CLIP, frames=frames), KEY)
    assert ticket.memory["spec"]["pictures"] == [{"role": "first"}, {"role": "last"}]
    assert isinstance(await end_of(animatic, ticket), Done)


async def test_an_extension_goes_on_in_the_scene_that_it_knows_and_else_from_the_last_frame(animatic):
    earlier = Earlier(prompt="a boat", seconds=8.0, seed=7, ticket=Ticket("other"))
    ticket = await animatic.submit(replace(CLIP, prompt="a whale", extends=earlier), KEY)
    spec = ticket.memory["spec"]
    assert (spec["prompt"], spec["extend"], spec["start"], spec["seed"]) == ("a boat", "a whale", 8.0, 7)
    same = await animatic.submit(replace(CLIP, prompt="a boat", extends=earlier), KEY)
    assert same.memory["spec"]["extend"] is None
    frame = Frame(PictureRole.BEFORE, "image/png", b"picture")
    foreign = replace(earlier, ticket=None, last_frame=frame)
    ticket = await animatic.submit(replace(CLIP, extends=foreign), KEY)
    assert ticket.memory["spec"]["pictures"] == [{"role": "before"}]


async def test_a_remix_keeps_the_scene_and_the_seed_of_its_film(animatic):
    earlier = Earlier(prompt="a boat", seconds=8.0, seed=7, ticket=None)
    ticket = await animatic.submit(replace(CLIP, prompt="at night", seed=None, remixes=earlier), KEY)
    spec = ticket.memory["spec"]
    assert (spec["prompt"], spec["keep"], spec["seed"]) == ("at night", "a boat", 7)


async def test_a_softened_prompt_is_not_filtered_again(animatic):
    filtered = replace(CLIP, rehearsal=Rehearsal(filtered=True))
    assert isinstance(await end_of(animatic, await animatic.submit(filtered, KEY)), Failed)
    softer = replace(filtered, softened=True)
    assert isinstance(await end_of(animatic, await animatic.submit(softer, KEY)), Done)


async def test_what_the_program_cannot_draw_is_refused_in_its_words(animatic):
    ticket = await animatic.submit(replace(CLIP, seconds=26), KEY)
    assert await end_of(animatic, ticket) == Failed("request_refused", "seconds must be from 0.5 to 25.")


async def test_a_program_that_keeps_crashing_fails_the_attempt_and_not_the_film(animatic):
    ticket = await animatic.submit(replace(CLIP, prompt="crash"), KEY)
    answer = await end_of(animatic, ticket)
    assert (type(answer), answer.code, answer.again) == (Failed, "provider_failed", True)
    assert "ended with status 1" in answer.cause


async def test_a_film_that_is_gone_is_drawn_again_for_the_next_fetch(animatic, renderers):
    ticket = await animatic.submit(CLIP, KEY)
    done = await end_of(animatic, ticket)
    before = await whole(animatic.fetch(done.result))
    await renderers.forget(KEY)
    with pytest.raises(Broken, match="is being drawn again"):
        await whole(animatic.fetch(done.result))
    assert await end_of(animatic, ticket) == done
    assert await whole(animatic.fetch(done.result)) == before


async def test_tidying_leaves_nothing_of_the_film_and_may_be_repeated(animatic, tmp_path):
    ticket = await animatic.submit(CLIP, KEY)
    await end_of(animatic, ticket)
    await animatic.tidy(kept(ticket))
    await animatic.tidy(kept(ticket))
    assert list((tmp_path / "films").iterdir()) == []
