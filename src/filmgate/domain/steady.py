"""How long another's clock has gone as ours does: what it says of a time before that proves nothing."""

from datetime import datetime
from typing import Final

# A question takes its time, and clocks that are kept right are moved a little all day.
_TOLERANCE_S: Final = 2.0


class Steadiness:
    """One clock, as it was read now and then beside one that never jumps."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._since: float | None = None

    def note(self, told: datetime, at: float) -> float:
        """Note that it told this at a second of ours; give for how many seconds it has gone as ours.

        That it was set shows at the first look after it.
        """
        offset = told.timestamp() - at
        if self._since is None or abs(offset - self._offset) > _TOLERANCE_S:
            self._offset, self._since = offset, at
        return max(0.0, at - self._since)
