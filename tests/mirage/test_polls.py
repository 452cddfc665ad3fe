import asyncio
import json

import pytest


async def test_a_job_is_lost_for_ever_or_for_a_while(opened, clock):
    shop = await opened()
    gone, away = await shop.lying("vanish"), await shop.lying("missing:60")
    assert [(await shop.poll(job))[0] for job in (gone, away)] == [404, 404]
    clock.time += 60
    assert [(await shop.poll(job))[0] for job in (gone, away)] == [404, 200]
    assert (shop.lies(gone), shop.lies(away)) == (["vanish"], ["missing"])


async def test_a_key_is_refused_for_a_while_in_polls_and_fetches(opened, clock):
    shop = await opened(takes_s=1)
    job = await shop.lying("unauthorized:60")
    clock.time += 30
    assert [(await shop.ask("GET", f"/{job}{path}"))[0] for path in ("", "/content")] == [401, 401]
    clock.time += 30
    assert [(await shop.ask("GET", f"/{job}{path}"))[0] for path in ("", "/content")] == [200, 200]


@pytest.mark.parametrize(
    ("lie", "status", "shape"),
    [
        ("error-poll", 500, {"error"}),
        ("busy-poll", 429, {"error"}),
        ("busy-poll-bare", 429, {"error"}),
        ("unavailable-poll", 503, {"error"}),
        ("error-in-200", 200, {"error"}),
        ("html-poll", 200, b"<!doctype"),
        ("empty-poll", 200, b""),
    ],
)
async def test_a_poll_fails_as_often_as_it_says(opened, lie, status, shape):
    shop = await opened()
    job = await shop.lying(f"{lie}:2")
    for _ in range(2):
        said, body = await shop.poll(job)
        assert (said, set(body) if isinstance(body, dict) else body[:9]) == (status, shape)
    assert (await shop.poll(job))[1]["id"] == job
    assert shop.lies(job) == [lie, lie]


async def test_a_poll_is_cut_or_is_half_or_is_huge(opened):
    shop = await opened()
    job = await shop.lying("lost-poll,half-poll,huge-poll")
    # By hand, since a client may repeat by itself what was cut.
    assert await shop.raw("GET", f"/{job}") == b""
    _, _, half = await shop.answer("GET", f"/{job}")
    with pytest.raises(json.JSONDecodeError):
        json.loads(half)
    _, _, huge = await shop.answer("GET", f"/{job}")
    assert len(huge) > 4 * 1024 * 1024
    assert (await shop.poll(job))[1]["id"] == job


async def test_an_answer_has_another_id_or_no_status(opened):
    shop = await opened()
    job = await shop.lying("wrong-id,no-status")
    first, second, third = [(await shop.poll(job))[1] for _ in range(3)]
    assert (first["id"] == job, "status" in second, third["id"], third["status"]) == (
        False,
        False,
        job,
        "queued",
    )


@pytest.mark.parametrize(
    ("lie", "stands"),
    [
        ("backwards", [("in_progress", 80), ("queued", 10), ("in_progress", 50)]),
        ("falling", [("in_progress", 80), ("in_progress", 10), ("in_progress", 50)]),
        ("odd-word", [("rendering", 50)] * 3),
        ("never", [("in_progress", 50)] * 3),
    ],
)
async def test_what_a_poll_is_told_of_a_job_halfway(opened, clock, lie, stands):
    shop = await opened()
    job = await shop.lying(lie)
    clock.time += 5
    assert [await shop.stand(job) for _ in range(3)] == stands
    clock.time += 1000
    assert (await shop.stand(job))[0] == ("in_progress" if lie == "never" else "completed")
    assert shop.lies(job) == [lie]


async def test_done_is_taken_back_and_said_again(opened, clock):
    shop = await opened()
    job = await shop.lying("undone:2")
    clock.time += 10
    assert [await shop.stand(job) for _ in range(4)] == [
        ("completed", 100),
        ("in_progress", 50),
        ("in_progress", 50),
        ("completed", 100),
    ]


async def test_a_poll_is_slow_for_as_long_and_as_often_as_it_says(opened):
    shop = await opened()
    job = await shop.lying("slow-poll:0.2:1")
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(2):
        began = loop.time()
        await shop.poll(job)
        took.append(loop.time() - began)
    assert took[0] >= 0.2 > took[1]


async def test_a_film_is_done_without_a_video(opened, clock):
    shop = await opened()
    job = await shop.lying("no-video")
    clock.time += 10
    video = (await shop.poll(job))[1]
    assert (video["status"], video["videos"], video["rai_media_filtered_count"]) == ("completed", [], 1)
    assert (await shop.ask("GET", f"/{job}/content"))[0] == 404
    assert (shop.ledger.billed_micros, shop.events("drawn")) == ({}, [])


async def test_a_job_is_found_by_its_key_once_it_is_visible(opened, clock):
    shop = await opened(lookup=True, visible_after_s=3)
    job = await shop.job(key="t.1.1")
    hidden = await shop.lying("hidden:60", key="t.2.1")
    early = (await shop.ask("GET", "?idempotency_key=t.1.1"))[1]["data"]
    clock.time += 3
    keys = ("t.1.1", "t.2.1", "t.3.1")
    found = [(await shop.ask("GET", f"?idempotency_key={key}"))[1]["data"] for key in keys]
    shown = [[(row["id"], row["idempotency_key"]) for row in rows] for rows in found]
    assert (early, shown) == ([], [[(job, "t.1.1")], [], []])
    assert [row["id"] for row in (await shop.ask("GET"))[1]["data"]] == [job]
    clock.time += 60
    assert [row["id"] for row in (await shop.ask("GET"))[1]["data"]] == [hidden, job]
    assert (await shop.poll(hidden))[0] == 200
    assert (await shop.poll(job))[1]["idempotency_key"] == "t.1.1"


async def test_a_vendor_without_a_look_up_does_not_know_the_question(opened):
    shop = await opened()
    job = await shop.job(key="k")
    [row] = (await shop.ask("GET", "?idempotency_key=other"))[1]["data"]
    assert (row["id"], "idempotency_key" in row) == (job, False)
    assert "idempotency_key" not in (await shop.poll(job))[1]


async def test_polls_can_be_left_out_of_the_log(opened):
    shop = await opened(polls_logged=False, poll_after_s=0)
    job = await shop.job()
    _, headers, _ = await shop.answer("GET", f"/{job}")
    assert "openai-poll-after-ms" not in headers
    assert [row["what"] for row in shop.events("request")] == ["create"]
