"""The worker: claims due steps in batches, as many as it has hands for, and never lets one stop another."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import (
    BEAT_EVERY,
    CLAIM_BATCH,
    DEATHS_ALONE,
    DEATHS_BEFORE_ALONE,
    IDLE_CLAIM,
    POLL_LEASE,
    SILENT_AFTER,
    STEP_LEASE,
    SUBMIT_LEASE,
    SWEEP_EVERY,
)
from filmgate.domain.shares import Share
from filmgate.domain.states import Step
from filmgate.engine.backoff import after_outage
from filmgate.engine.beside import Beside, let_end
from filmgate.engine.broken import broke_too_often, park, set_back
from filmgate.engine.collect import collect
from filmgate.engine.parts import Parts
from filmgate.engine.poll import poll
from filmgate.engine.prepare import prepare
from filmgate.engine.reconcile import lost_sender, reconcile
from filmgate.engine.render import render
from filmgate.engine.start import Shares, starts
from filmgate.engine.suspects import Trial
from filmgate.engine.sweep import sweep
from filmgate.engine.wrong_clock import ClockWatch
from filmgate.store.moves import StaleLease
from filmgate.store.patience import AWAY, CLAIM_WITHIN_S, PASSING, PATIENCE_S, STORE_FAULTS
from filmgate.store.transitions import NOW
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim

Verb = Callable[[Parts, Claim], Awaitable[None]]
_STOOD: Final = (
    "an engine stood still for {seconds:.0f} s, as one does whose machine hangs or is far too busy: what it had in hand "
    "others could take over meanwhile, and nothing of it is done twice"
)
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
    Step.POLL: Hands(poll, 512, POLL_LEASE),
    # Collecting hashes and decodes in child processes: a few at a time keep the machine busy.
    Step.COLLECT: Hands(collect, 32, STEP_LEASE),
    Step.RENDER: Hands(render, 2, STEP_LEASE, shared=False),
}
_STARTS: Final = Hands(prepare, 128, SUBMIT_LEASE)


class Worker:
    """One engine on one machine; several need no election, since a claim is the only way to own a step."""

    def __init__(self, parts: Parts, upkeep: Upkeep, beside: Sequence[Beside] = ()) -> None:
        self._parts = parts
        self._upkeep = upkeep
        self._beside = beside
        self._alongside: list[asyncio.Task[None]] = []
        self._running: dict[UUID, tuple[Claim, asyncio.Task[bool]]] = {}
        self._trial = Trial(parts)
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
        beside = [asyncio.create_task(one.stop()) for one in self._beside]
        await self._ended.wait()
        with suppress(*STORE_FAULTS):
            await self._trial.drop()
        running = [task for _, task in self._running.values()]
        await let_end(running)
        await asyncio.gather(*beside, *self._alongside, return_exceptions=True)

    async def _begin(self) -> int:
        released = await self._parts.claims.begin()
        self._parts.telemetry.event("worker.started", released=released)
        return released

    async def _claim(self) -> int:
        if self._left:
            await self._parts.claims.release_lost(self._busy())
            self._left = False
        suspect = await self._trial.next(busy=bool(self._running))
        if suspect is not None:
            self._start(suspect, HANDS[suspect.step].verb if suspect.step in HANDS else prepare)
        if self._trial.alone():
            return 0
        claims: list[tuple[Claim, Verb]] = []
        now, named = self._parts.clock.monotonic(), not self._trial.running
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
                    named=named,
                    share=share if hands.shared else None,
                )
                claims += [(claim, hands.verb) for claim in found]
        claims += [(claim, prepare) for claim in await self._starts(now, named=named)]
        if self._stopping.is_set():
            # What was claimed while the stop came is given back: nothing new is sent after it.
            await self._parts.claims.put_back([claim for claim, _ in claims], NOW)
            return 0
        await self._trial.offer([claim for claim, verb in claims if not self._begun(claim, verb)])
        return len(claims)

    async def _starts(self, now: float, *, named: bool) -> Sequence[Claim]:
        in_hand = self._in_hand(Step.PREPARE)
        shares = Shares(_STARTS.most, in_hand)
        if shares.free <= 0:
            return ()
        limit = min(shares.free, CLAIM_BATCH)
        return await starts(
            self._parts,
            limit=limit,
            lease=_STARTS.lease,
            busy=self._busy(),
            since=now,
            named=named,
            shares=shares,
        )

    def _begun(self, claim: Claim, verb: Verb) -> bool:
        """Begin a step, unless it may be what kills its engines."""
        if claim.deaths >= _PARK_AFTER or broke_too_often(claim):
            self._start(claim, park)
        elif claim.deaths >= DEATHS_BEFORE_ALONE:
            return False
        else:
            self._start(claim, verb)
        return True

    def _start(self, claim: Claim, verb: Verb) -> None:
        task = asyncio.create_task(self._guarded(claim, verb))
        self._running[claim.task_id] = claim, task

        def forget(ended: asyncio.Task[bool]) -> None:
            self._running.pop(claim.task_id, None)
            # Given back while it was in hand, it would have stayed there for the rest of its lease.
            self._left = self._left or (not ended.cancelled() and not ended.result())
            self._trial.ended(claim.task_id)
            self._parts.wake.set()

        task.add_done_callback(forget)

    async def _guarded(self, claim: Claim, verb: Verb) -> bool:
        """One task's error is its own: it is tried again later, and told to operators; False gives it back."""
        try:
            await failpoint("worker.claimed")
            await verb(self._parts, claim)
        except StaleLease:
            self._parts.telemetry.event("lease.lost", task=str(claim.task_id), step=claim.step.value)
        except PASSING as error:
            self._parts.telemetry.event(
                "store.unavailable", task=str(claim.task_id), reason=type(error).__name__
            )
            if isinstance(error, AWAY):
                self._parts.telemetry.outage()
            # It is in hand meanwhile: what was given back at once would come back at once.
            await asyncio.sleep(after_outage(2, self._parts.chance).total_seconds())
            return False
        except Exception as error:  # noqa: BLE001  # a bug in one task's step must not stop the others
            self._parts.telemetry.event(
                "step.broken",
                task=str(claim.task_id),
                step=claim.step.value,
                error=error,
                reason=type(error).__name__,
            )
            await self._set_back(claim)
        return True

    async def _set_back(self, claim: Claim) -> None:
        try:
            await set_back(self._parts, claim)
        except Exception as error:  # noqa: BLE001  # then its lease runs out, as that of any step that was lost
            self._parts.telemetry.event(
                "step.left", task=str(claim.task_id), step=claim.step.value, reason=type(error).__name__
            )

    def _in_hand(self, step: Step) -> Sequence[Claim]:
        return [claim for claim, _ in self._running.values() if claim.step is step]

    def _busy(self) -> Sequence[UUID]:
        return [*self._running, *self._trial.waiting]

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
        stood_s, watch = 0.0, ClockWatch(self._parts)
        woke = self._parts.clock.monotonic()
        while True:
            await asyncio.sleep(BEAT_EVERY.total_seconds())
            # Whether it stood while it slept or while it asked: neither takes long by itself.
            slept, woke = woke, self._parts.clock.monotonic()
            stood_s = max(stood_s, woke - slept)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    before = self._parts.clock.now()
                    told = await self._beat()
                    if told is not None:
                        await watch.compare(before, told)
                    if stood_s >= SILENT_AFTER.total_seconds():
                        await self._parts.notices.alarm("engine_stood_still", _STOOD.format(seconds=stood_s))
                    stood_s = 0.0
            except Exception as error:  # noqa: BLE001  # an engine that stops beating is taken for dead, and its work done elsewhere
                self._away(error)
            else:
                self._back()

    async def _beat(self) -> datetime | None:
        began = self._parts.clock.monotonic()
        told = await self._parts.claims.beat()
        if told is not None:
            self._parts.steady.note(told, began)
        return told

    async def _through_outages(self, ask: Callable[[], Awaitable[int | None]]) -> int | None:
        """Ask the store; while it does not answer, nothing is claimed, and what was half claimed is given back."""
        try:
            async with asyncio.timeout(CLAIM_WITHIN_S):
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
