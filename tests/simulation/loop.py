"""One thread, one loop: time that jumps, and an order of things that is a function of the seed.

Whatever runs belongs to a process, which may be frozen or die between any two steps; a dead one runs nothing more, not
even what would tidy up. What belongs to none is the machinery: database calls. They go first, and nothing else goes on
while one is out, so that how fast the database is decides nothing.
"""

import asyncio
import contextvars
import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, cast

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_PATIENCE_S: Final = 0.003
_SILENCE_S: Final = 60.0
_BURIALS: Final = 50


class Process:
    """What may be stopped, continued and killed as a whole."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen = False
        self.held: list[asyncio.Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.fuse: tuple[int, Callable[[], None]] | None = None
        """After how many more database calls it dies, and who is told of it."""

    def burn(self) -> None:
        """Count a database call that was made: one that dies by it never hears what came of it."""
        if self.fuse is None:
            return
        left, tell = self.fuse
        self.fuse = (left - 1, tell)
        if left <= 1:
            self.fuse, self.alive = None, False
            tell()


PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Calls(Protocol):
    """The database calls that are out."""

    def waiting(self) -> bool:
        """Tell whether a reply will come without anybody else going on."""
        ...

    def stalled(self) -> None:
        """No reply came for a moment: find out whether one can come."""
        ...


class Stalled(RuntimeError):  # noqa: N818  # it is what happened
    """Nothing can ever go on."""


class Tape:
    """What happened, as a digest and, where it is wanted, as text."""

    def __init__(self, keep: bool = False) -> None:
        self._hash = hashlib.blake2b(digest_size=8)
        self.lines: list[str] | None = [] if keep else None
        self.count = 0

    def write(self, line: str) -> None:
        self._hash.update(line.encode())
        self.count += 1
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class NumberedTask(asyncio.Task[Result]):
    """A task that a set finds by its number: by its address, the order of a set of tasks would be that of the memory."""

    def __init__(self, coroutine: Coroutine[Any, Any, Result], *, number: int, **known: Any) -> None:
        self._number = number
        super().__init__(coroutine, **known)

    def __hash__(self) -> int:
        return self._number


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop of which every choice is drawn from `dice`."""

    # The parts of a loop that its stubs do not name.
    _ready: deque[Any]
    _selector: Any
    _process_events: Callable[[Any], None]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._number = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._runnable: list[Any] = []
        self.set_task_factory(cast("Any", _numbered))
        self.dice = random.Random(0)
        self.tape = Tape()
        self.calls: Calls | None = None
        self.steps = 0
        self.burying = False
        self._lull: asyncio.Future[None] | None = None

    def begin(self, seed: int, tape: Tape) -> None:
        """Start a new world at second 0; what the last one left is forgotten."""
        self.dice, self.tape, self.steps = random.Random(seed), tape, 0
        self._now, self.burying = 0.0, False
        self._number = 0
        self._ready.clear()
        self._runnable.clear()
        self._timers.clear()

    def time(self) -> float:
        return self._now

    def number(self) -> int:
        """Count what is made in this world."""
        self._number += 1
        return self._number

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Of what is due in one moment, what was asked for first comes first; a heap alone has an order of its own."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self.number(), timer))
        return timer

    def run_in_executor(self, executor: object, func: Callable[..., Result], *args: Any) -> Any:  # type: ignore[override]  # the stubs know more of the arguments
        """Do it at once: threads have an order of their own."""
        future: asyncio.Future[Result] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # it is the caller's
            future.set_exception(error)
        return future

    def spawn(self, process: Process, coroutine: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Start something as a part of a process."""
        context = contextvars.Context()
        context.run(PROCESS.set, process)
        task = self.create_task(coroutine, context=context)
        process.tasks.append(task)
        return task

    def operate(self, coroutine: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Start something as a part of the machinery."""
        return self.create_task(coroutine, context=contextvars.Context())

    def note(self, what: str) -> None:
        """Write down what happens just now, and to whom."""
        process = PROCESS.get()
        self.tape.write(f"{self._now:.6f} {process.name if process else '-'} {what}\n")

    def thaw(self, process: Process) -> None:
        process.frozen = False
        self._runnable += process.held
        process.held.clear()

    async def bury(
        self, dead: Iterable[Process], tasks: Callable[[], "Collection[asyncio.Task[Any]]"]
    ) -> None:
        """Let what belongs to dead processes run once more, so that it can end; no more time passes."""
        self.burying = True
        for process in dead:
            self._ready += process.held
            process.held.clear()
        self._ready += self._runnable
        self._runnable.clear()
        for _ in range(_BURIALS):
            left = tasks()
            if not left:
                return
            for task in left:
                task.cancel()
            self._lull = self.create_future()
            await self._lull

    def _run_once(self) -> None:
        machinery = self._sorted()
        if machinery:
            for handle in machinery:
                if not handle._cancelled:
                    handle._run()
            return
        if self._stopping:
            return
        waiting = self.calls is not None and self.calls.waiting()
        if self._lull is not None and not waiting:
            self._lull.set_result(None)
            self._lull = None
        elif self.calls is None or (self.burying and not waiting):
            # There is no world yet, or no more: what is awaited comes from outside.
            self._hear(_SILENCE_S)
        elif waiting:
            self._hear(_PATIENCE_S)
        elif self._runnable:
            self._choose()
        else:
            self._jump()

    def _sorted(self) -> list[Any]:
        """Take what became ready: give the machinery's part, and keep the rest for a draw."""
        machinery: list[Any] = []
        while self._ready:
            handle = self._ready.popleft()
            context = handle._context
            if self.burying or context.get(PROCESS) is None:
                machinery.append(handle)
            else:
                self._runnable.append(handle)
        return machinery

    def _choose(self) -> None:
        place = self.dice.randrange(len(self._runnable))
        handle = self._runnable[place]
        self._runnable[place] = self._runnable[-1]
        self._runnable.pop()
        process = handle._context.get(PROCESS)
        if process is None or process.frozen or not process.alive:
            if process is not None:
                process.held.append(handle)
            return
        if handle._cancelled:
            return
        self.steps += 1
        handle._run()

    def _hear(self, timeout_s: float) -> None:
        events = self._selector.select(timeout_s)
        if events:
            self._process_events(events)
        elif self.calls is not None:
            self.calls.stalled()

    def _jump(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Stalled(f"at {self._now:.3f} nothing can go on")
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                self._ready.append(timer)


def _numbered(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Result], **known: Any
) -> NumberedTask[Result]:
    return NumberedTask(coroutine, number=cast("SimulatedLoop", loop).number(), loop=loop, **known)
