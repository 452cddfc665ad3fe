"""Picture sizes, as clients write them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

_PAIR: Final = re.compile(r"(\d{1,5})\s*[xX×:]\s*(\d{1,5})")

_RATIO_PARTS: Final = 100


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, or in the parts of a ratio."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `720x1280`, `720×1280` or `9:16`; raise ValueError on anything else."""
        found = _PAIR.fullmatch(text.strip())
        if found is None or "0" in {part.lstrip("0") or "0" for part in found.groups()}:
            raise ValueError(text)
        return cls(int(found[1]), int(found[2]))

    @property
    def ratio(self) -> float:
        return self.width / self.height

    def nearest(self, sizes: Sequence["Size"]) -> "Size":
        """Choose this very size, else the one of nearest ratio and, among equals, of nearest area.

        What has sides too small for any film is a ratio: among equals the first has it.
        """
        if self in sizes:
            return self
        bare = max(self.width, self.height) <= _RATIO_PARTS

        def distance(size: Size) -> tuple[float, float]:
            area = math.log(size.width * size.height) - math.log(self.width * self.height)
            return round(abs(math.log(size.ratio / self.ratio)), 3), 0.0 if bare else abs(area)

        return min(sizes, key=distance)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"
