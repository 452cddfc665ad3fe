"""Whether the gate answers, and whether it can do its work."""

import json
from collections.abc import Generator
from typing import Final

from filmgate.cli.client import Gate, UnreachableError
from filmgate.cli.doctor.check import SEE_LOG, Check, fail, ok, warn
from filmgate.cli.errors import CliError
from filmgate.cli.text import Text

_HEALTH: Final = "/healthz"
_READY: Final = "/readyz"
_ASK_S: Final = 5.0
_OK: Final = 200


def ask_health(gate: Gate) -> None:
    """Ask whether the gate is alive; raise CliError, exit code 3, where it is not, or is no gate."""
    reply = gate.call("GET", _HEALTH, timeout_s=_ASK_S)
    if reply.status != _OK:
        raise gate.refusal(reply)
    try:
        said = json.loads(reply.body)
    except ValueError:
        said = None
    # Many a server answers everything with a page of its own.
    if not isinstance(said, dict) or "status" not in said:
        raise gate.no_gate(reply)


def gate_checks(gate: Gate) -> Generator[Check, None, bool]:
    """Check what anybody may see, and return whether a gate answered: nothing else is shown an operator's key."""
    base_url = gate.address.base_url
    try:
        ask_health(gate)
    except CliError as error:
        # A laptop without a running gate is well all the same.
        start = Text("Start one: filmgate serve", "启动网关：filmgate serve")
        other = error.code == "not_a_gate"
        yield warn("gate", error.text if other else _nobody(base_url), start)
        return not other and not isinstance(error, UnreachableError)
    yield ok("gate", base_url)
    yield _ready(gate)
    yield _key(gate)
    return True


def _nobody(base_url: str) -> Text:
    return Text(f"none answers at {base_url}", f"{base_url} 无响应")


def _ready(gate: Gate) -> Check:
    try:
        reply = gate.call("GET", _READY, timeout_s=_ASK_S)
        said = json.loads(reply.body)
    except (CliError, ValueError) as error:
        reason = error.text if isinstance(error, CliError) else Text("no JSON came", "返回的不是 JSON")
        return fail("ready", reason, SEE_LOG)
    waiting = "; ".join(f"{part}: {why}" for part, why in said.items() if part != "status")
    if reply.status == _OK and not waiting:
        return ok("ready", str(said.get("status", "ready")))
    way_out = Text(
        "Look at the log of filmgate serve; it goes on by itself once this is back.",
        "请查看 filmgate serve 的日志；恢复后会自动继续。",
    )
    return fail("ready", Text(waiting, waiting), way_out)


def _key(gate: Gate) -> Check:
    way_out = Text(
        "Set FILMGATE_API_KEY, or name the data folder with --data.",
        "请设置 FILMGATE_API_KEY，或用 --data 指定数据目录。",
    )
    if gate.address.key is None:
        return warn("key", Text("none is set", "未设置"), way_out)
    try:
        gate.ask("GET", "/gate/v1/models", timeout_s=_ASK_S)
    except CliError as error:
        return fail("key", error.text, way_out)
    return ok("key", gate.address.key_source)
