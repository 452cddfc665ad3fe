"""The recordings in `openai/`, answered over real sockets by a server that knows nothing else."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from filmgate.domain.contracts_provider import (
    ClipRequest,
    Done,
    Earlier,
    Failed,
    Frame,
    Pending,
    ProviderConfig,
    Ticket,
)
from filmgate.domain.faults import Broken, Busy, Fault, Invalid, Misconfigured, Uncertain, Vanished
from filmgate.domain.request import PictureRole
from filmgate.domain.size import Size
from filmgate.providers import build

ID = "video_68d7512d07848190b3e45da0ecbebcde004da08e1e0678d5"
CLIP = ClipRequest(model="sora-2", prompt="a boat", size=Size(720, 1280), seconds=4, sound=True, seed=7)
PICTURE = Frame(PictureRole.FIRST, "image/png", b"\x89PNG\r\n\x1a\n")


@dataclass
class Script:
    """What the server answers by path, and what it was asked."""

    replies: dict[str, dict[str, object]] = field(default_factory=dict)
    asked: list[dict[str, object]] = field(default_factory=list)
    port: int = 0

    def root(self, host="127.0.0.1"):
        return f"http://{host}:{self.port}"


def cases(*names):
    folder = Path(__file__).parent / "openai"
    return [
        pytest.param(case, id=f"{name}: {case['name']}")
        for name in names
        for case in json.loads((folder / f"{name}.json").read_text())["cases"]
    ]


@pytest.fixture
async def script():
    script = Script()

    async def answer(request):
        form = await request.post() if request.content_type.startswith("multipart/") else None
        script.asked.append(
            {
                "method": request.method,
                "port": request.transport.get_extra_info("peername")[1],
                "path": request.raw_path,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "json": await request.json() if request.content_type == "application/json" else None,
                "form": form and [(name, await shown(value)) for name, value in form.items()],
            }
        )
        reply = script.replies.get(request.path) or script.replies["*"]
        return await say(request, reply)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.port = runner.addresses[0][1]
    yield script
    await runner.cleanup()


async def shown(value):
    return value if isinstance(value, str) else (value.filename, value.content_type, value.file.read())


async def say(request, reply):
    if reply.get("cut") == "before":
        request.transport.abort()
        return web.Response()
    text = json.dumps(reply["json"]) if "json" in reply else reply.get("text", "")
    body = text.encode() * reply.get("repeat", 1)
    headers = {**reply.get("headers", {})}
    if reply.get("cut") != "within":
        return web.Response(status=reply["status"], body=body, headers=headers)
    response = web.StreamResponse(
        status=reply["status"], headers={**headers, "content-length": str(len(body))}
    )
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    request.transport.close()
    return response


@pytest.fixture
def provider(script, tools):
    config = ProviderConfig(name="v", kind="openai", base_url=script.root(), credential="sk-vendor")
    return build(config, tools)


async def outcome(question):
    """Put what a question gave into the words of the recordings."""
    try:
        answer = await question
    except Fault as fault:
        said = {"fault": type(fault).__name__, "text": str(fault)}
        return said | (
            {"retry_after_s": fault.retry_after.total_seconds()} if isinstance(fault, Busy) else {}
        )
    match answer:
        case Ticket(ref, memory, ask_in, key):
            assert (memory, key) == ({}, "0a.1.1")
            return {"ticket": ref, "ask_in_s": ask_in and ask_in.total_seconds()}
        case Pending(progress, ask_in):
            return {"pending": progress, "ask_in_s": ask_in and ask_in.total_seconds()}
        case Done(result):
            return {"done": result}
        case Failed(code, text, again):
            return {"failed": code, "text": text, "again": again}
    return {"bytes": answer.decode()}


async def whole(chunks):
    return b"".join([chunk async for chunk in chunks])


def demand(case, said, script):
    expected = case["expect"]
    if "fault" in expected and "text" not in expected:
        assert said.pop("text")
    assert said == expected
    assert "sk-vendor" not in str(said)
    if "request" in case:
        [asked] = script.asked
        headers = {name: asked["headers"].get(name) for name in case["request"]["headers"]}
        shown = {name: asked[name] for name in ("method", "path", "json")} | {"headers": headers}
        assert shown == {"json": None, **case["request"]}


@pytest.mark.parametrize("case", cases("submit", "submit_uncertain"))
async def test_what_a_vendor_says_to_a_submit(case, script, provider):
    script.replies["*"] = case["reply"]
    demand(case, await outcome(provider.submit(CLIP, "0a.1.1")), script)
    assert len(script.asked) == 1


@pytest.mark.parametrize("case", cases("poll", "poll_unanswered"))
async def test_what_a_vendor_says_to_a_poll(case, script, provider):
    script.replies["*"] = case["reply"]
    demand(case, await outcome(provider.poll(Ticket(ID))), script)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ("50000;state=charged", 50_000),
        ("50000;state=returned", 0),
        ("50000;state=held", None),
        ("-1;state=charged", None),
        ("9" * 30 + ";state=charged", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_another_gate_says_what_it_charged(script, provider, status, said, cost):
    error = {"code": "x", "message": "y"} if status == "failed" else None
    video = {"id": ID, "status": status, "error": error}
    script.replies["*"] = {"status": 200, "json": video, "headers": {"x-filmgate-cost": said} if said else {}}
    assert (await provider.poll(Ticket(ID))).cost_micros == cost


@pytest.mark.parametrize("case", cases("content"))
async def test_what_a_vendor_says_to_a_fetch(case, script, provider):
    script.replies["*"] = case["reply"]
    demand(case, await outcome(whole(provider.fetch({"id": ID}))), script)


async def test_a_vendor_that_cannot_be_reached_has_made_nothing(tools, unused_tcp_port):
    config = ProviderConfig(name="v", kind="openai", base_url=f"http://127.0.0.1:{unused_tcp_port}")
    provider = build(config, tools)
    for question in (
        provider.submit(CLIP, "0a.1.1"),
        provider.poll(Ticket(ID)),
        whole(provider.fetch({"id": ID})),
    ):
        with pytest.raises(Broken):
            await question


async def test_a_first_frame_goes_as_a_file_of_a_form(script, provider):
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": "queued"}}
    request = ClipRequest(
        model="sora-2",
        prompt="小船\n“a”",
        size=Size(720, 1280),
        seconds=4,
        sound=True,
        seed=None,
        frames=(PICTURE,),
    )
    assert await provider.submit(request, "0a.1.1") == Ticket(ID, key="0a.1.1")
    assert script.asked[0]["form"] == [
        ("model", "sora-2"),
        ("prompt", "小船\n“a”"),
        ("seconds", "4"),
        ("size", "720x1280"),
        ("input_reference", ("input_reference.png", "image/png", b"\x89PNG\r\n\x1a\n")),
    ]
    assert script.asked[0]["headers"]["idempotency-key"] == "0a.1.1"


@pytest.mark.parametrize("roles", [["last"], ["reference"], ["first", "last"], ["first", "first"]])
async def test_pictures_that_the_api_has_no_field_for_are_refused_before_anything_is_sent(
    roles, script, provider
):
    frames = tuple(Frame(PictureRole(role), "image/png", b"") for role in roles)
    request = ClipRequest(
        model="m", prompt="p", size=Size(720, 1280), seconds=4, sound=True, seed=None, frames=frames
    )
    with pytest.raises(Invalid, match="one picture, the first frame"):
        await provider.submit(request, "0a.1.1")
    assert script.asked == []


async def test_an_odd_id_is_asked_for_as_one_part_of_the_path(script, provider):
    script.replies["*"] = {"status": 200, "json": {"id": "org/7==?x#y", "status": "queued"}}
    assert await provider.poll(Ticket("org/7==?x#y")) == Pending(None, waits=True)
    assert script.asked[0]["path"] == "/v1/videos/org%2F7%3D%3D%3Fx%23y"


async def test_a_link_to_the_film_is_followed_once_and_without_our_key(script, provider):
    script.replies[f"/v1/videos/{ID}/content"] = {"status": 200, "json": {"url": "/files/a.mp4?sig=1"}}
    script.replies["/files/a.mp4"] = {"status": 200, "text": "\0\0\0 ftyp"}
    assert await whole(provider.fetch({"id": ID})) == b"\0\0\0 ftyp"
    assert [(asked["path"], asked["headers"].get("authorization")) for asked in script.asked] == [
        (f"/v1/videos/{ID}/content", "Bearer sk-vendor"),
        ("/files/a.mp4?sig=1", None),
    ]


async def test_without_a_credential_no_key_is_sent(script, tools):
    provider = build(ProviderConfig(name="v", kind="openai", base_url=script.root()), tools)
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": "queued"}}
    await provider.submit(CLIP, "0a.1.1")
    assert "authorization" not in script.asked[0]["headers"]


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_the_base_url_may_be_written_with_its_version_or_without(path, script, tools):
    provider = build(ProviderConfig(name="v", kind="openai", base_url=script.root() + path), tools)
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": "queued"}}
    await provider.submit(CLIP, "0a.1.1")
    assert script.asked[0]["path"] == "/v1/videos"


@pytest.mark.parametrize("base_url", ["", "api.example.com", "ftp://x", "https://", "https://x/v1?key=1"])
def test_a_base_url_that_cannot_be_meant_fails_at_the_start(base_url, tools):
    with pytest.raises(ValueError, match="the provider v needs a base_url such as https"):
        build(ProviderConfig(name="v", kind="openai", base_url=base_url), tools)


def test_an_option_of_the_wrong_type_fails_at_the_start(tools):
    config = ProviderConfig(name="v", kind="openai", base_url="https://x", options={"idempotent": "yes"})
    with pytest.raises(ValueError, match="the option idempotent of the provider v must be a bool"):
        build(config, tools)


async def test_a_long_error_is_read_in_no_time_and_told_in_one_line(script, provider):
    script.replies["*"] = {"status": 500, "text": "\n é" + "é" * 50_000}
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(Broken) as caught:
        await provider.poll(Ticket(ID))
    assert (str(caught.value), loop.time() - started < 3) == (f"500: {'é' * 199}…", True)


async def test_a_credential_that_the_vendor_repeats_is_cut_out_whatever_it_looks_like(script, tools):
    config = ProviderConfig(name="v", kind="openai", base_url=script.root(), credential=" open sesame\n")
    provider = build(config, tools)
    script.replies["*"] = {"status": 400, "json": {"error": {"message": "open sesame opens nothing"}}}
    with pytest.raises(Invalid) as caught:
        await provider.submit(CLIP, "0a.1.1")
    assert str(caught.value) == "[...] opens nothing"
    assert script.asked[0]["headers"]["authorization"] == "Bearer open sesame"


async def test_a_submit_goes_over_a_connection_of_its_own_and_polls_share_theirs(script, provider):
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": "queued"}}
    for _ in range(2):
        await provider.submit(CLIP, "0a.1.1")
    for _ in range(2):
        await provider.poll(Ticket(ID))
    first, second, poll, again = [asked["port"] for asked in script.asked]
    assert (len({first, second, poll}), poll == again) == (3, True)


async def test_a_wish_to_be_asked_next_year_is_not_granted(script, provider):
    script.replies["*"] = {
        "status": 200, "json": {"id": ID, "status": "queued"}, "headers": {"retry-after": "31536000"}
    }  # fmt: skip
    assert await provider.poll(Ticket(ID)) == Pending(None, timedelta(minutes=10), waits=True)


@pytest.mark.parametrize(
    "absurd", ["1 Jan 2000 00:00:00 +99999999999999", f"{'9' * 40} Jan 2000 00:00:00 GMT"]
)
async def test_a_wait_that_nobody_can_reckon_with_changes_nothing_of_an_answer(script, provider, absurd):
    script.replies["*"] = {
        "status": 200, "json": {"id": ID, "status": "queued"}, "headers": {"retry-after": absurd}
    }  # fmt: skip
    assert (await provider.submit(CLIP, "0a.1.1")).ref == ID
    assert await provider.poll(Ticket(ID)) == Pending(None, None, waits=True)
    script.replies["*"] = {"status": 429, "json": {}, "headers": {"retry-after": absurd}}
    with pytest.raises(Busy):
        await provider.submit(CLIP, "0a.1.2")


async def test_a_remix_of_its_own_video_goes_to_that_videos_path_and_any_other_is_made_anew(script, provider):
    script.replies["*"] = {"status": 200, "json": {"id": "video_2"}}
    earlier = Earlier(prompt="a boat", seconds=4.0, seed=None, ticket=Ticket("video_1"))
    await provider.submit(replace(CLIP, prompt="at night", remixes=earlier), "k1")
    await provider.submit(replace(CLIP, prompt="at night", remixes=replace(earlier, ticket=None)), "k2")
    assert [request["path"] for request in script.asked] == ["/v1/videos/video_1/remix", "/v1/videos"]
    assert script.asked[0]["json"] == {"prompt": "at night"}


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (404, "video_not_found", Vanished),
        (410, "gone", Vanished),
        (404, "model_not_found", Misconfigured),
        (405, "method_not_allowed", Misconfigured),
        (404, None, Uncertain),
    ],
)
async def test_a_video_to_vary_that_is_gone_says_nothing_of_the_provider(
    script, provider, status, code, fault
):
    said = {"json": {"error": {"code": code, "message": "no"}}} if code else {"text": "<html>"}
    script.replies["*"] = {"status": status, **said}
    earlier = Earlier(prompt="a boat", seconds=4.0, seed=None, ticket=Ticket("video_1"))
    with pytest.raises(fault):
        await provider.submit(replace(CLIP, remixes=earlier), "k1")


async def test_an_extension_starts_from_the_last_frame_of_its_film(script, provider):
    script.replies["*"] = {"status": 200, "json": {"id": "video_2"}}
    frame = Frame(PictureRole.BEFORE, "image/png", b"picture")
    earlier = Earlier(prompt="a boat", seconds=8.0, seed=None, ticket=None, last_frame=frame)
    first = Frame(PictureRole.FIRST, "image/png", b"another")
    await provider.submit(replace(CLIP, frames=(first,), extends=earlier), "k")
    assert ("input_reference", ("input_reference.png", "image/png", b"picture")) in script.asked[0]["form"]


@pytest.mark.parametrize(
    ("status", "waits"), [("queued", True), ("pending", True), ("in_progress", False), ("odd", False)]
)
async def test_a_job_that_is_queued_is_known_not_to_have_begun(script, provider, status, waits):
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": status, "progress": 0}}
    assert await provider.poll(Ticket(ID)) == Pending(0, waits=waits)


@pytest.mark.parametrize(
    ("told", "ours"), [("0a.1.1", True), ("0a.1.2", True), (None, True), ("0a.2.1", False), ("0b.1.1", False)]
)
async def test_what_was_made_for_another_is_not_what_was_asked_for(script, provider, told, ours):
    script.replies["*"] = {"status": 200, "json": {"id": ID, "status": "queued"}}
    ticket = await provider.submit(CLIP, "0a.1.1")
    script.replies["*"] = {
        "status": 200,
        "json": {"id": ID, "status": "completed"} | ({"idempotency_key": told} if told else {}),
    }
    if ours:
        assert await provider.poll(ticket) == Done({"id": ID})
    else:
        with pytest.raises(Vanished, match=told):
            await provider.poll(ticket)
