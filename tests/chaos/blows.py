"""What happens to the processes of a run: struck at failpoints, and at any moment."""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from chaos.leads import LEADS, Leader, Surroundings
from chaos.programs import Program
from chaos.site import Site
from filmgate.failing import SPRUNG

ACTS: Final = ("kill",) * 14 + ("error", "error", "cancel", "freeze", "stall")
KILLS: Final = frozenset({"kill", "engine", "worker", "web", "server", "backend killed"})
FROZEN_S: Final = (0.5, 8.0)
GONE_S: Final = (0.1, 3.0)
TICK_S: Final = 0.1
ARMED_AT_ONCE: Final = 4
MISSED_AT_ONCE: Final = 16
LEFT_TO_LEAD: Final = 14
# A point that nobody passes is armed again later.
ARMED_FOR_S: Final = 6.0
_CRASH: Final = (
    "select pid from pg_stat_activity where application_name like 'filmgate%' order by random() limit 1"
)
_CUT: Final = (
    "select pg_terminate_backend(pid) from (select pid from pg_stat_activity where pid <> pg_backend_pid() "
    "and application_name like 'filmgate%' order by random() limit 3) found"
)


@dataclass
class Blows:
    """`most` is how many kills are enough; `struck` counts by failpoint and act, `random` what came at any moment."""

    site: Site
    dice: random.Random
    points: Sequence[str]
    most: int
    every_s: float = 5.0
    acts: Sequence[str] = ACTS
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    at_random: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)
    _armed: dict[Path, float] = field(default_factory=dict)
    _deck: list[str] = field(default_factory=list)
    _thaws: list[tuple[float, int]] = field(default_factory=list)
    _next_random: float = 0.0
    _in_hand: list[Program] = field(default_factory=list)
    _blowing: "asyncio.Task[None]" = field(init=False)
    _leader: Leader = field(init=False)

    def __post_init__(self) -> None:
        around = Surroundings(self.site, self._again, self._crash_database, self._sql)
        self._leader = Leader(around, self._to_lead, self._times)

    @property
    def kills(self) -> int:
        at_points = sum(count for (_, act), count in self.struck.items() if act == "kill")
        return at_points + sum(count for name, count in self.at_random.items() if name in KILLS)

    @property
    def led(self) -> Mapping[str, int]:
        """Say how often each was led up to."""
        return self._leader.led

    @property
    def missed(self) -> Sequence[str]:
        """Name the points at which nothing was killed yet."""
        return [point for point in self.points if not self.struck[point, "kill"]]

    async def go(self, over: Callable[[], bool]) -> None:
        """Strike until it is over."""
        self._blowing = asyncio.create_task(asyncio.sleep(0))
        leading = asyncio.create_task(self._leader.go())
        while not over():
            await self.tick()
            if self.kills >= self.most:
                leading.cancel()
                self.calm()
                await asyncio.sleep(TICK_S)
                continue
            self._arm()
            if self.every_s and time.monotonic() > self._next_random and self._blowing.done():
                self._next_random = time.monotonic() + self.dice.expovariate(1 / self.every_s)
                self._blowing = asyncio.create_task(self._blow())
            await asyncio.sleep(TICK_S)
        leading.cancel()
        await asyncio.gather(self._blowing, asyncio.wait([leading]))
        if not leading.cancelled():
            leading.result()

    async def tick(self) -> None:
        """Count what was struck, let go on what was frozen long enough, start what is gone."""
        for path in (self.site.armed / SPRUNG).iterdir():
            if path.name not in self._seen:
                self._seen.add(path.name)
                said, process, _ = path.name.rsplit(".", 2)
                point, _, act = said.partition("=")
                self.struck[point, act] += 1
                if act == "freeze" and not self._leader.catches(point, int(process)):
                    self._thaw_later(int(process))
        for due, pid in list(self._thaws):
            if time.monotonic() > due:
                self._thaws.remove((due, pid))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        for program in self.site.programs:
            if not program.alive and program not in self._in_hand:
                self.restarts[program.name] += 1
                program.start()

    def calm(self) -> None:
        """Nothing more happens from now on."""
        for path in self.site.armed.glob("*=*"):
            path.unlink(missing_ok=True)
        for program in self.site.programs:
            program.wake()
        self._armed.clear()

    def _arm(self) -> None:
        now = time.monotonic()
        for path, since in list(self._armed.items()):
            # One that waits for a later passage has another name by now; it is spent sooner or later.
            if not path.exists() or now - since > ARMED_FOR_S:
                path.unlink(missing_ok=True)
                del self._armed[path]
        for _ in range(ARMED_AT_ONCE - len(self._armed)):
            self._lay(self._draw(), self.dice.choice(self.acts), now)
        # What was never hit waits until it is: few films come by there.
        standing = {path.name.partition("=")[0] for path in self._armed}
        missed = [point for point in self.missed if point not in standing and point not in LEADS]
        for point in self.dice.sample(missed, max(0, min(len(missed), MISSED_AT_ONCE - len(standing)))):
            self._lay(point, "kill", now)

    def _lay(self, point: str, act: str, now: float) -> None:
        if point in self._leader.held:
            return
        path = self.site.armed / f"{point}={act}{self.dice.choice(('', '', ':2', ':3'))}"
        path.touch()
        self._armed[path] = now + self.dice.uniform(0, ARMED_FOR_S)

    def _to_lead(self) -> str | None:
        """Give the missed point that was tried least, once so few others are left that processes live for a while."""
        missed = self.missed
        found = [point for point in missed if point in LEADS]
        if len(missed) - len(found) > LEFT_TO_LEAD:
            return None
        self.dice.shuffle(found)
        return min(found, key=lambda point: self._leader.led.get(point, 0), default=None)

    def _times(self, point: str) -> int:
        return sum(count for (name, _), count in self.struck.items() if name == point)

    def _draw(self) -> str:
        if not self._deck:
            self._deck = [point for point in self.points if self.struck[point, "kill"]] or [*self.points]
            self.dice.shuffle(self._deck)
        return self._deck.pop()

    def _thaw_later(self, pid: int) -> None:
        self._thaws.append((time.monotonic() + self.dice.uniform(*FROZEN_S), pid))

    async def _blow(self) -> None:
        blows: Sequence[tuple[str, Callable[[], Awaitable[object]]]] = (
            *[("engine", lambda: self._kill_working(self.site.workers))] * 4,
            ("web", lambda: self._kill_working(self.site.servers)),
            ("worker", lambda: self._kill(self.site.workers)),
            *[("server", lambda: self._kill(self.site.servers))] * (self.dice.random() < 0.5),
            ("frozen", self._freeze),
            *[("cut off", lambda: self._sql(_CUT))] * 2,
            ("backend killed", self._crash_database),
            ("stopped", self._stop),
            ("store gone", self._store_gone),
        )
        name, blow = self.dice.choice(blows)
        if await blow() is not False:
            self.at_random[name] += 1

    async def _kill_working(self, programs: Sequence[Program]) -> bool:
        # One that has not yet begun can lose nothing; one that is led somewhere is spared until it is there.
        programs = [program for program in programs if program in self.site.servers or program.up]
        programs = [program for program in programs if not self._leader.leads(program)]
        if not programs:
            return False
        found = await asyncio.to_thread(self.dice.choice(programs).working)
        if found is None:
            return False
        with suppress(psutil.NoSuchProcess):
            found.kill()
            return True
        return False

    async def _kill(self, programs: Sequence[Program]) -> bool:
        program = self.dice.choice(programs)
        if (program in self.site.workers and not program.up) or self._leader.leads(program):
            return False
        await self._again(program, program.kill)
        return True

    async def _again(self, program: Program, end: Callable[[], object]) -> None:
        """End a program and start it; meanwhile nobody else does."""
        self._in_hand.append(program)
        await asyncio.to_thread(end)
        program.start()
        self._in_hand.remove(program)

    async def _freeze(self) -> bool:
        found = await asyncio.to_thread(self.dice.choice(self.site.programs).working)
        if found is None or found.pid == self._leader.caught:
            return False
        with suppress(psutil.NoSuchProcess):
            found.send_signal(signal.SIGSTOP)
            self._thaw_later(found.pid)
            return True
        return False

    async def _stop(self) -> bool:
        """End a worker as an operator does, and start it again."""
        program = self.dice.choice(self.site.workers)
        if self._leader.leads(program):
            return False
        program.wake()

        def stop() -> None:
            with suppress(subprocess.TimeoutExpired):
                program.stop(20)
            program.kill()

        await self._again(program, stop)
        return True

    async def _store_gone(self) -> bool:
        """Let the buckets be gone for a moment."""
        shelf = self.site.shelf
        if shelf is None:
            return False
        await shelf.leave()
        try:
            await asyncio.sleep(self.dice.uniform(*GONE_S))
        finally:
            await shelf.come_back()
        return True

    async def _crash_database(self) -> bool:
        """Kill one of PostgreSQL's processes, upon which it ends all others and recovers."""
        found = await self._sql(_CRASH)
        if not found:
            return False
        with suppress(ProcessLookupError):
            # It runs as another user where the gate runs as root; whoever owns both may kill it.
            os.kill(found[0]["pid"], signal.SIGKILL)
        return True

    async def _sql(self, statement: str) -> Sequence[asyncpg.Record]:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(**self.site.database, timeout=5)
            try:
                return list(await connection.fetch(statement, timeout=5))
            finally:
                await connection.close()
        return []
