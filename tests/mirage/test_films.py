import asyncio

import aiohttp
import pytest


@pytest.fixture
async def shop(opened):
    """A vendor whose jobs are done at once."""
    return await opened(takes_s=0, private_url="http://127.0.0.1:9/private")


async def film_of(shop):
    return (await shop.ask("GET", f"/{await shop.job()}/content"))[1]


@pytest.mark.parametrize(
    ("lie", "status", "opening"),
    [
        ("html", 200, b"<!doctype"),
        ("zero", 200, b""),
        ("missing-film", 404, b'{"error":'),
        ("forbidden-film", 403, b'{"error":'),
        ("error-film", 500, b'{"error":'),
        ("busy-film", 429, b'{"error":'),
    ],
)
async def test_no_film_comes_as_often_as_it_says_and_then_the_film(shop, lie, status, opening):
    job = await shop.lying(f"{lie}:2")
    answers = [await shop.answer("GET", f"/{job}/content") for _ in range(3)]
    assert [(said, body[:9]) for said, _, body in answers[:2]] == [(status, opening)] * 2
    assert answers[2][2] == await film_of(shop)
    assert shop.lies(job) == [lie, lie]
    assert len(shop.ledger.jobs[job].served_sha256) == 1


async def test_a_film_never_comes(shop):
    job = await shop.lying("html:always")
    answers = [await shop.ask("GET", f"/{job}/content") for _ in range(5)]
    assert [(status, body[:9]) for status, body in answers] == [(200, b"<!doctype")] * 5
    assert shop.ledger.served_sha256 == {}


async def test_half_a_film_and_noise_look_like_films(shop):
    job, whole = await shop.lying("truncated,garbage"), await film_of(shop)
    half, noise, film = [(await shop.ask("GET", f"/{job}/content"))[1] for _ in range(3)]
    assert (half, len(noise), noise[:48], noise == whole, film) == (
        whole[: len(whole) // 2],
        len(whole),
        whole[:48],
        False,
        whole,
    )


async def test_a_length_is_told_too_large_or_too_small(shop):
    whole = await film_of(shop)
    job = await shop.lying("overstated,understated")
    with pytest.raises(aiohttp.ClientPayloadError):
        await shop.ask("GET", f"/{job}/content")
    head, _, body = (await shop.raw("GET", f"/{job}/content")).partition(b"\r\n\r\n")
    assert (f"content-length: {len(whole) // 2}".encode() in head, body == whole) == (True, True)
    assert (await shop.ask("GET", f"/{job}/content"))[1] == whole


async def test_a_film_is_cut_in_the_middle(shop):
    whole = await film_of(shop)
    job = await shop.lying("cut-film")
    head, _, body = (await shop.raw("GET", f"/{job}/content")).partition(b"\r\n\r\n")
    assert (f"content-length: {len(whole)}".encode() in head, body) == (True, whole[: len(whole) // 2])


async def test_a_film_has_no_end_and_stops_when_its_client_does(shop):
    job = await shop.lying("endless")
    head, _, body = (await shop.raw("GET", f"/{job}/content", most=5_000_000)).partition(b"\r\n\r\n")
    assert (b"content-length" in head, len(body) > 4_000_000, body[4:8]) == (False, True, b"ftyp")
    assert (await shop.ask("GET", f"/{job}/content"))[0] == 200


async def test_a_film_drips_and_is_whole_in_the_end(shop):
    whole = await film_of(shop)
    job = await shop.lying("drip:0.5")
    began = asyncio.get_running_loop().time()
    assert (await shop.ask("GET", f"/{job}/content"))[1] == whole
    assert asyncio.get_running_loop().time() - began >= 0.4
    assert len(shop.ledger.jobs[job].served_sha256) == 1


async def test_a_film_stalls_halfway_and_never_comes_to_its_end(shop):
    whole = await film_of(shop)
    job = await shop.lying("stall:30")
    began = asyncio.get_running_loop().time()
    got = (await shop.raw("GET", f"/{job}/content", within_s=0.5)).partition(b"\r\n\r\n")[2]
    assert (got, asyncio.get_running_loop().time() - began >= 0.5) == (whole[: len(whole) // 2], True)
    assert job not in shop.ledger.served_sha256


async def test_a_film_lies_behind_a_link_which_needs_no_key_and_expires(opened, clock):
    shop = await opened(takes_s=0, keys=frozenset({"sk-1"}))
    key = {"authorization": "Bearer sk-1"}
    job = (await shop.ask("POST", json={"prompt": "a --mirage=expired-link,link"}, headers=key))[1]["id"]
    old, new = [(await shop.ask("GET", f"/{job}/content", headers=key))[1]["url"] for _ in range(2)]
    async with shop.session.get(old) as refused, shop.session.get(new) as given:
        assert (refused.status, given.status) == (403, 200)
        assert (await given.read())[4:8] == b"ftyp"
    clock.time += 301
    async with shop.session.get(new) as refused:
        assert refused.status == 403
    async with shop.session.get(new.replace(job, "video_0")) as unknown:
        assert unknown.status == 404


async def test_a_film_lies_behind_a_redirect(shop):
    job = await shop.lying("redirect")
    status, headers, _ = await shop.answer("GET", f"/{job}/content", allow_redirects=False)
    assert (status, headers["location"].endswith(".mp4")) == (302, True)
    assert (await shop.ask("GET", f"/{job}/content"))[1][4:8] == b"ftyp"


async def test_a_link_and_a_redirect_lead_to_a_private_address(shop):
    job = await shop.lying("private-link,private-redirect")
    assert (await shop.ask("GET", f"/{job}/content"))[1] == {"url": "http://127.0.0.1:9/private"}
    status, headers, _ = await shop.answer("GET", f"/{job}/content", allow_redirects=False)
    assert (status, headers["location"]) == (302, "http://127.0.0.1:9/private")


async def test_a_film_begins_late(shop):
    job = await shop.lying("slow-film:0.3")
    began = asyncio.get_running_loop().time()
    assert (await shop.ask("GET", f"/{job}/content"))[0] == 200
    assert asyncio.get_running_loop().time() - began >= 0.3
