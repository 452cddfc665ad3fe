import asyncio
import hashlib
import json
import sys

import aiohttp
import pytest

from filmgate.mirage.ledger import ledger_of, read_ledger


async def test_the_log_comes_to_what_was_made_billed_and_served(opened, clock):
    shop = await opened()
    done = await shop.job("a", key="t1.1.1", seconds="3")
    twice = [await shop.job("b", key="t1.2.1") for _ in range(2)]
    stopped, bare = await shop.job("c", key="t2.1.1"), await shop.job("d")
    await shop.ask("POST", f"/{stopped}/cancel")
    await shop.create("e --mirage=busy", key="t3.1.1")
    clock.time += 10
    film = (await shop.ask("GET", f"/{done}/content"))[1]
    ledger = shop.ledger
    assert ledger.accepted_keys == {"t1.1.1": (done,), "t1.2.1": tuple(twice), "t2.1.1": (stopped,)}
    assert ledger.keys_accepted_twice == {"t1.2.1": tuple(twice)}
    assert ledger.submits == {"t1.1.1": 1, "t1.2.1": 2, "t2.1.1": 1, "t3.1.1": 1, None: 1}
    assert {task: len(jobs) for task, jobs in ledger.by_prefix().items()} == {"t1": 3, "t2": 1}
    assert {clip: len(jobs) for clip, jobs in ledger.by_prefix(2).items()} == {
        "t1.1": 1,
        "t1.2": 2,
        "t2.1": 1,
    }
    assert [job.id for job in ledger.under("t1.")] == [done, *twice]
    assert ledger.billed_micros == {done: 300_000, twice[0]: 100_000, twice[1]: 100_000, bare: 100_000}
    assert ledger.served_sha256 == {done: frozenset({hashlib.sha256(film).hexdigest()})}
    assert (ledger.jobs_without_key, ledger.drawn_twice, ledger.unmade) == ((bare,), (), {"busy": 1})
    assert ledger.requests == {"create": 6, "cancel": 1, "content": 1}
    assert {job.end for job in ledger.jobs.values()} == {"completed", "cancelled"}


async def test_every_request_is_logged_with_its_key_its_digest_and_its_credential(opened):
    shop = await opened(keys=frozenset({"sk-1"}))
    await shop.create("a", key="k", auth="Bearer sk-1")
    await shop.create("a", key="k", auth="Bearer sk-2")
    await shop.ask("PUT", "/x")
    rows = shop.events("request")
    body = json.dumps({"prompt": "a", "size": "128x96", "seconds": "1"}).encode()
    digest = hashlib.sha256(body).hexdigest()
    assert [(row["what"], row["key"], row["body_sha256"]) for row in rows] == [
        ("create", "k", digest),
        ("create", "k", digest),
        ("unknown", None, None),
    ]
    credentials = [hashlib.sha256(f"Bearer sk-{no}".encode()).hexdigest()[:16] for no in (1, 2)]
    assert [row["credential"] for row in rows] == [*credentials, None]
    assert "sk-1" not in shop.log.read_text()
    assert shop.ledger.refused == {401: 1}


def test_a_line_that_is_still_being_written_is_left_out(tmp_path):
    path = tmp_path / "mirage.jsonl"
    path.write_bytes(b'{"event": "request", "what": "list", "key": null, "job": null}\n{"event": "req')
    assert read_ledger(path).requests == {"list": 1}
    with pytest.raises(ValueError, match="Expecting value"):
        ledger_of([b"no event\n"])


async def test_a_log_holds_every_answer_that_was_given_before_a_kill(running, tmp_path):
    arguments = ("--data", str(tmp_path), "--fast", "--takes", "0.05")
    answered = []

    async def submit_until_it_dies(shop, lane):
        for no in range(100_000):
            try:
                answered.append((await shop.create(f"boat {no}", key=f"{lane}.{no}"))[1]["id"])
            except aiohttp.ClientError:
                return

    for life in range(3):
        async with running(*arguments) as (shop, process):
            lanes = [asyncio.create_task(submit_until_it_dies(shop, f"{life}-{lane}")) for lane in range(8)]
            await asyncio.sleep(0.4)
            # The log can be read while the vendor writes it.
            seen = len(read_ledger(shop.log).jobs)
            process.kill()
            await process.wait()
            await asyncio.gather(*lanes)
            ledger = read_ledger(shop.log)
            assert seen <= len(ledger.jobs)
            assert set(answered) <= set(ledger.jobs)
            assert ledger.keys_accepted_twice == {}
    async with running(*arguments) as (shop, _):
        async with asyncio.timeout(10):
            while {job.end for job in read_ledger(shop.log).jobs.values()} != {"completed"}:  # noqa: ASYNC110  # the log is another process's
                await asyncio.sleep(0.05)
        ledger = read_ledger(shop.log)
    assert (ledger.drawn_twice, len(ledger.billed_micros)) == ((), len(ledger.jobs))
    assert len(answered) > 100


async def test_several_vendors_run_beside_each_other_but_not_on_one_folder(running, tmp_path):
    async with (
        running("--data", str(tmp_path / "a"), "--fast") as (first, _),
        running("--data", str(tmp_path / "b"), "--fast", "--seed", "1") as (second, _),
    ):
        assert await first.job() != await second.job()
        third = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "filmgate.mirage", "--data", str(tmp_path / "a")),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(third.communicate(), 20)
    assert (third.returncode, b"is in use: every vendor needs a data folder of its own" in said) == (1, True)
