"""How slow a sender may be: at least so many bytes over any stretch of waiting for them."""

from collections import deque
from typing import Final

_STRETCHES: Final = 256


class Pace:
    """Counts only time spent waiting for the sender, so that a slow reader of ours costs it nothing."""

    def __init__(self, bytes_per_s: float, window_s: float) -> None:
        self._need = bytes_per_s * window_s
        self._window_s = window_s
        self._waited_s = 0.0
        self._received = 0
        # The moments at which a stretch may begin that has not yet seen its bytes.
        self._open: deque[tuple[float, int]] = deque([(0.0, 0)])

    def patience_s(self) -> float:
        """Tell how long the next bytes may be waited for."""
        return self._open[0][0] + self._window_s - self._waited_s

    def took(self, waited_s: float, size_bytes: int) -> None:
        """Note that bytes came after a wait."""
        self._waited_s += waited_s
        self._received += size_bytes
        # A sender of single bytes must not make us remember each of them.
        if self._waited_s - self._open[-1][0] >= self._window_s / _STRETCHES:
            self._open.append((self._waited_s, self._received))
        while len(self._open) > 1 and self._received - self._open[0][1] >= self._need:
            self._open.popleft()
