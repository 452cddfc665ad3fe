"""How long a run will take, from how long runs of the same kind took, and no better known than that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from filmgate.domain.plan import ClipRole, plan
from filmgate.domain.request import FilmRequest

RUNS_LEAST: Final = 8
RUNS_KEPT: Final = timedelta(days=30)
HONEST_OVER: Final = 100
HONEST_LEAST: Final = 0.7
# Fewer outcomes than that say nothing of how honest an estimate is.
HONEST_FROM: Final = 10
ESTIMATED_MOST: Final = 90
"""How far progress goes that nobody has reported."""

_GROWTH: Final = math.log(1.05)
_SHORTEST_S: Final = 0.1
_BUCKETS: Final = 300
_MINUTE_S: Final = 60
_TEN_MINUTES_S: Final = 600


@dataclass(frozen=True, slots=True)
class RunKind:
    """What runs must have in common to tell of each other; `seconds` are those that the task itself makes."""

    provider: str
    model: str
    seconds: int
    size: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Half of the runs took no longer than `low_s`, nine of ten no longer than `high_s`."""

    low_s: float
    high_s: float
    sample: int

    def progress(self, elapsed_s: float) -> int:
        """Give how far a run is that began so long ago, 0 to 90."""
        return min(ESTIMATED_MOST, int(ESTIMATED_MOST * max(elapsed_s, 0) / max(self.high_s, _SHORTEST_S)))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a kind of run: an estimate where enough runs stand for it, and whether it may be shown."""

    sample: int = 0
    estimate: Estimate | None = None
    honest: bool = True
    """Whether the estimates of this model have held often enough of late."""

    @property
    def shown(self) -> Estimate | None:
        return self.estimate if self.honest else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A model whose estimates held too seldom of late to be shown."""

    model: str
    covered: int
    outcomes: int


def run_kind(provider: str, request: FilmRequest) -> RunKind:
    """Say which runs a film's run is like; a clip that another film gives is not made."""
    planned = plan(request, provider_upsamples=False)
    made = [clip for clip in planned.clips if clip.no >= planned.first_made]
    seconds = sum(clip.seconds for clip in made if clip.role is not ClipRole.UPSAMPLE)
    larger = "" if request.upsample_to is None else f">{request.upsample_to}"
    return RunKind(provider, request.model, seconds, f"{request.size}{larger}")


def bucket_of(run_s: float) -> int:
    """Give the bucket that a duration is counted in."""
    return min(max(math.ceil(math.log(max(run_s, _SHORTEST_S) / _SHORTEST_S) / _GROWTH), 0), _BUCKETS)


def bucket_s(bucket: int) -> float:
    """Give the longest duration that a bucket counts."""
    return _SHORTEST_S * math.exp(bucket * _GROWTH)


def estimate_of(counts: Mapping[int, int]) -> Estimate:
    """Read an estimate off the buckets; it is never shorter than what it stands for, and 5 % longer at most."""
    sample = sum(counts.values())
    return Estimate(_quantile(counts, sample, 0.5), _quantile(counts, sample, 0.9), sample)


def is_honest(covered: int, outcomes: int) -> bool:
    """Tell whether estimates may be shown of which so many have held."""
    return outcomes < HONEST_FROM or covered / outcomes >= HONEST_LEAST


def coarse_s(seconds: float) -> int:
    """Round a time that is shown up to a step of 10 s below a minute, of 30 s below ten, of a minute above."""
    step = 10 if seconds < _MINUTE_S else 30 if seconds < _TEN_MINUTES_S else _MINUTE_S
    return math.ceil(round(seconds, 3) / step) * step


def _quantile(counts: Mapping[int, int], sample: int, share: float) -> float:
    left = math.ceil(sample * share)
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            return bucket_s(bucket)
    return 0.0
