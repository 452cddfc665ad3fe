"""Visiting the page: languages, themes, widths, wishes, and who may come in."""

import pytest

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_language_and_theme_are_kept(studio):
    await studio.click("#language")
    await studio.click("#theme")
    seen = "[document.documentElement.lang, document.documentElement.dataset.theme, "
    seen += "document.querySelector('#generate').textContent, document.querySelector('#prompt').value]"
    kept = ["zh-CN", "light", "生成", "雨夜的街道上，一只纸船顺水漂流"]
    assert await studio.value(seen) == kept
    await studio.open(f"{studio.address}/?again")
    await studio.until_studio()
    assert await studio.value(seen) == kept


async def test_a_chinese_browser_gets_a_chinese_page_and_chinese_errors(studio, gate):
    await studio.look(1280, 800, "zh-CN")
    await studio.open(f"{studio.address}/?zh")
    await studio.until_studio()
    await studio.write("#prompt", "fail")
    await studio.click("#generate")
    await studio.until_look("failed")
    assert (await studio.text("#card")).startswith("失败 上游拒绝了该请求")


async def test_markup_in_a_prompt_is_text(studio):
    prompt = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    await studio.write("#prompt", prompt)
    await studio.click("#generate")
    await studio.until_look("done")
    assert await studio.value("document.querySelector('#told').textContent") == prompt
    assert await studio.value("document.querySelectorAll('main script, main img[src=x]').length") == 0


async def test_who_wants_no_motion_gets_a_still_film(studio):
    wish = {"name": "prefers-reduced-motion", "value": "reduce"}
    await studio.tell("Emulation.setEmulatedMedia", features=[wish])
    await studio.click("#generate")
    await studio.until_look("done")
    await studio.until("document.querySelector('#film').readyState >= 2")
    state = (
        "(v => [v.paused, v.currentTime, document.getAnimations().length])(document.querySelector('#film'))"
    )
    assert await studio.value(state) == [True, 0, 0]
    await studio.tell("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
async def test_no_width_scrolls_sideways(studio, gate, width):
    await studio.look(width, 700)
    assert await studio.value(SIDEWAYS) == 0
    await studio.click("#generate")
    await studio.until_look("running")
    assert await studio.value(SIDEWAYS) == 0
    await studio.until_look("done")
    assert await studio.value(SIDEWAYS) == 0


async def test_a_key_opens_the_page_and_signing_out_closes_it(studio, gate):
    await studio.click("#signout")
    await studio.until("document.body?.dataset.view === 'door'")
    field = "(k => [k.type, k.autocomplete, document.activeElement === k])(document.querySelector('#key'))"
    assert await studio.value(field) == ["password", "current-password", True]
    await studio.write("#key", "sk-wrong")
    await studio.press("Enter")
    await studio.until_text("#door-notice")
    assert await studio.text("#door-notice") == (
        "This key is not known here. Keys of this gate start with sk-."
    )
    await studio.write("#key", "sk-stub")
    await studio.press("Enter")
    await studio.until_studio()
    assert await studio.value("document.cookie") == ""
    studio.faults.clear()
