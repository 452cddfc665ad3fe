"""How long another's clock has gone as ours does: what it says of a time before that proves nothing."""

import math
from datetime import datetime
from typing import Final

# A question takes its time, and clocks that are kept right are moved a little all day.
_TOLERANCE_S: Final = 2.0
# One that was set and put back between two looks shows in neither.
_LOOK_WITHIN_S: Final = 15.0


class Steadiness:
    """One clock, as it was read now and then beside one that never jumps; `look_within_s` apart at most."""

    def __init__(self, look_within_s: float = _LOOK_WITHIN_S) -> None:
        self._look_within_s = look_within_s
        self._offset = 0.0
        self._since: float | None = None
        self._looked = -math.inf

    def note(self, told: datetime, at: float) -> float:
        """Note that it told this at a second of ours; give for how many seconds it has gone as ours.

        It counts anew where it was set, and where nobody has looked for long.
        """
        offset = told.timestamp() - at
        unseen = at - self._looked > self._look_within_s
        self._looked = max(self._looked, at)
        if self._since is None or unseen or abs(offset - self._offset) > _TOLERANCE_S:
            self._offset, self._since = offset, at
        return max(0.0, at - self._since)
