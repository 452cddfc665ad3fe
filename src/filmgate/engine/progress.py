"""How far a film is and how long it will take, as far as anybody knows; nothing here is made up."""

from dataclasses import dataclass
from typing import cast

from filmgate.domain.contracts_provider import Pending
from filmgate.domain.eta import Estimate, run_kind
from filmgate.domain.plan import Plan
from filmgate.domain.record import ProgressSource, RecordChange
from filmgate.domain.request import Json
from filmgate.domain.task import Task
from filmgate.engine.parts import Parts
from filmgate.store.estimates import Run
from filmgate.store.work import Claim


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole film's progress, and from where it is known; None where nobody knows."""

    progress: int
    source: ProgressSource | None


async def seen(parts: Parts, claim: Claim, planned: Plan, provider: str, answer: Pending) -> Seen:
    """Read a film's progress off an answer, or off earlier films where the provider tells none."""
    if answer.progress:
        source = ProgressSource.MEASURED if answer.measured else ProgressSource.REPORTED
        return Seen(planned.progress(claim.clip_no, answer.progress), source)
    begun = planned.progress(claim.clip_no, 0)
    started_at = claim.task.started_at
    if answer.waits or started_at is None:
        return Seen(begun, None)
    outlook = await parts.experience.of(run_kind(provider, claim.task.request))
    if outlook.shown is None:
        return Seen(begun, None)
    # One clip's progress does not reach into the next one's share, however long it takes.
    most = planned.progress(claim.clip_no, 99)
    elapsed_s = (claim.claimed_at - started_at).total_seconds()
    return Seen(max(begun, min(outlook.shown.progress(elapsed_s), most)), ProgressSource.ESTIMATED)


def change(task: Task, seen: Seen, *, waits: bool) -> RecordChange | None:
    """Give what the record should say anew; the source goes with the number that it gave."""
    said: dict[str, Json] = {}
    if waits != task.record.waits_there:
        said["waits_there"] = waits
    if seen.source is not None and seen.progress > task.progress:
        said["progress_source"] = seen.source.value
    return said or None


async def promised(parts: Parts, task: Task, provider: str) -> RecordChange:
    """Give what is known of a run that begins, for its client: it stays the same until the end."""
    if task.started_at is not None or task.record.promise is not None:
        return {}
    outlook = await parts.experience.of(run_kind(provider, task.request))
    known = outlook.estimate
    promise: dict[str, Json] = {
        "provider": provider,
        "sample": outlook.sample,
        "low_s": None if known is None else known.low_s,
        "high_s": None if known is None else known.high_s,
    }
    return {"promise": promise}


@dataclass(frozen=True, slots=True)
class Promise:
    """What was known of a run when it began."""

    provider: str
    sample: int
    estimate: Estimate | None


def promise_of(task: Task) -> Promise | None:
    """Read what was known when the run began; None while it has not."""
    said = task.record.promise
    if said is None:
        return None
    low_s, high_s = cast("float | None", said["low_s"]), cast("float | None", said["high_s"])
    sample = cast("int", said["sample"])
    estimate = None if low_s is None or high_s is None else Estimate(low_s, high_s, sample)
    return Promise(str(said["provider"]), sample, estimate)


def promised_s(task: Task) -> float | None:
    """Give the longest that a client was shown a run would take; None where nothing was shown."""
    promise = promise_of(task)
    return None if promise is None or promise.estimate is None else promise.estimate.high_s


def run_of(task: Task, provider: str) -> Run:
    """Say what a run that ends was, for those that come after it."""
    return Run(run_kind(provider, task.request), promised_s(task))
