"""What stands before every body that our own routes read."""

import json
from typing import Any, cast

from starlette.applications import Starlette

from filmgate.web.threshold import Threshold


class Log:
    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def event(self, event: str, **fields: object) -> None:
        self.told.append({"event": event, **fields})


class BrokenDoorman:
    async def owner(self, request: object) -> None:
        raise RuntimeError("a bug")


async def test_a_bug_at_the_door_is_answered_in_our_form_and_logged() -> None:
    log = Log()
    gate = Threshold(Starlette(), cast("Any", BrokenDoorman()), cast("Any", None), log)
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/gate/v1/tasks", "query_string": b"", "headers": []}
    await gate(scope, receive, send)
    assert (said[0]["status"], json.loads(said[1]["body"])["error"]["code"]) == (500, "internal_error")
    [told] = log.told
    assert (told["event"], type(told["error"])) == ("http.broken", RuntimeError)
