"""Whose statement is in the database: one at a time, and in an order that no clock and no scheduler has a say in.

A statement that waits for another's lock is halted where it waits, as its server process is, so that it goes on when it
is told to, and not when it is woken. Of several that are woken at once the one that was asked first goes on first, until
it has answered or waits again. Where some wait for each other, dice choose who gives way, and no timer does.
"""

import asyncio
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from simulation.control import Control
from simulation.links import Link

Choose = Callable[[Sequence[Link]], Link]
# Whoever dies here leaves nobody halted, who would outlive even the server.
_WHEN_OVER: Final = 'cat; kill -CONT "$@"'
_BLOCKERS: Final = "select pid, pg_blocking_pids(pid) from unnest(array[{pids}]) pid"


class Turns:
    def __init__(self, links: Sequence[Link], control: Control, choose: Choose) -> None:
        self._links: Final[Mapping[int, Link]] = {link.pid: link for link in links}
        self._control = control
        self._choose = choose
        self._inside: Link | None = None
        self._queue: deque[tuple[Link, asyncio.Future[None]]] = deque()
        self._halted: dict[int, Link] = {}
        self._unsettled = False
        self._after = subprocess.Popen(
            ["/bin/sh", "-c", _WHEN_OVER, "sh", *map(str, self._links)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def taken(self) -> bool:
        """Tell whether somebody's statement is going on."""
        return self._inside is not None or bool(self._queue)

    def halted(self, link: Link) -> bool:
        return link.pid in self._halted

    async def enter(self, link: Link) -> None:
        """Wait until nobody else's statement is going on."""
        if not self.taken():
            self._inside = link
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((link, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(link, free=False)
            raise

    def leave(self, link: Link, *, free: bool) -> None:
        """Let the next one in; `free` where it may have let go of locks."""
        if self._inside is link:
            self._inside = None
            self._unsettled = self._unsettled or free
            self._go_on()

    def silent(self) -> Link | None:
        """Nothing was heard for a moment: halt the one that is in, if it waits for one of the others; tell whom."""
        link = self._inside
        if link is None or not self._blockers([link])[link]:
            return None
        os.kill(link.pid, signal.SIGSTOP)
        self._halted[link.pid] = link
        self._inside, self._unsettled = None, True
        self._go_on()
        return link

    def undo(self, link: Link) -> None:
        """End the statement for which a halted link waits; it answers so."""
        self._control.ask(f"select pg_cancel_backend({link.pid})")
        self._resume(link)

    def close(self) -> None:
        """Let all go on that are halted."""
        self._after.communicate()
        self._halted.clear()

    def _go_on(self) -> None:
        if self._unsettled and self._halted:
            waits = self._blockers(sorted(self._halted.values(), key=lambda link: link.number))
            woken = next((link for link, blockers in waits.items() if not blockers), None)
            if woken is not None:
                self._resume(woken)
                return
            if tied := knot(waits):
                loser = self._choose(tied)
                loser.gives_way = True
                self.undo(loser)
                return
        self._unsettled = False
        while self._queue:
            link, turn = self._queue.popleft()
            if not turn.done():
                self._inside = link
                turn.set_result(None)
                return

    def _resume(self, link: Link) -> None:
        del self._halted[link.pid]
        self._inside = link
        os.kill(link.pid, signal.SIGCONT)

    def _blockers(self, links: Sequence[Link]) -> dict[Link, Collection[Link]]:
        """Tell who waits for whom of us; whoever else holds a lock, as the server does itself, soon lets go of it."""
        rows = self._control.ask(_BLOCKERS.format(pids=",".join(str(link.pid) for link in links)))
        found = {int(row[0] or 0): (row[1] or "").strip("{}").split(",") for row in rows}
        return {
            link: [self._links[int(pid)] for pid in found[link.pid] if pid and int(pid) in self._links]
            for link in links
        }


def knot(waits: Mapping[Link, Collection[Link]]) -> Sequence[Link]:
    """Give those who wait for each other, in the order in which they are known; nobody where everybody can go on."""

    def reached(link: Link) -> set[Link]:
        found: set[Link] = set()
        ahead = [*waits[link]]
        while ahead:
            one = ahead.pop()
            if one not in found:
                found.add(one)
                ahead += waits.get(one, ())
        return found

    known = {link: reached(link) for link in waits}
    first = next((link for link in waits if link in known[link]), None)
    return [link for link in waits if first in known[link] and link in known[first]] if first else []
