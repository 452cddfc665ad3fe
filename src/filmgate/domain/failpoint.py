"""Failpoints: named places between two effects, where a test may kill, stall or fail the process."""

from collections.abc import Awaitable, Callable

Arm = Callable[[str], Awaitable[None]]
_armed: list[Arm] = []


async def failpoint(name: str) -> None:
    """Do nothing, unless a test build has armed this process."""
    for act in _armed:
        await act(name)


def arm(act: Arm) -> None:
    """Call `act` with the name of each failpoint that is passed from now on."""
    _armed.append(act)


def disarm() -> None:
    _armed.clear()
