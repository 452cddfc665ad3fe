"""Customers of a run: each has a key, asks under an Idempotency-Key until it is told something, and writes that down."""

import asyncio
import base64
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from chaos.shelf import THEIRS
from chaos.site import Site
from kit.logs import Told
from kit.wires import picture

ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "expired"})
PATIENCE: Final = aiohttp.ClientTimeout(total=20, connect=3)
# What a vendor does, as the prompt asks it to; most films are made without ado.
LIES: Final = (
    *[""] * 9,
    *("fail", "filtered", "refuse", "no-video", "never", "fail:1", "error-after-accept", "cut-body"),
    *("busy", "unavailable", "error-unmade", "lost-request", "backwards", "falling", "undone", "lost-poll"),
    *("truncated", "html", "missing-film", "cut-film", "slow-submit:2", "slow:3", "callback-early"),
)
CANCEL_LIES: Final = ("", "", "slow:5", "no-cancel,slow:4", "slow-cancel:1,slow:5", "lost-cancel,slow:5")
ANIMATIC: Final = "animatic"
DRAWN: Final = 0.05
FOLLOWED: Final = 0.08
SHIPPED: Final = 0.2
TESTS_APART_S: Final = 0.7
_PICTURE: Final = "data:image/png;base64," + base64.b64encode(picture(1280, 720)).decode()
# What is asked of which vendor, and what it does. Only one that also says whose film a job is can be served by a gate that
# trusts it.
FASHIONS: Final[Mapping[str, tuple[str, str]]] = {
    "blind": ("blind", ""),
    "same id": ("asked", "same-id"),
    "unheard": ("asked", "lost-request"),
    "unanswered": ("replayed", "lost-request:99"),
}
_RICH: Final = 10**9
_POOR: Final = 20 * 400_000


@dataclass(frozen=True, slots=True)
class Account:
    """`secrets` sign what comes to an address, by its path; `endpoint` is the id of one."""

    id: int
    name: str
    key: str
    secrets: Mapping[str, str]
    endpoint: str


def register(site: Site, names: Sequence[str] = ("rich", "free", "poor")) -> list[Account]:
    """Make the accounts: one prepaid and rich, one that spends freely, one that runs out of money."""
    made = []
    for name in names:
        key = site.ask("POST", "/admin/v1/keys", {"name": name, "account": name, "soften": name == "free"})[
            "key"
        ]
        if name != "free":
            site.ask("PATCH", f"/admin/v1/accounts/{name}", {"credit_micros": 0})
            gift = {"amount_micros": _RICH if name == "rich" else _POOR, "reason": "chaos"}
            site.ask("POST", f"/admin/v1/accounts/{name}/topup", gift)
        endpoint = {
            "name": name,
            "url": f"http://127.0.0.1:{site.receiver_port}/endpoint/{name}",
            "event_types": ["video.completed", "video.failed"],
        }
        told = site.ask("POST", "/gate/v1/webhook_endpoints", endpoint, key=key)
        callback = site.ask("GET", "/gate/v1/webhook_secret", key=key)["signing_secret"]
        ids = {row["name"]: row["id"] for row in site.ask("GET", "/admin/v1/accounts")["data"]}
        secrets = {f"/endpoint/{name}": told["signing_secret"], f"/callback/{name}": callback}
        made.append(Account(ids[name], name, key, secrets, told["id"]))
    return made


@dataclass
class Crowd:
    """`running` holds wishes that somebody still waits for; `texts` is all that anybody was answered with an error."""

    site: Site
    accounts: Sequence[Account]
    dice: random.Random
    session: aiohttp.ClientSession
    kinds: Sequence[str]
    told: list[Told] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    made: int = 0
    running: set["asyncio.Task[None]"] = field(default_factory=set)
    plain: bool = False
    """Whether all wish for a simple film, and wait."""

    def wish(self, after: "Wish | None" = None) -> None:
        """Begin a wish; one `after` another goes on from its film."""
        self.made += 1
        task = asyncio.create_task(Wish(self, self.made, after).go())
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def ask(
        self, method: str, path: str, account: Account, body: Any = None, key: str | None = None
    ) -> tuple[int, Any] | None:
        """Ask any of the servers; None where no answer came that says anything."""
        headers = {"Authorization": f"Bearer {account.key}"} | (
            {} if key is None else {"Idempotency-Key": key}
        )
        address = f"http://127.0.0.1:{self.dice.choice(self.site.ports)}{path}"
        try:
            async with self.session.request(method, address, json=body, headers=headers) as reply:
                said = await reply.json(content_type=None)
                if reply.status >= 400:
                    self.texts.append(await reply.text())
                return None if reply.status >= 500 else (reply.status, said)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None


async def keep_testing(crowd: "Crowd") -> None:
    """Have customers try their endpoints now and then."""
    while True:
        await asyncio.sleep(TESTS_APART_S)
        account = crowd.dice.choice(crowd.accounts)
        path = f"/gate/v1/webhook_endpoints/{account.endpoint}/test"
        await crowd.ask("POST", path, account, {"event_type": "video.completed"})


class Wish:
    """One film of one customer, from asking to its end."""

    def __init__(self, crowd: Crowd, number: int, after: "Wish | None" = None) -> None:
        self.crowd = crowd
        # Each wish has dice of its own, so that a seed asks for the same films whatever is answered when.
        self.dice = random.Random(f"{crowd.dice.random()} {number}")
        self.after = after
        self.account: Account = self.dice.choice(crowd.accounts) if after is None else after.account
        self.number = number
        self.key = f"key-{number}"
        self.kind: str = self._kind() if after is None else after.kind
        self.cancels = not crowd.plain and after is None and self.dice.random() < 0.15
        self.wish = ""
        self.task: str | None = None

    async def go(self) -> None:
        body = self._body()
        if self.after is None and not self.crowd.plain:
            body = self._fashionable(body)
        self.wish = body["prompt"]
        twin = self.dice.random() < 0.15
        await asyncio.gather(*(self._submit(body) for _ in range(1 + twin)))
        if self.task is None:
            return
        if self.cancels:
            await asyncio.sleep(self.dice.uniform(0, 2))
            await self._cancel()
        await self._watch()

    def _kind(self) -> str:
        drawn = not self.crowd.plain and self.dice.random() < DRAWN
        return ANIMATIC if drawn else self.dice.choice(self.crowd.kinds)

    def _body(self) -> dict[str, Any]:
        dice = self.dice
        if self.after is not None:
            return {"task_id": self.after.task, "model": self.kind, "prompt": f"wish {self.number} goes on"}
        if self.kind == ANIMATIC:
            lie = dice.choice(("", "", " --sandbox=fail", " --sandbox=slow:3"))
            said = {"prompt": f"wish {self.number}{lie}", "model": ANIMATIC, "seconds": 1, "size": "360x640"}
            return said | ({"image": _PICTURE} if dice.random() < 0.5 else {})
        lie = "" if self.crowd.plain else dice.choice(CANCEL_LIES if self.cancels else LIES)
        body: dict[str, Any] = {
            "prompt": f"wish {self.number}" + (f" --mirage={lie}" if lie else ""),
            "model": self.kind,
            "seconds": 4,
            "size": "1280x720",
        }
        if self.crowd.plain:
            return body
        if dice.random() < 0.5:
            body["callback_url"] = (
                f"http://127.0.0.1:{self.crowd.site.receiver_port}/callback/{self.account.name}"
            )
        if dice.random() < 0.15:
            body["prompt_extend"] = "and on" + (" --mirage=fail" if dice.random() < 0.4 else "")
        if dice.random() < 0.1:
            body["image"] = _PICTURE
        body["enhance"] = dice.random() < 0.2
        body["upsample"] = dice.random() < 0.04
        if self.crowd.site.shelf is not None and dice.random() < SHIPPED:
            body["deliver_to"] = THEIRS
        return body

    def _fashionable(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for what is wished for just now."""
        wished = self.crowd.site.wished
        simple = {"prompt": f"wish {self.number}", "seconds": 4, "size": "1280x720"}
        if wished == "picture":
            return body | {"image": _PICTURE}
        if wished == "longer":
            return {**simple, "model": self.crowd.kinds[0], "prompt_extend": "and on"}
        if wished == "larger":
            return {**simple, "model": ANIMATIC, "seconds": 1, "size": "360x640", "upsample": True}
        model, lie = FASHIONS.get(wished, ("", ""))
        if model not in self.crowd.kinds:
            return body
        # Between two that are told of one id there is one that is told of its own.
        lie = "" if wished == "same id" and self.number % 2 == 0 else lie
        said = f" --mirage={lie}" if lie else ""
        return {**simple, "model": model, "prompt": f"wish {self.number}{said}"}

    async def _submit(self, body: dict[str, Any]) -> None:
        for no in range(400):
            began = time.monotonic()
            path = "/gate/v1/tasks" if self.after is None else "/v1/video/extend"
            answer = await self.crowd.ask("POST", path, self.account, body, self.key)
            if answer is not None and answer[0] == 200:
                # A dialect tells no more than a name.
                answer = await self.crowd.ask("GET", f"/gate/v1/tasks/{answer[1]['id']}", self.account)
            if answer is None or answer[0] in {409, 429}:
                await asyncio.sleep(self.dice.uniform(0.05, 0.5) * (1 if no < 20 else 4))
                continue
            if answer[0] not in {200, 201}:
                self._note("refused", began, None)
                return
            self._note("accepted", began, answer[1])
            self.task = answer[1]["id"]
            return

    async def _cancel(self) -> None:
        for _ in range(40):
            began = time.monotonic()
            answer = await self.crowd.ask("POST", f"/gate/v1/tasks/{self.task}/cancel", self.account)
            if answer is not None:
                if answer[0] in {200, 202}:
                    self._note("cancelled" if answer[0] == 200 else "shown", began, answer[1])
                return
            await asyncio.sleep(self.dice.uniform(0.05, 0.5))

    async def _watch(self) -> None:
        state = ""
        while state not in ENDS:
            await asyncio.sleep(self.dice.uniform(0.2, 1.2))
            state = await self._look()
        if not self.crowd.plain and state == "succeeded" and self.dice.random() < FOLLOWED:
            self.crowd.wish(self)
            return
        # What was told once must not change later.
        await asyncio.sleep(self.dice.uniform(0, 5))
        await self._look()
        if not self.crowd.plain and self.dice.random() < 0.1:
            await self.crowd.ask("DELETE", f"/gate/v1/tasks/{self.task}", self.account)

    async def _look(self) -> str:
        """Give the state, empty where nothing was heard of it."""
        began = time.monotonic()
        answer = await self.crowd.ask("GET", f"/gate/v1/tasks/{self.task}", self.account)
        if answer is None:
            return ""
        if answer[0] != 200:
            self._note("hidden", began, {"id": self.task})
            return ""
        self._note("shown", began, answer[1])
        return str(answer[1]["state"])

    def _note(self, what: str, began: float, task: Mapping[str, Any] | None) -> None:
        said = task or {}
        self.crowd.told.append(
            Told(
                client=self.account.id,
                what=what,
                began=began,
                ended=time.monotonic(),
                task=said.get("id"),
                wish=self.wish,
                idempotency_key=self.key,
                state=said.get("state"),
                progress=said.get("progress"),
                cost_micros=said.get("cost_micros"),
            )
        )
