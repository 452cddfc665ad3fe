import asyncio
import hashlib
import re

import aiohttp
import openai
import pytest

from filmgate.cli.program import run
from filmgate.media.probe import validate
from filmgate.mirage.__main__ import main
from filmgate.mirage.catalogue import LIES
from filmgate.mirage.film import draw
from filmgate.mirage.log import Log


async def test_jobs_survive_a_kill_and_so_do_their_films_keys_and_told_lies(running, tmp_path):
    arguments = ("--data", str(tmp_path), "--takes", "0.1", "--idempotent")
    async with running(*arguments) as (shop, process):
        job = (await shop.create("a --mirage=html", key="k"))[1]["id"]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await shop.create("b --mirage=lost-reply", key="lost")
        await shop.completed(job)
        assert (await shop.ask("GET", f"/{job}/content"))[1][:9] == b"<!doctype"
        film = (await shop.ask("GET", f"/{job}/content"))[1]
        process.kill()
        await process.wait()
    async with running(*arguments) as (shop, _):
        await shop.completed(job)
        assert (await shop.ask("GET", f"/{job}/content"))[1] == film
        assert (await shop.create("a --mirage=html", key="k"))[1]["id"] == job
        lost = (await shop.create("b --mirage=lost-reply", key="lost"))[1]["id"]
        await shop.completed(lost)
        assert [row["job"] for row in shop.events("accepted")] == [job, lost]
        assert sorted(row["job"] for row in shop.events("drawn")) == sorted([job, lost])
        fetched = shop.events("fetched")
        assert {row["sha256"] for row in fetched} == {hashlib.sha256(film).hexdigest()}


async def test_it_ends_at_once_when_it_is_told_to(running, tmp_path):
    async with running("--data", str(tmp_path)) as (_, process):
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_client_makes_polls_and_downloads_a_video(running, tmp_path):
    async with (
        running("--data", str(tmp_path / "mirage"), "--takes", "0.2", "--key", "sk-1") as (shop, _),
        openai.AsyncOpenAI(base_url=shop.base_url, api_key="sk-1", max_retries=0) as client,
    ):
        # The client knows four sizes by type, and sends any.
        size = {"size": "128x96"}
        video = await client.videos.create_and_poll(prompt="a boat", seconds="4", extra_body=size)
        assert (video.status, video.progress, video.size, video.error) == ("completed", 100, "128x96", None)
        content = await client.videos.download_content(video.id)
        (tmp_path / "film.mp4").write_bytes(await content.aread())
        assert [row.id async for row in client.videos.list()] == [video.id]
    facts = validate(tmp_path / "film.mp4")
    assert (facts.width, facts.height, facts.seconds, facts.faststart) == (128, 96, 4.0, True)


def test_the_same_film_is_drawn_from_the_same_words_and_another_from_others(tmp_path):
    paths = [tmp_path / f"{no}.mp4" for no in range(3)]
    for path, shade in zip(paths, (b"first", b"first", b"other"), strict=True):
        draw(path, width=129, height=97, seconds=1, shade=shade)
    first, again, other = (path.read_bytes() for path in paths)
    assert (first == again, first == other) == (True, False)
    facts = validate(paths[0])
    assert (facts.width, facts.height, facts.frames, facts.audio_codec, facts.faststart) == (
        128, 96, 24, "aac", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--lie", "lunch"], "'lunch' is no lie; there are: backwards, busy, "),
        (["--lie", "never:2"], "'never:2' says more than 'never' takes"),
        (["--lie", "busy:soon"], "'busy:soon' must have numbers such as 5 or 0.5, or `always`"),
        (["--dice", "busy"], "a die is LIE=SHARE with a share of 0 to 1, such as lost-reply=0.1, not 'busy'"),
        (["--in-flight", "0"], "the limit of jobs in flight must be 1 or more, not 0"),
        (["--callback", "ftp://a"], "callbacks go to an address with http:// or https://"),
        (
            ["--lose-replies", "2"],
            "a die is LIE=SHARE with a share of 0 to 1, such as lost-reply=0.1, not 'lost-reply=2.0'",
        ),
        (["--takes", "-1"], "a job cannot take -1.0 s"),
    ],
)
def test_a_flag_that_cannot_be_meant_is_refused_in_words(arguments, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert text in said.err
    assert run(["mirage", *arguments, "--plain"]) == 2
    said = capsys.readouterr()
    assert (said.out, text in said.err) == ("", True)


def test_both_programs_explain_every_flag_and_every_lie(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    own = capsys.readouterr().out
    assert run(["mirage", "--help"]) == 0
    verb = capsys.readouterr().out
    flags = set(re.findall(r"--[a-z-]+[a-z]", own)) - {"--help", "--mirage"}
    assert len(flags) > 20
    assert [flag for flag in sorted(flags) if flag not in verb] == []
    assert [lie for lie in LIES if f"\n  {lie}" not in own or f"\n  {lie}" not in verb] == []


def test_a_line_that_a_kill_cut_short_did_not_happen(tmp_path):
    path = tmp_path / "mirage.jsonl"
    path.write_bytes(b'{"event": "accepted", "job": "a"}\n{"event": "acc')
    log = Log(path, lambda: 5.0)
    assert list(log.past()) == [{"event": "accepted", "job": "a"}]
    assert log.write("drawn", job="a") == {"at": 5.0, "event": "drawn", "job": "a"}
    log.close()
    assert path.read_text().splitlines() == [
        '{"event": "accepted", "job": "a"}',
        '{"at":5.0,"event":"drawn","job":"a"}',
    ]
