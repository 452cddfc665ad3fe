"""What has to come first so that a rare failpoint is passed at all: a pause, an outage, or what customers wish for."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

from chaos.programs import Program
from chaos.site import Site
from filmgate.domain.failpoint import POINTS

LOOK_S: Final = 0.05
# Until what is wished for by then is under way.
WISHED_S: Final = 3.0
CAUGHT_WITHIN_S: Final = 20.0
LONGER_THAN_A_LEASE_S: Final = 7.5
APART_S: Final = 1.0
CRASHED_S: Final = 0.15
_BROKEN: Final = """
insert into film.runs (provider, model, seconds, size, covered)
select 'blind', 'blind', 4, '1280x720', false from generate_series(1, 100)
"""
_CHILDREN: Final = ("filmgate.media.film_worker", "filmgate.animatic")


@dataclass(frozen=True, slots=True)
class Lead:
    """Who passes `at` suffers `act`; a pause ends after `pause_s`, while what `then` names comes over all.

    `wish` is what customers ask for meanwhile. After `within_s` something else is tried. Nothing may
    strike at the points that it comes `by`; who is `alone` has no other worker beside him that goes on with his films.
    """

    at: str = ""
    act: str = "freeze"
    pause_s: float = 0.3
    then: str = "nothing"
    wish: str = ""
    within_s: float = 8.0
    by: Sequence[str] = ()
    alone: bool = False
    then_at: str = ""
    """Where the same is paused again, and only then what comes over all."""
    unhurt: bool = False
    """Whether no worker is struck meanwhile, at any other point or at random: it takes one that has lived for a while."""


_LATE: Final = ("submit.before_late", "submit.after_late", "submit.late_again", "surely.again")
LEADS: Final[Mapping[str, Lead]] = {
    "collect.not_kept": Lead("collect.after_fetch", then="store away"),
    "collect.waiting": Lead(then="store away"),
    "end.unscaled": Lead("collect.after_store", then="children killed", wish="larger", within_s=15.0),
    "objects.begin_again": Lead("objects.begun", then="store restarted"),
    "objects.begun_again": Lead("objects.part_sent", then="store restarted"),
    "objects.ended_by_another": Lead("objects.parts_sent", then="store restarted"),
    "prepare.failed": Lead("prepare.before_picture", then="store away", wish="picture"),
    "reconcile.absent": Lead(wish="unheard", within_s=20.0, unhurt=True),
    "render.failed": Lead("collect.after_store", then="children killed", wish="longer"),
    "resolve.gathered": Lead(wish="unanswered", within_s=20.0, unhurt=True),
    "resolve.left_open": Lead(wish="unanswered", within_s=20.0, unhurt=True),
    "submit.after_late": Lead("submit.after_reply", pause_s=LONGER_THAN_A_LEASE_S, by=_LATE),
    "submit.before_late": Lead("submit.after_reply", pause_s=LONGER_THAN_A_LEASE_S, by=_LATE),
    "submit.late_again": Lead(
        "submit.after_reply",
        pause_s=LONGER_THAN_A_LEASE_S,
        then="database crashed",
        by=_LATE,
        then_at="submit.before_late",
    ),
    "submit.late_repeated_id": Lead(
        "submit.after_reply",
        pause_s=LONGER_THAN_A_LEASE_S,
        then="database crashed",
        wish="same id",
        within_s=12.0,
        by=(*_LATE, "submit.repeated_id"),
        alone=True,
    ),
    "submit.overtaken": Lead(
        "submit.after_intent", pause_s=LONGER_THAN_A_LEASE_S, wish="blind", by=("submit.too_late",)
    ),
    "submit.repeated_id": Lead(wish="same id"),
    "submit.taken_back": Lead(
        "submit.after_intent",
        pause_s=LONGER_THAN_A_LEASE_S,
        wish="blind",
        by=("submit.too_late", "submit.overtaken"),
    ),
    "submit.too_late": Lead("submit.after_intent", pause_s=2.0),
    "surely.again": Lead("submit.after_reply", then="database crashed"),
    "sweep.before_alarm": Lead(then="routes gone", within_s=15.0),
    "sweep.before_doubt": Lead(then="promises broken"),
    "worker.broken": Lead("poll.answered", act="error"),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`again` ends a program in that way and starts it, while nobody else does; `crash` is of the database, `sql` for it."""

    site: Site
    again: Callable[[Program, Callable[[], object]], Awaitable[None]]
    crash: Callable[[], Awaitable[bool]]
    sql: Callable[[str], Awaitable[object]]


@dataclass
class Leader:
    """Brings about one missed point after another; `held` are the points at which nobody else may lay anything."""

    around: Surroundings
    pick: Callable[[], str | None]
    struck: Callable[[str], int]
    held: frozenset[str] = frozenset()
    caught: int | None = None
    unhurt: bool = False
    led: dict[str, int] = field(default_factory=dict)

    async def go(self) -> None:
        while True:
            point = self.pick()
            if point is not None:
                self.led[point] = self.led.get(point, 0) + 1
                await self.lead(point, LEADS[point])
            await asyncio.sleep(APART_S)

    def catches(self, point: str, pid: int) -> bool:
        """Take over a process that was just paused, if that is what is waited for."""
        if self.caught is not None or point not in self.held:
            return False
        self.caught = pid
        return True

    def leads(self, program: Program) -> bool:
        """Say whether this program is spared, or it is one of its processes that is paused."""
        if self.unhurt and program in self.around.site.workers:
            return True
        return self.caught is not None and any(one.pid == self.caught for one in program.family())

    async def lead(self, point: str, lead: Lead) -> None:
        armed = self.around.site.armed
        held = POINTS if lead.unhurt else (point, lead.at, *lead.by)
        self.caught, self.held, self.unhurt = None, frozenset(held) - {""}, lead.unhurt
        try:
            self._clear(*self.held)
            self.around.site.wished = lead.wish
            if lead.wish:
                await asyncio.sleep(WISHED_S)
            struck = self.struck(point)
            # It stays there until it strikes, also where this was in vain.
            (armed / f"{point}=kill").touch()
            if lead.at:
                before = self.struck(lead.at)
                (armed / f"{lead.at}={lead.act}").touch()
                if not await self._until(lambda: self.struck(lead.at) > before, CAUGHT_WITHIN_S):
                    return
            if lead.at and lead.act == "freeze":
                self._pause_others(lead)
                await asyncio.sleep(lead.pause_s)
            if lead.then_at:
                (armed / f"{lead.then_at}=freeze").touch()
                self._thaw()
                await self._until(lambda: self.caught is not None, lead.within_s)
            async with CALAMITIES[lead.then](self.around):
                self._thaw()
                await self._until(lambda: self.struck(point) > struck, lead.within_s)
        finally:
            self._thaw()
            for program in self.around.site.workers if lead.alone else ():
                program.wake()
            self._clear(lead.at, lead.then_at)
            self.around.site.wished = ""
            self.held, self.unhurt = frozenset(), False

    async def _until(self, done: Callable[[], bool], within_s: float) -> bool:
        for _ in range(round(within_s / LOOK_S)):
            if done():
                return True
            await asyncio.sleep(LOOK_S)
        return done()

    def _clear(self, *points: str) -> None:
        for point in filter(None, points):
            for path in self.around.site.armed.glob(f"{point}=*"):
                path.unlink(missing_ok=True)

    def _pause_others(self, lead: Lead) -> None:
        for program in self.around.site.workers if lead.alone else ():
            other = program.working()
            if other is not None and other.pid != self.caught:
                with suppress(psutil.NoSuchProcess):
                    other.suspend()

    def _thaw(self) -> None:
        if self.caught is not None:
            with suppress(ProcessLookupError):
                os.kill(self.caught, signal.SIGCONT)
        self.caught = None


@asynccontextmanager
async def _nothing(around: Surroundings) -> AsyncIterator[None]:
    del around
    yield


@asynccontextmanager
async def _store_restarted(around: Surroundings) -> AsyncIterator[None]:
    if around.site.shelf is not None:
        await around.site.shelf.leave()
        await around.site.shelf.come_back()
    yield


@asynccontextmanager
async def _store_away(around: Surroundings) -> AsyncIterator[None]:
    shelf = around.site.shelf
    if shelf is None:
        yield
        return
    await shelf.leave()
    try:
        yield
    finally:
        await shelf.come_back()


@asynccontextmanager
async def _database_crashed(around: Surroundings) -> AsyncIterator[None]:
    await around.crash()
    # All connections are cut by then, and none can be opened yet.
    await asyncio.sleep(CRASHED_S)
    yield


@asynccontextmanager
async def _children_killed(around: Surroundings) -> AsyncIterator[None]:
    """Kill whatever works on a film, as a machine does that is out of memory."""
    killing = asyncio.create_task(_keep_killing(around.site))
    try:
        yield
    finally:
        killing.cancel()


async def _keep_killing(site: Site) -> None:
    while True:
        for program in site.workers:
            for one in program.family():
                with suppress(psutil.NoSuchProcess):
                    if any(child in " ".join(one.cmdline()) for child in _CHILDREN):
                        one.kill()
        await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def _routes_gone(around: Surroundings) -> AsyncIterator[None]:
    """Have an operator take all routes out of what engines read, and put them back."""
    site = around.site
    said = site.engine_settings.read_text()
    site.engine_settings.write_text(said.partition("[[routes]]")[0])
    try:
        await _all_again(around)
        yield
    finally:
        site.engine_settings.write_text(said)
        await _all_again(around)


@asynccontextmanager
async def _promises_broken(around: Surroundings) -> AsyncIterator[None]:
    """Have many films of a model take longer than their clients were shown, as they do when a vendor grows slow."""
    await around.sql(_BROKEN)
    yield


async def _all_again(around: Surroundings) -> None:
    for program in around.site.workers:
        await around.again(program, program.kill)


CALAMITIES: Final = {
    "nothing": _nothing,
    "store restarted": _store_restarted,
    "store away": _store_away,
    "database crashed": _database_crashed,
    "children killed": _children_killed,
    "routes gone": _routes_gone,
    "promises broken": _promises_broken,
}
