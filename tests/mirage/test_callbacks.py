import asyncio
import json

import openai
import pytest
from aiohttp import web

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@pytest.fixture
async def receiver():
    """A receiver that answers as it is told, and keeps what it got."""
    got: list[tuple[str, dict[str, str], bytes]] = []
    answers: list[int] = []

    async def take(request):
        got.append((request.raw_path, dict(request.headers), await request.read()))
        return web.Response(status=answers.pop(0) if answers else 204)

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", got, answers
    await runner.cleanup()


async def until(happened):
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110  # what comes is counted by others
            await asyncio.sleep(0.02)


def types(got):
    return [json.loads(body)["type"] for _, _, body in got]


async def test_the_end_of_a_job_is_posted_where_the_vendor_was_told_to(opened, clock, receiver):
    url, got, _ = receiver
    shop = await opened(callback=f"{url}/{{key}}/{{id}}")
    job, failed = await shop.job(key="t/1"), await shop.lying("fail", key="t2")
    assert got == []
    clock.time += 10
    await until(lambda: len(got) == 2)
    got.sort()
    assert [path for path, _, _ in got] == [f"/t%2F1/{job}", f"/t2/{failed}"]
    assert types(got) == ["video.completed", "video.failed"]
    event = json.loads(got[0][2])
    assert event == {
        "id": got[0][1]["webhook-id"],
        "object": "event",
        "created_at": int(clock.time),
        "type": "video.completed",
        "data": {"id": job},
    }
    await until(lambda: len(shop.events("called")) == 2)
    assert [row["status"] for row in shop.events("called")] == [204, 204]


async def test_a_submit_may_name_its_own_address(opened, receiver):
    url, got, _ = receiver
    shop = await opened(takes_s=0)
    await shop.job(callback_url=f"{url}/secret")
    await shop.job(metadata={"callback_url": f"{url}/meta"})
    await until(lambda: len(got) == 2)
    assert sorted(path for path, _, _ in got) == ["/meta", "/secret"]


async def test_callbacks_are_repeated_lost_and_early(opened, clock, receiver):
    url, got, _ = receiver
    shop = await opened(callback=url)
    for lie in ("callback-repeat:2", "callback-lost", "callback-early"):
        await shop.lying(lie)
    await until(lambda: len(got) == 1)
    clock.time += 10
    await until(lambda: len(got) == 5)
    await asyncio.sleep(0.1)
    assert (len(got), types(got)) == (5, ["video.completed"] * 5)
    assert len({headers["webhook-id"] for _, headers, _ in got}) == 3
    assert shop.lies() == ["callback-lost"]


async def test_a_callback_comes_late(opened, clock, receiver):
    url, got, _ = receiver
    shop = await opened(callback=url, takes_s=0)
    await shop.lying("callback-slow:60")
    await asyncio.sleep(0.1)
    assert got == []
    clock.time += 60
    await until(lambda: got)


async def test_a_callback_that_is_not_taken_comes_again(opened, clock, receiver):
    url, got, answers = receiver
    answers += [500, 302]
    shop = await opened(callback=url, takes_s=0)
    await shop.job()
    for count in (1, 2, 3):
        await until(lambda count=count: len(shop.events("called")) == count)
        clock.time += 30
    assert [row["status"] for row in shop.events("called")] == [500, 302, 204]
    assert len({headers["webhook-id"] for _, headers, _ in got}) == 1


async def test_the_official_client_verifies_what_is_signed(running, tmp_path, receiver):
    url, got, _ = receiver
    arguments = ("--data", str(tmp_path), "--fast", "--takes", "0", "--callback", url)
    async with running(*arguments, "--callback-secret", SECRET) as (shop, _):
        job = await shop.job()
        await until(lambda: got)
    client = openai.OpenAI(api_key="x", webhook_secret=SECRET)
    _, headers, body = got[0]
    event = client.webhooks.unwrap(body.decode(), headers)
    assert (event.type, event.data.to_dict()) == ("video.completed", {"id": job})
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body.decode() + " ", headers)


async def test_a_callback_that_a_kill_prevented_is_sent_by_the_next_life(running, tmp_path, receiver):
    url, got, _ = receiver
    arguments = ("--data", str(tmp_path), "--fast", "--takes", "0.3", "--callback", url)
    async with running(*arguments) as (shop, process):
        job = await shop.job()
        process.kill()
        await process.wait()
    async with running(*arguments):
        await until(lambda: got)
    assert [json.loads(body)["data"]["id"] for _, _, body in got] == [job]
