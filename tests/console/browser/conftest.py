"""A real Chromium, driven through its DevTools protocol."""

import asyncio
import ctypes
import itertools
import json
import os
import shutil
from contextlib import asynccontextmanager

import aiohttp
import pytest

from filmgate.domain.task import Owner
from kit.gates import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-port=0",
)
_PATIENCE_S = 20.0
_PR_CAPBSET_DROP, _CAP_SYS_NICE = 24, 23


class Page:
    """One tab; what it logged as an error is kept in `faults`."""

    def __init__(self, socket_):
        self._socket = socket_
        self._numbers = itertools.count(1)
        self._answers = {}
        self.faults = []

    async def read(self):
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.faults.append(said["params"]["exceptionDetails"])
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.faults.append(said["params"]["entry"])

    async def tell(self, method, **parameters):
        no = next(self._numbers)
        self._answers[no] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": no, "method": method, "params": parameters})
        async with asyncio.timeout(_PATIENCE_S):
            said = await self._answers[no]
        assert "error" not in said, said
        return said["result"]

    async def value(self, script):
        said = await self.tell(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, script):
        async with asyncio.timeout(_PATIENCE_S):
            while not (found := await self.value(script)):  # noqa: ASYNC110  # another program has no event of ours
                await asyncio.sleep(0.05)
        return found

    async def text(self, selector):
        return await self.value(_text_of(selector))

    async def until_text(self, selector, text=None):
        """Wait for this text, or for any."""
        await self.until(_text_of(selector) + ("" if text is None else f" === {json.dumps(text)}"))
        return await self.text(selector)

    async def until_look(self, look):
        """Wait until the stage is `empty`, `running`, `done` or `failed`."""
        await self.until(f"document.querySelector('#stage').dataset.look === '{look}'")

    async def until_studio(self):
        await self.until("document.body?.dataset.view === 'studio'")

    async def look(self, width, height, language="en-US"):
        await self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.tell("Network.setUserAgentOverride", userAgent="Chromium", acceptLanguage=language)

    async def open(self, address):
        await self.tell("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def click(self, selector):
        box = "(e => { e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
        box += " return [b.x + b.width / 2, b.y + b.height / 2]; })(document.querySelector("
        x, y = await self.value(f"{box}{json.dumps(selector)}))")
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def write(self, selector, text):
        await self.value(f"document.querySelector({json.dumps(selector)}).select()")
        await self.tell("Input.insertText", text=text)

    async def press(self, key, modifiers=0):
        code = {"Enter": 13, "Tab": 9, "ArrowRight": 39}[key]
        text = "\r" if key == "Enter" else ""
        for kind in ("keyDown", "keyUp"):
            await self.tell(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                text=text if kind == "keyDown" else "",
                modifiers=modifiers,
                windowsVirtualKeyCode=code,
            )


@asynccontextmanager
async def browsing(folder, *flags):
    """Start a Chromium of our own and give its one tab."""
    # Where HOME cannot be written, Chromium's crash reporter keeps it from starting.
    environment = {**os.environ, "HOME": str(folder)}
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank", preexec_fn=_lose_realtime,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        address = await _devtools(process)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://{address}/json/list") as answer:
                tabs = await answer.json()
            tab = next(tab for tab in tabs if tab["type"] == "page")
            async with client.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket_:
                page = Page(socket_)
                reading = asyncio.create_task(page.read())
                for domain in ("Page", "Runtime", "Log"):
                    await page.tell(f"{domain}.enable")
                yield page
                reading.cancel()
    finally:
        process.kill()
        await process.communicate()


def _lose_realtime():
    # Root's Chromium plays films in real-time threads, which starve a small machine and all other tests on it.
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)


async def _devtools(process):
    async with asyncio.timeout(_PATIENCE_S):
        while line := (await process.stderr.readline()).decode():
            if "DevTools listening on ws://" in line:
                return line.split("ws://")[1].split("/")[0]
    raise AssertionError("Chromium did not start")


@pytest.fixture(scope="session")
async def tab(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    async with browsing(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
async def studio(tab, gate, serving):
    """The page of a gate of its own, signed in, in English, at a desk; nothing may go wrong on it unseen."""
    await tab.tell("Network.clearBrowserCookies")
    await tab.look(1280, 800)
    async with serving(gate, free_port()) as tab.address:
        gate.speed = 3
        await enter(tab, gate)
        tab.faults.clear()
        yield tab
        await tab.open("about:blank")
        assert tab.faults == []


async def enter(page, gate):
    ticket = gate.sessions.issue_ticket(Owner(account_id=7, key_id=3))
    await page.open(f"{page.address}/signin?ticket={ticket}")
    await page.value("localStorage.clear()")
    await page.open(f"{page.address}/?fresh")
    await page.until_studio()


def _text_of(selector):
    return f"document.querySelector({json.dumps(selector)}).innerText.replace(/\\s+/g, ' ').trim()"
