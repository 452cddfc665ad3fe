"""Signals to a whole server, which may be starting processes meanwhile."""

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil


def send_to_all(find: Callable[[], Iterable[psutil.Process]], number: signal.Signals) -> None:
    """Send it to the oldest first, and look again until none is new: who was born meanwhile gets it too."""
    told: set[int] = set()
    while new := [one for one in _oldest_first(find()) if one.pid not in told]:
        for one in new:
            told.add(one.pid)
            with suppress(ProcessLookupError):
                os.kill(one.pid, number)


def _oldest_first(found: Iterable[psutil.Process]) -> list[psutil.Process]:
    return sorted(found, key=lambda one: (one.create_time(), one.pid))


def called_postgres(family: Iterable[psutil.Process]) -> list[psutil.Process]:
    found = []
    for one in family:
        # One that has just ended has no name.
        with suppress(psutil.NoSuchProcess):
            if one.name() == "postgres":
                found.append(one)
    return found
