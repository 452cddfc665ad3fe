"""Arms failpoints from the environment, for tests that kill real processes between two effects.

`FILMGATE_FAILPOINTS="submit.after_intent=kill:/path/marker"`: the first process that passes the point and can make
the marker dies there, as `kill -9` ends it; later ones pass. Several stand with semicolons between.

`FILMGATE_FAILPOINTS=/a/folder` arms whatever files that folder holds at the moment of each passage, so that running
processes can be armed: `submit.after_intent=kill` strikes the next passage, `submit.after_intent=kill:3` the third
from now. What has struck is moved to the folder `sprung` there, its name followed by the process and a number.

`kill` ends the process, `freeze` stops it until it is sent SIGCONT, `stall` waits half a minute, `error` raises,
`cancel` cancels.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filmgate.domain.failpoint import arm

_VARIABLE: Final = "FILMGATE_FAILPOINTS"
_STALL_S: Final = 30.0
SPRUNG: Final = "sprung"


def arm_failpoints() -> None:
    """Arm what the environment names; without the variable, nothing."""
    said = os.environ.get(_VARIABLE, "")
    if said and "=" not in said:
        arm(_Folder(Path(said)))
        return
    for one in filter(None, said.split(";")):
        name, _, rest = one.partition("=")
        act, _, marker = rest.partition(":")
        arm(_Trap(name, act, Path(marker)))


class _Trap:
    def __init__(self, name: str, act: str, marker: Path) -> None:
        self._name = name
        self._act = act
        self._marker = marker

    async def __call__(self, name: str) -> None:
        if name != self._name:
            return
        try:
            self._marker.touch(exist_ok=False)
        except FileExistsError:
            return
        await _strike(name, self._act)


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: Iterator[int] = itertools.count(1)

    async def __call__(self, name: str) -> None:
        for path in self._folder.glob(f"{name}=*"):
            act, _, left = path.name.removeprefix(f"{name}=").partition(":")
            later = int(left or 1) - 1
            said = f"{name}={act}"
            sprung = self._folder / SPRUNG / f"{said}.{os.getpid()}.{next(self._numbers)}"
            try:
                path.rename(self._folder / f"{said}:{later}" if later else sprung)
            except FileNotFoundError:
                # Another process was faster: that passage was its own.
                continue
            if not later:
                await _strike(name, act)


async def _strike(name: str, act: str) -> None:
    match act:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "stall":
            await asyncio.sleep(_STALL_S)
        case "cancel":
            raise asyncio.CancelledError(name)
        case _:
            raise RuntimeError(name)
