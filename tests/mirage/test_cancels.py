import pytest


async def cancel(shop, job):
    status, body = await shop.ask("POST", f"/{job}/cancel")
    return status, body.get("status") or body["error"]["code"]


async def test_a_running_job_is_cancelled_and_never_billed(opened, clock):
    shop = await opened()
    job = await shop.job()
    assert [await cancel(shop, job) for _ in range(2)] == [(200, "cancelled")] * 2
    clock.time += 100
    assert await shop.stand(job) == ("cancelled", 0)
    assert (await shop.ask("GET", f"/{job}/content"))[0] == 404
    assert (shop.ledger.jobs[job].end, shop.ledger.billed_micros) == ("cancelled", {})


async def test_what_has_ended_cannot_be_cancelled(opened, clock):
    shop = await opened()
    done, failed = await shop.job(), await shop.lying("fail")
    clock.time += 10
    assert [await cancel(shop, job) for job in (done, failed)] == [(400, "cannot_cancel")] * 2
    assert (await shop.ask("POST", "/video_0/cancel"))[0] == 404


async def test_deleting_cancels_what_runs(opened):
    shop = await opened()
    job = await shop.job()
    assert await shop.ask("DELETE", f"/{job}") == (
        200,
        {"id": job, "object": "video.deleted", "deleted": True, "status": "cancelled"},
    )
    assert (await shop.poll(job))[0] == 404
    assert (shop.ledger.jobs[job].end, shop.ledger.jobs[job].deleted) == ("cancelled", True)


async def test_a_vendor_that_cannot_cancel_says_so_and_goes_on(opened, clock):
    shop = await opened(lies=["no-cancel"])
    job = await shop.job()
    assert await cancel(shop, job) == (400, "cannot_cancel")
    assert (await shop.ask("DELETE", f"/{job}"))[0] == 400
    clock.time += 10
    assert (await shop.stand(job))[0] == "completed"


@pytest.mark.parametrize(("lie", "end"), [("slow-cancel:60", "cancelled"), ("vain-cancel", "completed")])
async def test_a_cancel_is_confirmed_later_or_never(opened, clock, lie, end):
    shop = await opened()
    job = await shop.lying(lie)
    clock.time += 2
    assert await cancel(shop, job) == (200, "in_progress")
    assert (await shop.ask("DELETE", f"/{job}"))[1]["status"] == "in_progress"
    clock.time += 30
    assert (await shop.stand(job))[0] == ("completed" if end == "completed" else "in_progress")
    clock.time += 30
    assert (await shop.stand(job))[0] == end
    assert bool(shop.ledger.billed_micros) is (end == "completed")


async def test_an_answer_to_a_cancel_is_an_error_or_is_lost(opened):
    shop = await opened()
    job = await shop.lying("error-cancel,lost-cancel")
    assert (await shop.ask("POST", f"/{job}/cancel"))[0] == 500
    assert (await shop.stand(job))[0] == "queued"
    assert await shop.raw("POST", f"/{job}/cancel") == b""
    assert (await shop.stand(job))[0] == "cancelled"
