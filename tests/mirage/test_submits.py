import asyncio

import aiohttp
import pytest


@pytest.mark.parametrize(
    ("lie", "status", "code", "wait"),
    [
        ("busy", 429, "rate_limit_exceeded", "1"),
        ("busy-bare", 429, "rate_limit_exceeded", None),
        ("unavailable", 503, "overloaded", None),
        ("unauthorized-submit", 401, "invalid_api_key", None),
        ("quota", 429, "insufficient_quota", None),
        ("error-unmade", 500, None, None),
    ],
)
async def test_an_error_that_makes_nothing_comes_as_often_as_it_says_and_then_no_more(
    opened, lie, status, code, wait
):
    shop = await opened()
    body = {"prompt": f"a --mirage={lie}:2"}
    for _ in range(2):
        said, headers, text = await shop.answer("POST", json=body, headers={"idempotency-key": "k"})
        assert (said, headers.get("retry-after")) == (status, wait)
        assert ('"code":null' if code is None else f'"code":"{code}"') in text.decode()
    assert shop.events("accepted") == []
    assert (await shop.ask("POST", json=body))[0] == 200
    assert (shop.lies(), shop.ledger.unmade) == ([lie, lie], {lie: 2})


@pytest.mark.parametrize(
    ("lie", "status", "code"),
    [
        ("refuse", 400, "moderation_blocked"),
        ("invalid", 400, "invalid_value"),
        ("no-model", 404, "model_not_found"),
    ],
)
async def test_a_refusal_is_for_ever(opened, lie, status, code):
    shop = await opened()
    answers = [await shop.create(f"a --mirage={lie}") for _ in range(3)]
    assert [(said, body["error"]["code"]) for said, body in answers] == [(status, code)] * 3
    assert shop.ledger.jobs == {}


async def test_a_request_that_is_lost_made_nothing_and_a_reply_that_is_lost_made_a_job(opened):
    shop = await opened()
    for lie in ("lost-request", "lost-reply"):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await shop.create(f"a --mirage={lie}", key=lie)
    assert set(shop.ledger.accepted_keys) == {"lost-reply"}
    assert shop.ledger.submits == {"lost-request": 1, "lost-reply": 1}


async def test_a_reply_is_cut_within_its_head_and_within_its_body(opened):
    shop = await opened()
    bodies = [b'{"prompt": "a --mirage=cut-%s"}' % part for part in (b"head", b"body")]
    head, body = [await shop.raw("POST", "", text) for text in bodies]
    assert (head[:17], b"\r\n\r\n" in head) == (b"HTTP/1.1 200 OK\r\n", False)
    announced = int(body.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body.split(b"\r\n\r\n")[1]) < announced
    assert len(shop.ledger.jobs) == 2


@pytest.mark.parametrize(
    ("lie", "status", "opening"),
    [
        ("error-after-accept", 500, b'{"error":'),
        ("gateway-after-accept", 502, b"<!doctype"),
        ("html-reply", 200, b"<!doctype"),
        ("half-reply", 200, b'{"id":"video_'),
        ("empty-reply", 200, b""),
        ("no-id", 200, b'{"object":"video"'),
    ],
)
async def test_a_reply_that_says_nothing_of_the_job_that_it_made(opened, lie, status, opening):
    shop = await opened()
    body = {"prompt": f"a --mirage={lie}"}
    said, _, text = await shop.answer("POST", json=body, headers={"idempotency-key": "k"})
    assert (said, text[: len(opening)], b'"remixed_from_video_id"' in text) == (
        status,
        opening,
        lie == "no-id",
    )
    [job] = shop.ledger.of_key("k")
    assert job.lies == {lie: 1}
    assert (await shop.poll(job.id))[0] == 200


async def test_a_slow_submit_makes_the_job_at_once_and_a_late_one_only_when_it_answers(opened):
    shop = await opened(lookup=True)
    answers = [asyncio.create_task(shop.lying(lie, key=lie)) for lie in ("slow-submit:0.4", "late:0.4")]
    await asyncio.sleep(0.2)
    early = set(shop.ledger.accepted_keys)
    await asyncio.gather(*answers)
    assert (early, set(shop.ledger.accepted_keys)) == ({"slow-submit:0.4"}, {"slow-submit:0.4", "late:0.4"})


async def test_a_late_submit_whose_client_has_gone_still_makes_its_job(opened):
    shop = await opened()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(shop.lying("late:0.3", key="k"), 0.1)
    assert shop.ledger.jobs == {}
    await asyncio.sleep(0.4)
    assert set(shop.ledger.accepted_keys) == {"k"}


async def test_two_jobs_are_told_one_id(opened):
    shop = await opened()
    first, second = await shop.job(), await shop.lying("same-id")
    assert (first == second, len(shop.ledger.jobs)) == (True, 2)


async def test_two_credentials_are_told_one_id_and_each_finds_its_own_job(opened):
    shop = await opened(lies=["twin-id"])
    headers = [{"authorization": f"Bearer {name}"} for name in ("a", "b")]
    for no, head in enumerate(headers):
        body = {"prompt": f"boat {no}"}
        await shop.ask("POST", json=body, headers=head)
    jobs = list(shop.ledger.jobs.values())
    assert (jobs[0].ref == jobs[1].ref, jobs[0].credential == jobs[1].credential) == (True, False)
    found = [(await shop.ask("GET", f"/{jobs[0].ref}", headers=head))[1]["prompt"] for head in headers]
    assert found == ["boat 0", "boat 1"]


async def test_the_first_jobs_of_a_prompt_fail_and_the_next_does_not(opened, clock):
    shop = await opened()
    jobs = [await shop.lying("fail:2") for _ in range(3)]
    clock.time += 10
    assert [(await shop.stand(job))[0] for job in jobs] == ["failed", "failed", "completed"]
    assert [job.billed_micros for job in shop.ledger.jobs.values()] == [0, 0, 100_000]


async def test_what_dice_say_is_told_of_a_share_and_of_the_same_again(opened):
    shop = await opened(dice=["lost-reply=0.3", "busy=0.2", "fail=0.5"], seed=1)
    said = []
    for _ in range(60):
        try:
            said.append((await shop.create("always the same"))[0])
        except aiohttp.ServerDisconnectedError:
            said.append(0)
    assert {status: said.count(status) for status in set(said)} == {200: 37, 0: 13, 429: 10}
    failing = sum("fail:always" in row["order"]["lies"] for row in shop.events("accepted"))
    assert (len(shop.events("accepted")), failing) == (50, 25)


async def test_a_submit_that_is_repeated_with_another_body_is_no_replay(opened):
    shop = await opened(idempotent=True)
    await shop.job("a", key="k")
    status, body = await shop.create("b", key="k")
    assert (status, body["error"]["code"]) == (422, "idempotency_mismatch")
    assert (len(shop.events("accepted")), len(shop.events("mismatched"))) == (1, 1)


async def test_a_form_is_the_same_whatever_its_boundary_is(opened):
    shop = await opened(idempotent=True)
    ids = []
    for _ in range(2):
        form = aiohttp.FormData({"prompt": "a", "metadata[callback_url]": "http://127.0.0.1:9/x"})
        form.add_field("input_reference", b"png", filename="a.png")
        ids.append((await shop.ask("POST", data=form, headers={"idempotency-key": "k"}))[1]["id"])
    assert ids[0] == ids[1]
    assert shop.events("accepted")[0]["order"]["callback"] == "http://127.0.0.1:9/x"


async def test_submits_of_a_minute_are_counted_by_credential(opened, clock):
    shop = await opened(submits_per_minute=2)
    assert [(await shop.create(auth="a"))[0] for _ in range(3)] == [200, 200, 429]
    assert (await shop.create(auth="b"))[0] == 200
    clock.time += 50
    status, headers, _ = await shop.answer("POST", json={"prompt": "a"}, headers={"authorization": "a"})
    assert (status, headers["retry-after"]) == (429, "10")
    clock.time += 10
    assert (await shop.create(auth="a"))[0] == 200
    assert (len(shop.ledger.jobs), shop.ledger.refused) == (4, {429: 2})


async def test_jobs_in_flight_are_counted_until_they_end(opened, clock):
    shop = await opened(in_flight=2)
    never = await shop.lying("never")
    await shop.job()
    assert (await shop.create())[0] == 429
    clock.time += 10
    assert [(await shop.create())[0] for _ in range(2)] == [200, 429]
    await shop.ask("POST", f"/{never}/cancel")
    assert (await shop.create())[0] == 200


async def test_an_extension_is_as_long_as_both_and_a_remix_as_its_source(opened, clock):
    shop = await opened()
    first = await shop.job(seconds="2")
    early = await shop.ask("POST", f"/{first}/remix", json={"prompt": "b"})
    assert (early[0], early[1]["error"]["code"]) == (400, "video_not_completed")
    clock.time += 10
    longer = (
        await shop.ask("POST", "/extensions", json={"prompt": "b", "seconds": "3", "video": {"id": first}})
    )[1]
    other = (await shop.ask("POST", f"/{first}/remix", json={"prompt": "c"}))[1]
    assert (longer["seconds"], longer["remixed_from_video_id"], longer["size"]) == ("5", None, "128x96")
    assert (other["seconds"], other["remixed_from_video_id"]) == ("2", first)
    unknown = await shop.ask("POST", "/extensions", json={"prompt": "b", "video": {"id": "video_0"}})
    assert unknown[0] == 404


async def test_an_extension_fails_by_its_source_and_by_its_first_frame(opened, clock):
    shop = await opened()
    first = await shop.lying("fail-extension")
    clock.time += 10
    body = {"prompt": "b", "video": {"id": first}}
    further = (await shop.ask("POST", "/extensions", json=body))[1]["id"]
    form = aiohttp.FormData({"prompt": "c --mirage=fail-extension"})
    form.add_field("input_reference", b"png", filename="a.png")
    framed = (await shop.ask("POST", data=form))[1]["id"]
    clock.time += 10
    stands = [(await shop.stand(job))[0] for job in (first, further, framed)]
    assert stands == ["completed", "failed", "failed"]
