"""Shares: how many hands may work for one customer or one vendor at a time, so that some are left for the others.

Nobody takes a hand while it holds as many as are free, or so many times as many. One alone gets half of them, the next
half of what is left, and whoever comes with nothing in hand finds one, however slow the work of the others is.
"""

from collections import Counter
from collections.abc import Hashable, Iterable


class Share:
    """Counts hands; `held` names, for each one that is in use, whom it works for."""

    def __init__(self, hands: int, held: Iterable[Hashable], weight: int = 1) -> None:
        self._held = Counter(held)
        self._weight = weight
        self.free = hands - self._held.total()

    def copy(self) -> "Share":
        """Give one that counts on from here by itself."""
        return Share(self.free + self._held.total(), self._held.elements(), self._weight)

    def room(self, one: Hashable) -> int:
        """Say how many more hands it may take, if nobody else takes any."""
        return max(0, -((self._held[one] - self._weight * self.free) // (self._weight + 1)))

    def full(self) -> list[Hashable]:
        """Name those that may take none."""
        return [one for one in self._held if not self.room(one)]

    def take(self, one: Hashable) -> bool:
        """Take a hand for it; False where it has its share."""
        if not self.room(one):
            return False
        self._held[one] += 1
        self.free -= 1
        return True
