"""Arms failpoints from the environment, for tests that kill real processes between two effects.

`FILMGATE_FAILPOINTS="submit.after_intent=kill:/path/marker"`: the first process that passes the point and can make
the marker dies there, as `kill -9` ends it; later ones pass. `stall` waits half a minute instead, `error` raises.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

from filmgate.domain.failpoint import arm

_VARIABLE: Final = "FILMGATE_FAILPOINTS"
_STALL_S: Final = 30.0


def arm_failpoints() -> None:
    """Arm what the environment names; without the variable, nothing."""
    for said in filter(None, os.environ.get(_VARIABLE, "").split(";")):
        name, _, rest = said.partition("=")
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
        match self._act:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stall":
                await asyncio.sleep(_STALL_S)
            case _:
                raise RuntimeError(name)
