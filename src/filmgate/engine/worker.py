"""The worker: claims due steps in batches, as many as it has hands for, and never lets one stop another."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import (
    BEAT_EVERY,
    CLAIM_BATCH,
    DEATHS_ALONE,
    DEATHS_BEFORE_ALONE,
    IDLE_CLAIM,
    SHUTDOWN,
    STEP_LEASE,
    SUBMIT_LEASE,
    SWEEP_EVERY,
)
from filmgate.domain.shares import Share
from filmgate.domain.states import Step
from filmgate.engine.backoff import after_outage
from filmgate.engine.collect import collect
from filmgate.engine.deliver import Deliverer
from filmgate.engine.end import fail
from filmgate.engine.parts import Parts
from filmgate.engine.poll import poll
from filmgate.engine.prepare import prepare
from filmgate.engine.reconcile import lost_sender, reconcile
from filmgate.engine.render import render
from filmgate.engine.start import Shares, starts
from filmgate.engine.sweep import sweep
from filmgate.store.moves import StaleLease
from filmgate.store.notices import Notice
from filmgate.store.patience import AWAY, PATIENCE_S, STORE_FAULTS
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim

Verb = Callable[[Parts, Claim], Awaitable[None]]
_SHUTDOWN_SHARE: Final = 0.6
_PARK_AFTER: Final = DEATHS_BEFORE_ALONE + DEATHS_ALONE


@dataclass(frozen=True, slots=True)
class Hands:
    """How many steps of one kind a worker has in hand at most, and how long each is leased."""

    verb: Verb
    most: int
    lease: timedelta
    shared: bool = True
    """Whether one vendor may have only its share of them; what waits for none of them needs no sharing."""


HANDS: Final[Mapping[Step, Hands]] = {
    Step.SUBMIT: Hands(lost_sender, 32, STEP_LEASE, shared=False),
    Step.RECONCILE: Hands(reconcile, 64, SUBMIT_LEASE),
    Step.POLL: Hands(poll, 512, STEP_LEASE),
    # Collecting hashes and decodes in child processes: a few at a time keep the machine busy.
    Step.COLLECT: Hands(collect, 32, STEP_LEASE),
    Step.RENDER: Hands(render, 2, STEP_LEASE, shared=False),
}
_STARTS: Final = Hands(prepare, 128, SUBMIT_LEASE)


class Beside(Protocol):
    """Something that goes on beside the steps, from the start of an engine to its end."""

    async def run(self) -> None: ...
    async def stop(self) -> None: ...


class Worker:
    """One engine on one machine; several need no election, since a claim is the only way to own a step."""

    def __init__(
        self, parts: Parts, upkeep: Upkeep, deliverer: Deliverer, beside: Sequence[Beside] = ()
    ) -> None:
        self._parts = parts
        self._upkeep = upkeep
        self._deliverer = deliverer
        self._delivering: asyncio.Task[None] | None = None
        self._beside = beside
        self._alongside: list[asyncio.Task[None]] = []
        self._running: dict[UUID, tuple[Claim, asyncio.Task[None]]] = {}
        self._alone: list[Claim] = []
        self._lonely: UUID | None = None
        self._ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self._left = False
        self._outages = 0
        self.heartbeat = parts.clock.monotonic()

    async def run(self) -> None:
        """Work until `stop`; the database may go away and come back meanwhile."""
        sweeping = asyncio.create_task(self._sweeping())
        beating = asyncio.create_task(self._beating())
        try:
            while not self._stopping.is_set():
                if await self._through_outages(self._begin) is not None:
                    break
            self._delivering = asyncio.create_task(self._deliverer.run())
            self._alongside = [asyncio.create_task(one.run()) for one in self._beside]
            while not self._stopping.is_set():
                self.heartbeat = self._parts.clock.monotonic()
                if not await self._through_outages(self._claim):
                    await self._rest()
        finally:
            sweeping.cancel()
            beating.cancel()
            self._ended.set()

    async def stop(self) -> None:
        """Claim nothing more and let what is in hand finish; what is left keeps its lease for another."""
        self._stopping.set()
        self._parts.wake.set()
        beside = [asyncio.create_task(one.stop()) for one in (self._deliverer, *self._beside)]
        await self._ended.wait()
        running = [task for _, task in self._running.values()]
        if running:
            await asyncio.wait(running, timeout=SHUTDOWN.total_seconds() * _SHUTDOWN_SHARE)
        for task in running:
            task.cancel()
        await asyncio.gather(*beside, *running, return_exceptions=True)
        await asyncio.gather(*self._alongside, return_exceptions=True)

    async def _begin(self) -> int:
        released = await self._parts.claims.begin()
        self._parts.telemetry.event("worker.started", released=released)
        return released

    async def _claim(self) -> int:
        if self._left:
            await self._parts.claims.release_lost(self._busy())
            self._left = False
        if self._lonely is not None:
            return 0
        if self._alone:
            return self._start_alone()
        claims: list[tuple[Claim, Verb]] = []
        now = self._parts.clock.monotonic()
        for step, hands in HANDS.items():
            share = Share(hands.most, [claim.credential_id for claim in self._in_hand(step)])
            limit = min(share.free, CLAIM_BATCH)
            if limit > 0:
                found = await self._parts.claims.due(
                    step,
                    limit=limit,
                    lease=hands.lease,
                    busy=self._busy(),
                    since=now,
                    share=share if hands.shared else None,
                )
                claims += [(claim, hands.verb) for claim in found]
        claims += [(claim, prepare) for claim in await self._starts(now)]
        if self._stopping.is_set():
            # What was claimed while the stop came is given back: nothing new is sent after it.
            await self._parts.claims.release_lost(self._busy())
            return 0
        for claim, verb in claims:
            self._take(claim, verb)
        if len(self._alone) > 1:
            # What waited beside it would die with it, and be counted as if it had done it.
            del self._alone[1:]
            await self._parts.claims.release_lost(self._busy())
        return len(claims)

    async def _starts(self, now: float) -> Sequence[Claim]:
        in_hand = self._in_hand(Step.PREPARE)
        shares = Shares(_STARTS.most, in_hand)
        if shares.free <= 0:
            return ()
        limit = min(shares.free, CLAIM_BATCH)
        return await starts(
            self._parts, limit=limit, lease=_STARTS.lease, busy=self._busy(), since=now, shares=shares
        )

    def _take(self, claim: Claim, verb: Verb) -> None:
        if claim.deaths >= _PARK_AFTER:
            self._start(claim, _park)
        elif claim.deaths >= DEATHS_BEFORE_ALONE:
            self._alone.append(claim)
        else:
            self._start(claim, verb)

    def _start_alone(self) -> int:
        # It may be what kills its workers: nothing else is in hand while it runs.
        if self._running:
            return 0
        claim = self._alone.pop()
        self._lonely = claim.task_id
        verb = HANDS[claim.step].verb if claim.step in HANDS else prepare
        self._start(claim, verb)
        return 1

    def _start(self, claim: Claim, verb: Verb) -> None:
        task = asyncio.create_task(self._guarded(claim, verb))
        self._running[claim.task_id] = claim, task

        def forget(_: object) -> None:
            self._running.pop(claim.task_id, None)
            self._lonely = None if self._lonely == claim.task_id else self._lonely
            self._parts.wake.set()

        task.add_done_callback(forget)

    async def _guarded(self, claim: Claim, verb: Verb) -> None:
        """One task's error is its own: it stays leased, is claimed again, and is counted by its operators."""
        try:
            await failpoint("worker.claimed")
            await verb(self._parts, claim)
        except StaleLease:
            self._parts.telemetry.event("lease.lost", task=str(claim.task_id), step=claim.step.value)
        except AWAY as error:
            self._left = True
            self._parts.telemetry.event(
                "store.unavailable", task=str(claim.task_id), reason=type(error).__name__
            )
            # It is in hand meanwhile: what was given back at once would come back at once.
            await asyncio.sleep(after_outage(2, self._parts.chance).total_seconds())
        except Exception as error:  # noqa: BLE001  # a bug in one task's step must not stop the others
            self._parts.telemetry.event(
                "step.broken",
                task=str(claim.task_id),
                step=claim.step.value,
                error=error,
                reason=type(error).__name__,
            )

    def _in_hand(self, step: Step) -> Sequence[Claim]:
        return [claim for claim, _ in self._running.values() if claim.step is step]

    def _busy(self) -> Sequence[UUID]:
        return [*self._running, *(claim.task_id for claim in self._alone)]

    async def _rest(self) -> None:
        self._parts.wake.clear()
        try:
            async with asyncio.timeout(IDLE_CLAIM.total_seconds()):
                await self._parts.wake.wait()
        except TimeoutError:
            return

    async def _sweeping(self) -> None:
        while True:
            await sweep(self._parts, self._upkeep)
            await asyncio.sleep(SWEEP_EVERY.total_seconds())

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY.total_seconds())
            # Whatever it was: an engine that stops beating is taken for dead, and what it draws is drawn elsewhere.
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._parts.claims.beat()
            except STORE_FAULTS as error:
                self._away(error)
            else:
                self._back()

    async def _through_outages(self, ask: Callable[[], Awaitable[int | None]]) -> int | None:
        """Ask the store; while it does not answer, nothing is claimed, and what was half claimed is given back."""
        try:
            answer = await ask()
        except STORE_FAULTS as error:
            self._left = True
            self._away(error)
            wait = after_outage(self._outages, self._parts.chance)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._stopping.wait()
            return None
        self._back()
        return answer

    def _away(self, error: Exception) -> None:
        self._outages += 1
        self._parts.telemetry.event("store.unavailable", reason=type(error).__name__, tries=self._outages)
        self._parts.telemetry.outage()

    def _back(self) -> None:
        if self._outages:
            self._parts.telemetry.event("store.back", tries=self._outages)
            self._outages = 0


async def _park(parts: Parts, claim: Claim) -> None:
    notice = Notice("parked", f"the task killed its worker in step {claim.step.value}")
    await fail(parts, claim, "engine_error", notice=notice)
