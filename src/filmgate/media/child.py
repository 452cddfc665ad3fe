"""One of our own modules as a child process that can be killed at any moment and never outlives its limits.

The child reads its job on stdin and answers with JSON objects, one a line, on stdout. An object with the
field `payload_bytes` is followed, after its line's end, by that many raw bytes.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from filmgate.media.messages import Message, MessageReader, NotAMessageError

STDIN: Final = 0
STDERR: Final = 2
STDERR_TAIL_BYTES: Final = 8 * 1024
STDIN_SLICE_BYTES: Final = 256 * 1024
# What the interpreter needs to start and find its libraries; no secret of the gate is among it.
INHERITED: Final = (
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "TZ",
)


class ChildError(Exception):
    """The child did not end well. `stderr_tail` holds its last words.

    ChildError
    ├── ChildTimeoutError   it ran past its wall limit
    ├── ChildKilledError    a signal ended it: SIGXCPU is its CPU limit
    ├── ChildFailedError    it ended with a status other than 0
    └── ChildProtocolError  it wrote what is no message
    """

    def __init__(self, text: str, stderr_tail: str) -> None:
        super().__init__(f"{text}: {stderr_tail}" if stderr_tail else text)
        self.stderr_tail = stderr_tail


class ChildTimeoutError(ChildError):
    pass


class ChildKilledError(ChildError):
    def __init__(self, module: str, number: int, stderr_tail: str) -> None:
        self.signal = signal.Signals(number)
        super().__init__(f"{module} was ended by {self.signal.name}", stderr_tail)


class ChildFailedError(ChildError):
    def __init__(self, module: str, status: int, stderr_tail: str) -> None:
        super().__init__(f"{module} ended with status {status}", stderr_tail)
        self.status = status


class ChildProtocolError(ChildError):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """`memory_bytes` is address space; `processes` 0 forbids forks and threads, None leaves them alone."""

    wall_s: float
    cpu_s: int
    memory_bytes: int
    file_bytes: int
    open_files: int = 64
    processes: int | None = None
    niceness: int = 10


async def run(
    module: str,
    *arguments: str,
    limits: ChildLimits,
    stdin: Sequence[bytes] = (),
    on_message: Callable[[Message], None] = lambda _: None,
) -> None:
    """Run `python -m MODULE ARGUMENTS` until it has ended with status 0, else raise ChildError.

    `on_message` is called on the event loop; what it raises kills the child and is raised here. When this
    is cancelled, the child and its whole process group are dead before the cancellation goes on.
    """
    transport, conversation = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Conversation(on_message),
        *_command(module, arguments, limits),
        env={name: os.environ[name] for name in INHERITED if name in os.environ},
        start_new_session=True,
    )
    conversation.exited.add_done_callback(lambda _: transport.close())
    deadline = asyncio.timeout(limits.wall_s)
    try:
        async with deadline:
            await conversation.feed(transport, stdin)
            await conversation.finished
        if conversation.failure is not None:
            raise conversation.failure
    except TimeoutError:
        if not deadline.expired():
            raise
        text = f"{module} took longer than {limits.wall_s:g} s"
        raise ChildTimeoutError(text, conversation.last_words()) from None
    except NotAMessageError as error:
        raise ChildProtocolError(f"{module} wrote no message: {error}", conversation.last_words()) from error
    finally:
        conversation.finished.cancel()
        _kill(transport)
        # The kernel alone is waited for. A second cancellation leaves at once, and the loop still reaps.
        await asyncio.shield(conversation.exited)
    _judge(module, transport.get_returncode(), conversation.last_words())


class _Conversation(asyncio.SubprocessProtocol):
    """Everything is read as it comes, so no pipe is ever full and no close waits for a reader."""

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.failure: Exception | None = None
        self._on_message = on_message
        self._reader = MessageReader()
        self._writable = asyncio.Event()
        self._writable.set()
        self._stderr = b""

    def last_words(self) -> str:
        return self._stderr.decode(errors="replace").strip()

    async def feed(self, transport: asyncio.SubprocessTransport, parts: Sequence[bytes]) -> None:
        pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(STDIN))
        for part in parts:
            view = memoryview(part)
            for start in range(0, len(view), STDIN_SLICE_BYTES):
                await self._writable.wait()
                if pipe.is_closing() or self.finished.done():
                    return
                pipe.write(view[start : start + STDIN_SLICE_BYTES])
        pipe.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == STDERR:
            self._stderr = (self._stderr + data)[-STDERR_TAIL_BYTES:]
        elif not self.finished.done():
            self._deliver(data)

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        if fd == STDIN:
            self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def process_exited(self) -> None:
        self.exited.set_result(None)

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)

    def _deliver(self, data: bytes) -> None:
        try:
            for message in self._reader.read(data):
                self._on_message(message)
        except Exception as error:  # noqa: BLE001  It belongs to the caller of run, who waits for it there.
            self.failure = error
            self.finished.set_result(None)
            self._writable.set()


def _command(module: str, arguments: Sequence[str], limits: ChildLimits) -> list[str]:
    confinement: dict[str, int | None] = {
        "parent": os.getpid(),
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
        "open_files": limits.open_files,
        "processes": limits.processes,
        "niceness": limits.niceness,
    }
    # -P: a file named like a library in the folder where the gate was started must not be imported.
    prelude = [sys.executable, "-P", "-m", "filmgate.media.limits", json.dumps(confinement)]
    return [*prelude, module, *arguments]


def _kill(transport: asyncio.SubprocessTransport) -> None:
    if transport.get_returncode() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(transport.get_pid(), signal.SIGKILL)


def _judge(module: str, status: int | None, stderr_tail: str) -> None:
    if status is None or status == 0:
        return
    if status < 0:
        raise ChildKilledError(module, -status, stderr_tail)
    raise ChildFailedError(module, status, stderr_tail)
