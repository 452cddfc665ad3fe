import asyncio
import hashlib

import aiohttp
import pytest

VIDEO_KEYS = {
    "id",
    "object",
    "model",
    "status",
    "progress",
    "created_at",
    "completed_at",
    "expires_at",
    "prompt",
    "size",
    "seconds",
    "remixed_from_video_id",
    "error",
}


async def test_a_video_has_all_the_fields_of_the_api_in_both_forms_of_a_create(opened):
    shop = await opened()
    form = aiohttp.FormData({"prompt": "a boat", "size": "128x96", "seconds": "1", "model": "sora-2"})
    form.add_field("input_reference", b"png", filename="a.png", content_type="image/png")
    for status, video in (await shop.create(model="sora-2"), await shop.ask("POST", data=form)):
        assert (status, set(video), video["model"]) == (200, VIDEO_KEYS, "sora-2")
        assert (video["status"], video["progress"], video["seconds"], video["size"]) == (
            "queued",
            0,
            "1",
            "128x96",
        )
    assert [row["order"]["picture"] for row in shop.events("accepted")] == [False, True]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": ""}, "prompt must have 1 to 32000 characters"),
        ({"size": "big"}, "size must be such as 720x1280, not 'big'"),
        ({"seconds": "0"}, "seconds must be 1 to 60"),
        ({"seconds": "1.5"}, "seconds must be 1 to 60"),
        ({"prompt": "a --mirage=lunch"}, "'lunch' is no lie; there are: backwards, "),
    ],
)
async def test_what_cannot_be_made_is_refused_and_leaves_no_trace(opened, fields, message):
    shop = await opened()
    status, body = await shop.create(**{"prompt": "a", **fields})
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert body["error"]["message"].startswith(message)
    assert shop.events("accepted") == []


async def test_a_body_that_is_no_object_is_refused(opened):
    shop = await opened()
    assert (await shop.ask("POST", data=b"[1]"))[0] == 400


async def test_a_job_moves_with_time_and_is_completed_once_its_film_is_drawn(opened, clock):
    shop = await opened(fast=False)
    video = (await shop.create())[1]
    seen = []
    for later in (0.5, 4.5, 4.0):
        clock.time += later
        seen.append((await shop.ask("GET", f"/{video['id']}"))[1])
    assert [(row["status"], row["progress"]) for row in seen] == [
        ("queued", 5),
        ("in_progress", 50),
        ("in_progress", 90),
    ]
    clock.time += 1
    await shop.completed(video["id"])
    done = (await shop.ask("GET", f"/{video['id']}"))[1]
    assert (done["progress"], done["completed_at"], done["expires_at"]) == (100, 1_800_000_010, 1_800_003_610)


async def test_content_comes_when_it_is_completed_and_the_log_knows_its_bytes(opened, clock):
    shop = await opened(fast=False)
    job = await shop.job(key="k")
    assert (await shop.ask("GET", f"/{job}/content"))[0] == 404
    clock.time += 10
    await shop.completed(job)
    status, film = await shop.ask("GET", f"/{job}/content")
    assert (status, film[4:8], await shop.stand(job)) == (200, b"ftyp", ("completed", 100))
    [fetched] = shop.events("fetched")
    assert fetched == {
        "at": clock.time,
        "event": "fetched",
        "job": job,
        "key": "k",
        "prompt_sha256": hashlib.sha256(b"a boat").hexdigest(),
        "lie": None,
        "sha256": hashlib.sha256(film).hexdigest(),
        "size_bytes": len(film),
    }


async def test_one_key_is_one_job_also_when_its_submits_come_together(opened):
    shop = await opened(idempotent=True)
    answers = await asyncio.gather(*(shop.create(key="same") for _ in range(8)))
    assert len({video["id"] for _, video in answers}) == 1
    assert (len(shop.events("accepted")), len(shop.events("replayed"))) == (1, 7)


async def test_without_idempotency_every_submit_is_a_job(opened):
    shop = await opened()
    answers = [await shop.create(key="same") for _ in range(3)]
    assert len({video["id"] for _, video in answers}) == 3


async def test_no_key_is_no_key(opened):
    shop = await opened(idempotent=True)
    assert (await shop.create())[1]["id"] != (await shop.create())[1]["id"]


async def test_a_lie_of_the_settings_is_told_of_every_job(opened):
    shop = await opened(lies=["error-after-accept"])
    assert [(await shop.create())[0] for _ in range(2)] == [500, 500]
    assert len(shop.events("accepted")) == 2


@pytest.mark.parametrize(("lie", "code"), [("fail", "generation_failed"), ("filtered", "moderation_blocked")])
async def test_a_job_that_must_fail_is_never_drawn(opened, clock, lie, code):
    shop = await opened()
    job = (await shop.create(f"a --mirage={lie}"))[1]["id"]
    clock.time += 10
    video = (await shop.ask("GET", f"/{job}"))[1]
    assert (video["status"], video["error"]["code"]) == ("failed", code)
    assert shop.events("drawn") == []


async def test_a_slow_job_takes_its_own_time(opened, clock):
    shop = await opened()
    job = (await shop.create("a --mirage=slow:40"))[1]["id"]
    clock.time += 20
    assert (await shop.ask("GET", f"/{job}"))[1]["progress"] == 50


async def test_the_list_is_paged_and_what_was_deleted_is_gone(opened):
    shop = await opened()
    jobs = [(await shop.create(f"boat {no}"))[1]["id"] for no in range(3)]
    first = (await shop.ask("GET", "?limit=2"))[1]
    assert ([row["id"] for row in first["data"]], first["has_more"]) == ([jobs[2], jobs[1]], True)
    rest = (await shop.ask("GET", f"?limit=2&after={first['last_id']}"))[1]
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == ([jobs[0]], False)
    oldest = (await shop.ask("GET", "?order=asc&limit=x"))[1]
    assert oldest["first_id"] == jobs[0]
    assert (await shop.ask("DELETE", f"/{jobs[0]}"))[1]["deleted"] is True
    assert (await shop.ask("GET", f"/{jobs[0]}"))[0] == 404


async def test_a_vendor_with_a_key_lets_nobody_else_in(opened):
    shop = await opened(keys=frozenset({"sk-1"}))
    assert (await shop.create())[1]["error"]["code"] == "invalid_api_key"
    assert (await shop.ask("GET", headers={"authorization": "Bearer sk-1"}))[0] == 200
