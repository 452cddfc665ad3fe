"""A web process of the gate: what granian runs, with the engine in its loop where it is the only one."""

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from filmgate.app import Gate, open_gate
from filmgate.failing import arm_failpoints
from filmgate.node import Node
from filmgate.telemetry import configure_logs
from filmgate.world import new_loop

_PR_SET_PDEATHSIG: Final = 1
DRAIN: Final = signal.SIGUSR1


class Application:
    """An ASGI application that opens the gate when its server starts, and closes it when that stops."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stack = AsyncExitStack()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        draining = asyncio.Event()
        # The supervisor says so before it ends this process, which first lets every request finish.
        asyncio.get_running_loop().add_signal_handler(DRAIN, draining.set)
        try:
            gate = await self._stack.enter_async_context(open_gate(self._node, draining))
        except Exception as error:  # noqa: BLE001  # the server must hear of it, or it would serve nothing for ever
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        self._app = gate.app
        engine = _start(gate) if gate.own_engine else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            if engine is not None:
                await _stop(gate, engine)
        finally:
            await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _start(gate: Gate) -> "asyncio.Task[None]":
    """Start the engine; a process whose engine has broken ends, so that its supervisor starts another."""
    engine = asyncio.create_task(gate.worker.run())

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            gate.telemetry.event("engine.broken", error=error)
            os.kill(os.getpid(), signal.SIGKILL)

    engine.add_done_callback(ended)
    return engine


async def _stop(gate: Gate, engine: "asyncio.Task[None]") -> None:
    await gate.worker.stop()
    await engine


def application() -> Application:
    """Build the application in a worker process, as its supervisor said."""
    _begin()
    return Application(Node.received())


def _begin() -> None:
    die_with_parent()
    configure_logs(pretty=sys.stderr.isatty())
    arm_failpoints()


def die_with_parent() -> None:
    """Let the kernel end this process with the one that started it: an orphan would go on serving."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def run_engine(node: Node) -> None:
    """Run the engine alone, until SIGTERM or SIGINT."""
    async with open_gate(node, asyncio.Event()) as gate:
        engine = _start(gate)
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await asyncio.wait(
            {engine, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        await _stop(gate, engine)


def main() -> None:
    """Be an engine process: `python -m filmgate.server`."""
    _begin()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run_engine(Node.received()))


if __name__ == "__main__":
    main()
