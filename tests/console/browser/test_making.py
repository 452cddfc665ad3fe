"""Making films on the page: orders, phases, the film, and all that may go wrong on the way."""

import asyncio
import base64
import json
import os
import shutil

import pytest

SPOKEN = """window.spoken = []; new MutationObserver(() =>
  spoken.push(document.querySelector('#news').textContent)).observe(
  document.querySelector('#news'), {childList: true, characterData: true, subtree: true});"""
FILM = "(v => [new URL(v.src).pathname, v.currentTime > 0, v.muted, v.getAttribute('aria-label')])"
FILM += "(document.querySelector('#film'))"


async def test_a_prompt_becomes_a_film_that_plays(studio, gate, small_film):
    gate.speed = 1
    await studio.value(SPOKEN)
    await studio.write("#prompt", "A light crosses the room")
    await studio.click("#generate")
    await studio.until_look("running")
    await studio.until("document.querySelector('#bar').getAttribute('aria-valuenow') > 0")
    await studio.until_look("done")
    await studio.until("document.querySelector('#film').currentTime > 0.2")

    assert gate.bodies == [
        {"prompt": "A light crosses the room", "model": "animatic", "size": "1280x720", "seconds": 8}
    ]
    address = f"/files/{next(iter(gate.tasks))}/v.mp4"
    assert await studio.value(FILM) == [address, True, True, "Film: A light crosses the room (no captions)"]
    measured = f"{small_film.stat().st_size / 1e6:.1f} MB"
    assert await studio.text("#facts") == f"Done 2.0 s 320x180 24 fps {measured} made in 0:01"
    link = "(a => [new URL(a.href).pathname, a.download])(document.querySelector('#actions a'))"
    assert await studio.value(link) == [address, "A-light-crosses-the-room.mp4"]
    spoken = await studio.value("spoken")
    phases = ["Queued", "Preparing", "Generating", "Saving", "Done"]
    assert spoken == [phase for phase in phases if phase in spoken]
    assert {"Queued", "Done"} <= set(spoken)


async def test_films_come_back_after_a_reload(studio, gate):
    for prompt in ("first", "second"):
        await studio.write("#prompt", prompt)
        await studio.press("Enter", modifiers=2)
        await studio.until_text("#told", prompt)
        await studio.until_look("done")
    await studio.open(f"{studio.address}/?again")
    await studio.until_studio()
    captions = "[...document.querySelectorAll('.caption')].map(c => c.textContent)"
    assert await studio.value(captions) == ["second", "first"]
    await studio.until("[...document.querySelectorAll('.frame img')].every(i => i.naturalWidth > 0)")
    assert await studio.value(
        "[document.querySelector('#film').paused, document.querySelector('#prompt').value]"
    ) == [
        True,
        "second",
    ]
    await studio.click("#strip li:nth-child(2) button")
    assert await studio.text("#told") == "first"


async def test_a_film_in_the_making_is_picked_up_after_a_reload(studio, gate):
    gate.speed = 0.5
    await studio.click("#generate")
    await studio.until_look("running")
    await studio.open(f"{studio.address}/?again")
    await studio.until_look("running")
    gate.speed = 20
    await studio.until_look("done")


async def test_a_failure_is_said_in_plain_words_and_what_was_typed_stays(studio):
    await studio.write("#prompt", "fail please")
    await studio.click("#generate")
    await studio.until_look("failed")
    assert await studio.text("#card") == (
        "Failed The provider refused this request: the prompt names a real person. Nothing was charged. "
        "Change the prompt or the pictures."
    )
    assert await studio.value("document.querySelector('#prompt').value") == "fail please"


async def test_a_refused_order_can_be_tried_again(studio, gate):
    gate.refusing = "prompt_too_long"
    await studio.write("#prompt", "too long")
    await studio.click("#generate")
    await studio.until_text("#mishap")
    assert await studio.text("#mishap") == "prompt has 9 characters; 8 is the most. Try again"
    assert await studio.value("document.querySelector('#prompt').getAttribute('aria-invalid')") == "true"
    gate.refusing = None
    await studio.click("#mishap button")
    await studio.until_look("done")
    assert await studio.text("#mishap") == ""
    studio.faults.clear()


async def test_an_order_whose_answer_was_lost_is_never_a_second_film(studio, gate):
    gate.losing = 4
    await studio.click("#generate")
    await studio.until_text("#mishap")
    assert await studio.text("#mishap") == ("The gate answered with 504. What you typed is kept. Try again")
    await studio.click("#generate")
    await studio.until_look("done")
    assert (len(gate.bodies), len(gate.tasks)) == (5, 1)
    await studio.click("#generate")
    await studio.until("document.querySelectorAll('#strip li').length === 2")
    studio.faults.clear()


async def test_a_lost_line_is_said_and_found_again(studio, gate):
    gate.speed = 0.1
    await studio.click("#generate")
    await studio.until_look("running")
    gate.silent = True
    await studio.until_text("#connection")
    assert await studio.text("#connection") == "Reconnecting…"
    gate.silent, gate.speed = False, 20
    await studio.until_look("done")
    studio.faults.clear()


async def test_a_picture_is_checked_here_and_sent_as_a_data_uri(studio, gate, small_film, tmp_path):
    picture, words = small_film.with_suffix(".webp"), tmp_path / "words.txt"
    words.write_text("no picture")
    node = await studio.tell("Runtime.evaluate", expression="document.querySelector('#picture')")
    put = {"objectId": node["result"]["objectId"]}
    await studio.tell("DOM.setFileInputFiles", files=[str(words)], **put)
    await studio.until_text("#mishap")
    assert await studio.text("#mishap") == "words.txt is no JPEG, PNG or WebP picture."
    await studio.tell("DOM.setFileInputFiles", files=[str(picture)], **put)
    await studio.until("document.querySelector('#preview').naturalWidth === 320")
    await studio.click("#generate")
    await studio.until_look("done")
    content = base64.b64encode(picture.read_bytes()).decode()
    assert gate.bodies[0]["image"] == f"data:image/webp;base64,{content}"


async def test_what_a_model_lacks_is_absent(studio, gate):
    await studio.value(
        "(m => { m.value = 'words-only'; m.dispatchEvent(new Event('change')); })(window.model)"
    )
    shown = "[document.querySelector('#picture-field').checkVisibility(), "
    shown += "[...document.querySelectorAll('#length input')].map(i => i.value).join()]"
    assert await studio.value(shown) == [False, "4,6,8"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl is installed")
async def test_the_copied_command_orders_the_same_film(studio, gate, tmp_path):
    (tmp_path / "a picture.png").write_bytes(b"bytes" * 60_000)
    said = {
        "prompt": 'it\'s "quoted" $HOME `id`\n雨夜',
        "model": "animatic",
        "size": "1280x720",
        "seconds": 8,
    }
    picture = {"name": "a picture.png", "type": "image/png"}
    for order, file in ((said, None), (said | {"image": "as a file"}, picture)):
        arguments = ", ".join(json.dumps(one) for one in (order, studio.address, file))
        command = await studio.value(f"import('/console/curl.js').then(m => m.curlOf({arguments}))")
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=tmp_path, env={**os.environ, "FILMGATE_API_KEY": "sk-stub"},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0
    content = base64.b64encode(b"bytes" * 60_000).decode()
    assert gate.bodies == [said, said | {"image": f"data:image/png;base64,{content}"}]
